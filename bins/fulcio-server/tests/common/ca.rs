use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use tempfile::TempDir;

/// A CA that OpenSSL made: a P-384 root and a P-384 intermediate with an encrypted key. The files
/// are removed when it is dropped.
#[derive(Debug)]
pub(crate) struct CaFiles {
    folder: TempDir,
}

impl CaFiles {
    pub(crate) const PASSWORD: &str = "correct horse";

    pub(crate) fn create() -> Self {
        let files = Self {
            folder: TempDir::new().unwrap(),
        };
        let folder = files.folder();
        fs::write(folder.join("openssl.cnf"), EXTENSIONS).unwrap();
        for name in ["root", "intermediate"] {
            let key = format!("{name}.plain.pem");
            files.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out {key}"
            ));
        }
        files.openssl(
            "req -x509 -new -key root.plain.pem -sha384 -days 3650 -subj /O=Example/CN=root \
             -config openssl.cnf -extensions root -out root.pem",
        );
        files.openssl(
            "req -new -key intermediate.plain.pem -subj /O=Example/CN=intermediate \
             -config openssl.cnf -out intermediate.csr",
        );
        files.openssl(
            "x509 -req -in intermediate.csr -CA root.pem -CAkey root.plain.pem -sha384 -days 1000 \
             -CAcreateserial -extfile openssl.cnf -extensions intermediate -out intermediate.pem",
        );
        // Few iterations, so that tests do not wait for a password that protects nothing.
        files.openssl_with(
            "pkcs8 -topk8 -in intermediate.plain.pem -v2 aes-256-cbc -v2prf hmacWithSHA256 \
             -iter 1000 -out intermediate.key.pem -passout",
            &[&format!("pass:{}", Self::PASSWORD)],
        );
        let [intermediate, root] = ["intermediate.pem", "root.pem"].map(|name| files.read(name));
        files.write("chain.pem", &(intermediate + &root));
        let password = files.write("password", &format!("{}\n", Self::PASSWORD));
        fs::set_permissions(password, fs::Permissions::from_mode(0o600)).unwrap();
        files
    }

    /// Where the files are: `chain.pem`, `root.pem`, `intermediate.pem`, `intermediate.key.pem`
    /// (encrypted), `intermediate.plain.pem`, `root.plain.pem`, `password`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where one of the files is.
    pub(crate) fn path(&self, name: &str) -> String {
        path(&self.folder().join(name))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Writes one file more, and tells where it is.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.folder().join(name), text).unwrap();
        self.path(name)
    }

    /// The flags of `serve` for this CA.
    pub(crate) fn flags(&self) -> Vec<String> {
        vec![
            "--ca=fileca".to_owned(),
            format!("--fileca-cert={}", self.path("chain.pem")),
            format!("--fileca-key={}", self.path("intermediate.key.pem")),
            format!("--fileca-key-passwd-file={}", self.path("password")),
        ]
    }

    /// Writes `short.pem`: `root.plain.pem` as a key, with a certificate from one time to another, in seconds
    /// since 1970.
    #[track_caller]
    pub(crate) fn short_lived(&self, begin: u64, end: u64) {
        let [begin, end] = [begin, end].map(|time| {
            let text = Command::new("date")
                .args(["-u", "-d", &format!("@{time}"), "+%Y%m%d%H%M%SZ"])
                .output();
            String::from_utf8(text.unwrap().stdout)
                .unwrap()
                .trim()
                .to_owned()
        });
        self.write("index.txt", "");
        self.write("ca.cnf", SELF_SIGNING);
        self.openssl(
            "req -new -key root.plain.pem -subj /O=Example/CN=short -out short.csr -config openssl.cnf",
        );
        let text = self.openssl(&format!(
            "ca -batch -selfsign -notext -config ca.cnf -extensions ext -keyfile root.plain.pem \
             -in short.csr -startdate {begin} -enddate {end}"
        ));
        self.write("short.pem", &text);
    }

    /// Runs OpenSSL in the folder; the arguments are separated by spaces.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        self.openssl_with(arguments, &[])
    }

    #[track_caller]
    fn openssl_with(&self, arguments: &str, more: &[&str]) -> String {
        let arguments: Vec<_> = arguments
            .split_whitespace()
            .chain(more.iter().copied())
            .collect();
        openssl(self.folder(), &arguments)
    }
}

/// Runs OpenSSL in a folder, and returns what it printed.
#[track_caller]
pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let done = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("OpenSSL is installed");
    assert!(
        done.status.success(),
        "openssl {arguments:?}: {}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A path as text.
pub(crate) fn path(path: &Path) -> String {
    path.to_str()
        .expect("temporary folders have plain names")
        .to_owned()
}

const EXTENSIONS: &str = "
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
extendedKeyUsage = codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

const SELF_SIGNING: &str = "
[ca]
default_ca = self
[self]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha384
policy = any
[any]
organizationName = optional
commonName = optional
[ext]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
";
