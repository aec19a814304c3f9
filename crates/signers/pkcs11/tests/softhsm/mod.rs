//! SoftHSM with tokens of its own for each test, and a module that does wrong what it is told to.
//!
//! A PKCS#11 module is one for a whole process, and SoftHSM is told by the environment where its
//! tokens are. So each test runs in a process of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    any, env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fulcio_signer::Signer;
use fulcio_signer_pkcs11::{Config, Error, KeyReference, Pkcs11Signer, Token, TokenChoice};
use tempfile::TempDir;

/// A folder with tokens, in the process of one test.
pub(crate) struct SoftHsm {
    folder: PathBuf,
}

pub(crate) const PIN: &str = "2324";
pub(crate) const LABEL: &str = "fulcio";

/// Runs `test` in a process of its own, with one empty token that is labelled `fulcio`.
#[track_caller]
pub(crate) fn softhsm<T: FnOnce(&SoftHsm)>(test: T) {
    let Some(module) = installed() else { return };
    if let Some(folder) = variable(FOLDER) {
        let hsm = SoftHsm {
            folder: folder.into(),
        };
        hsm.token(LABEL);
        return test(&hsm);
    }
    // What libtest calls the test: the path of the closure without the crate and itself.
    let path = any::type_name::<T>();
    let path = path.split_once("::").unwrap().1;
    let name = path.strip_suffix("::{{closure}}").unwrap();

    let folder = TempDir::new().unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&configuration, text).unwrap();
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SOFTHSM2_CONF", &configuration)
        .env("FAULTY_MODULE_OF", module)
        .env("FAULTY_MODULE_TOLD", folder.path().join("told"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&done.stdout);
    print!("{stdout}");
    assert!(
        done.status.success() && stdout.contains("1 passed"),
        "{name}: {}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
}

impl SoftHsm {
    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes one more token.
    pub(crate) fn token(&self, label: &str) {
        let arguments = ["--init-token", "--free", "--so-pin", "1234", "--pin", PIN];
        succeed(
            Command::new("softhsm2-util")
                .args(arguments)
                .args(["--label", label]),
        );
    }

    /// Makes a key pair, and whatever else the arguments ask for.
    pub(crate) fn key_pair(&self, kind: &str, id: &str, label: &str, more: &[&str]) {
        let arguments = [
            "--keypairgen",
            "--key-type",
            kind,
            "--id",
            id,
            "--label",
            label,
        ];
        self.pkcs11_tool(&[&arguments, more].concat());
    }

    /// Runs pkcs11-tool in the token `fulcio`, logged in.
    pub(crate) fn pkcs11_tool(&self, arguments: &[&str]) -> String {
        let token = ["--token-label", LABEL, "--login", "--pin", PIN, "--module"];
        let mut command = Command::new("pkcs11-tool");
        command
            .args(token)
            .arg(installed().unwrap())
            .args(arguments);
        succeed(&mut command)
    }

    /// What pkcs11-tool says of the slots, without a login.
    pub(crate) fn slots(&self) -> String {
        let mut command = Command::new("pkcs11-tool");
        succeed(
            command
                .arg("--list-slots")
                .arg("--module")
                .arg(installed().unwrap()),
        )
    }

    /// Runs OpenSSL in the folder.
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(&self.folder);
        succeed(&mut command)
    }

    /// The configuration that fits, with SoftHSM itself.
    pub(crate) fn config(&self) -> Config {
        self.config_of(&installed().unwrap())
    }

    /// The same with the module that does what [`tell`](Self::tell) tells it.
    pub(crate) fn faulty_config(&self) -> Config {
        let module = self.path("faulty.so");
        if !module.exists() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/softhsm/faulty.c");
            let mut cc = Command::new("cc");
            cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
            succeed(cc.arg(&module).arg(source).arg("-ldl"));
        }
        self.config_of(&module)
    }

    fn config_of(&self, module: &Path) -> Config {
        let mut config = Config::new(module, TokenChoice::Label(LABEL.to_owned()));
        config.pin = Some(PIN.to_owned().into());
        config
    }

    /// Says what goes wrong from now on; nothing when it is empty.
    pub(crate) fn tell(&self, fault: &str) {
        // In one step: the module may be reading.
        let (new, told) = (self.path("told.new"), self.path("told"));
        fs::write(&new, fault).unwrap();
        fs::rename(new, told).unwrap();
    }

    /// How often the faulty module was asked to log in.
    pub(crate) fn logins(&self) -> usize {
        fs::read(self.path("told.logins")).map_or(0, |bytes| bytes.len())
    }

    /// Runs a future to its end.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(future)
    }

    /// Opens the key with this label.
    pub(crate) fn signer(&self, config: Config, label: &str) -> Result<Pkcs11Signer, Error> {
        self.wait(async {
            let token = Token::open(config).await?;
            token.signer(&KeyReference::label(label)).await
        })
    }

    /// Lets OpenSSL verify a signature, by the public key that the signer shows.
    pub(crate) fn judge(&self, signer: &dyn Signer, message: &[u8], signature: &[u8]) {
        use fulcio_signer::Algorithm;

        for (name, bytes) in [
            ("public.der", signer.public_key().as_ref()),
            ("message", message),
            ("signature", signature),
        ] {
            fs::write(self.path(name), bytes).unwrap();
        }
        self.openssl("pkey -pubin -inform DER -in public.der -out public.pem");
        self.openssl(&match signer.algorithm() {
            Algorithm::Ed25519 => {
                "pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature"
                    .to_owned()
            }
            other => {
                let hash = match other {
                    Algorithm::EcdsaP384Sha384 => "sha384",
                    Algorithm::EcdsaP521Sha512 => "sha512",
                    _ => "sha256",
                };
                format!("dgst -{hash} -verify public.pem -signature signature message")
            }
        });
    }
}

/// An error and its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Where SoftHSM is; nothing where this is a run without components and it is not installed.
pub(crate) fn installed() -> Option<PathBuf> {
    const PLACES: [&str; 4] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    let found = PLACES
        .into_iter()
        .map(PathBuf::from)
        .find(|place| place.exists());
    if found.is_none() {
        assert!(
            variable("FULCIO_TEST_COMPONENTS").is_none(),
            "SoftHSM is not installed (Debian: softhsm2, opensc)"
        );
        eprintln!("skipped: SoftHSM is not installed");
    }
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test tells its own process where the tokens are"
)]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name)
}

#[track_caller]
fn succeed(command: &mut Command) -> String {
    let done = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{command:?}: {stdout}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    stdout
}

const FOLDER: &str = "FULCIO_TEST_SOFTHSM_FOLDER";
