use super::{
    super::common::{CaFiles, IdpServer},
    startup::{refuses, refuses_to_understand},
};

/// Runs `serve --ca=fileca` with these files, which must end at once.
struct Ca {
    files: CaFiles,
    config: String,
}

impl Ca {
    fn new() -> Self {
        let files = CaFiles::create();
        let config = IdpServer::start().write_config(files.folder());
        Self { files, config }
    }

    #[track_caller]
    fn refuses(&self, chain: &str, key: &str, password_file: &str, parts: &[&str]) {
        let flags = [
            "--ca=fileca",
            "--ct-log-url=",
            &format!("--config-path={}", self.config),
            &format!("--fileca-cert={}", self.files.path(chain)),
            &format!("--fileca-key={}", self.files.path(key)),
            &format!(
                "--fileca-key-passwd-file={}",
                self.files.path(password_file)
            ),
        ];
        refuses(&flags, parts);
    }

    /// The same with the right key, and with a chain of these certificates.
    #[track_caller]
    fn refuses_chain(&self, pem: &str, parts: &[&str]) {
        self.files.write("wrong.pem", pem);
        self.refuses(
            "wrong.pem",
            KEY,
            "password",
            &[&["--fileca-cert", "wrong.pem"], parts].concat(),
        );
    }

    /// A certificate for the key of the intermediate, with these extensions.
    fn issued(&self, extensions: &str, days: &str) -> String {
        self.files.write("wrong.cnf", extensions);
        self.files.openssl(&format!(
            "x509 -req -in intermediate.csr -CA root.pem -CAkey root.plain.pem -sha384 \
             -CAcreateserial -days {days} -extfile wrong.cnf -out issued.pem"
        ));
        self.files.read("issued.pem")
    }
}

const CHAIN: &str = "chain.pem";
const KEY: &str = "intermediate.key.pem";
const CA: &str = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n";
const CODE_SIGNING: &str = "extendedKeyUsage=codeSigning\n";

#[test]
fn asks_for_the_flags_of_a_file_ca() {
    let ca = Ca::new();
    let config = format!("--config-path={}", ca.config);
    let refused = |flags: &[&str], parts: &[&str]| {
        let mut all = vec!["--ca=fileca", "--ct-log-url=", &config];
        all.extend(flags);
        refuses_to_understand(&all, parts);
    };
    refused(&[], &["--fileca-cert must be set", "--ca fileca"]);
    let cert = format!("--fileca-cert={}", ca.files.path(CHAIN));
    refused(&[&cert], &["--fileca-key", "must be set"]);
    let key = format!("--fileca-key={}", ca.files.path(KEY));
    refused(&[&key], &["--fileca-cert", "must be set"]);
    refused(
        &[&cert, &key],
        &[
            "--fileca-key-passwd or --fileca-key-passwd-file",
            "must be set",
        ],
    );
    let [chain, no_log] = [&config, "--ct-log-url="];
    refuses(
        &[
            "--ca=fileca",
            no_log,
            chain,
            &cert,
            &key,
            "--fileca-key-passwd=wrong",
        ],
        &[
            "--fileca-key and --fileca-key-passwd: ",
            KEY,
            "password does not open",
        ],
    );
}

#[test]
fn says_which_file_of_the_ca_cannot_be_read() {
    let ca = Ca::new();
    for wrong in ["absent", "."] {
        let path = ca.files.path(wrong);
        ca.refuses(
            wrong,
            KEY,
            "password",
            &["--fileca-cert", &path, "cannot be read; check the path"],
        );
        ca.refuses(
            CHAIN,
            wrong,
            "password",
            &["--fileca-key", &path, "cannot be read", "check the path"],
        );
        ca.refuses(
            CHAIN,
            KEY,
            wrong,
            &[
                "--fileca-key-passwd-file",
                &path,
                "cannot be read; check the path",
            ],
        );
    }
}

#[test]
fn says_what_is_wrong_with_the_key_of_the_ca() {
    let ca = Ca::new();
    ca.files.write("other-password", "another\n");
    ca.files.write("empty", "");
    ca.refuses(
        CHAIN,
        KEY,
        "other-password",
        &[
            "--fileca-key and --fileca-key-passwd-file",
            "other-password",
            KEY,
            "does not open",
        ],
    );
    ca.refuses(
        CHAIN,
        KEY,
        "empty",
        &["--fileca-key-passwd-file", "empty first line"],
    );
    ca.refuses(
        CHAIN,
        CHAIN,
        "password",
        &["--fileca-key", CHAIN, "no private key", "BEGIN"],
    );
    ca.refuses(
        CHAIN,
        "root.plain.pem",
        "password",
        &[
            "--fileca-cert",
            "--fileca-key",
            "root.plain.pem",
            "does not belong to the first",
        ],
    );
}

#[test]
fn says_what_is_wrong_with_the_chain_of_the_ca() {
    let ca = Ca::new();
    let [root, intermediate] = ["root.pem", "intermediate.pem"].map(|name| ca.files.read(name));
    ca.refuses_chain(
        "",
        &["no certificate in it", "put the issuing certificate first"],
    );
    ca.refuses_chain(
        &ca.files.read(KEY),
        &["PRIVATE KEY", "CERTIFICATE", "remove it"],
    );
    ca.refuses_chain(&root.replace("MII", "MIA"), &[]);
    ca.refuses_chain(
        &(root.clone() + &intermediate),
        &["certificate 1", "order the chain", "root last"],
    );

    let expired = ca.issued(&format!("{CA}{CODE_SIGNING}"), "-1");
    ca.refuses_chain(
        &(expired + &root),
        &["CN=intermediate", "expired at", "renew it"],
    );
    let leaf = ca.issued(
        &format!("keyUsage=critical,digitalSignature\n{CODE_SIGNING}"),
        "5",
    );
    ca.refuses_chain(
        &(leaf + &root),
        &["CN=intermediate", "not a CA", "not of a leaf"],
    );
    let other_usage = ca.issued(CA, "5");
    ca.refuses_chain(&(other_usage + &root), &["codeSigning", "issue it again"]);
}
