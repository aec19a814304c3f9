use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use fulcio_signer_hashivault::{TokenSource, VaultConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Vault, in a process of its own that ends with the test.
pub(crate) struct Minivault {
    process: Child,
    pub(crate) address: String,
    pub(crate) root_token: String,
    pub(crate) unseal_key: String,
}

/// Where Vault is; nothing where this is a run without components.
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where components are"
)]
pub(crate) fn minivault() -> Option<PathBuf> {
    let Some(place) = env::var_os("FULCIO_MINIVAULT") else {
        assert!(
            env::var_os("FULCIO_TEST_COMPONENTS").is_none(),
            "FULCIO_MINIVAULT is not set"
        );
        eprintln!("skipped: FULCIO_MINIVAULT is not set");
        return None;
    };
    let place = PathBuf::from(place);
    assert!(
        place.exists(),
        "FULCIO_MINIVAULT is {}, and nothing is there",
        place.display()
    );
    Some(place)
}

impl Minivault {
    /// Starts it with everything in memory.
    pub(crate) fn start(program: &Path) -> Self {
        Self::start_with(program, &[])
    }

    pub(crate) fn start_with(program: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(program)
            .arg("-until-stdin-ends")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        Self {
            process,
            address: text("address"),
            root_token: text("root_token"),
            unseal_key: text("unseal_key"),
        }
    }

    /// How the signer is told of it; the token may do everything.
    pub(crate) fn config(&self) -> VaultConfig {
        self.config_of(&self.root_token)
    }

    pub(crate) fn config_of(&self, token: &str) -> VaultConfig {
        let token = TokenSource::Value(Zeroizing::new(token.to_owned()));
        VaultConfig::new(format!("http://{}", self.address), token)
    }

    /// Asks as root for something that must not fail.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = ureq::post(format!("http://{}/v1/{path}", self.address))
            .header("X-Vault-Token", &self.root_token)
            .send(body.to_string())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) {
        ureq::delete(format!("http://{}/v1/{path}", self.address))
            .header("X-Vault-Token", &self.root_token)
            .call()
            .unwrap();
    }

    /// Makes a key in the transit engine.
    #[track_caller]
    pub(crate) fn key(&self, name: &str, kind: &str) {
        self.post(&format!("transit/keys/{name}"), &json!({"type": kind}));
    }

    #[track_caller]
    pub(crate) fn rotate(&self, name: &str) {
        self.post(&format!("transit/keys/{name}/rotate"), &json!({}));
    }

    /// A token that may do what the policy says, and nothing more.
    #[track_caller]
    pub(crate) fn token(&self, name: &str, policy: &str) -> String {
        self.post(
            &format!("sys/policies/acl/{name}"),
            &json!({"policy": policy}),
        );
        let request = json!({"policies": [name], "no_default_policy": true, "ttl": "1h"});
        let made = self.post("auth/token/create", &request);
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn revoke(&self, token: &str) {
        self.post("auth/token/revoke", &json!({"token": token}));
    }

    pub(crate) fn seal(&self) {
        self.post("sys/seal", &json!({}));
    }

    pub(crate) fn unseal(&self) {
        let answer = self.post("sys/unseal", &json!({"key": self.unseal_key}));
        assert_eq!(answer["sealed"], json!(false));
    }
}

impl Drop for Minivault {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A certificate for 127.0.0.1, and its own root.
pub(crate) struct TlsFiles(TempDir);

impl TlsFiles {
    pub(crate) fn create() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let done = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args([
                "-subj",
                "/CN=vault",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&files.0)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        files
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}
