//! Vault, a CA whose key is in it, and the server that issues with it.

#![allow(dead_code, reason = "what the tests of the signer use is a part of it")]

#[path = "../../../../crates/signers/hashivault/tests/vault/minivault.rs"]
mod minivault;
#[path = "../../../../crates/signers/hashivault/tests/vault/relay.rs"]
mod relay;

use std::{
    fs::{self, File},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName};
use fulcio_client::ClientKey;
use fulcio_issuance::{
    Clock as _, RandomSerialNumbers, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_signer_hashivault::{HashivaultSigner, VaultConfig};
use serde_json::json;
use tempfile::TempDir;

use super::common::{Answer, IdpServer, openssl, path, post_json, wait_until};
pub(crate) use minivault::{Minivault, TlsFiles, minivault};
pub(crate) use relay::Relay;

/// A folder with `config.yaml`, `chain.pem` and what the server writes.
pub(crate) struct Scene {
    folder: TempDir,
    idp: IdpServer,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let idp = IdpServer::start();
        idp.write_config(folder.path());
        Self { folder, idp }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        path(&self.folder.path().join(name))
    }

    /// Writes a root for this key into `chain.pem`; the key itself signs it.
    pub(crate) async fn make_root(&self, reference: &str, config: &VaultConfig) {
        let key = reference.parse().unwrap();
        let signer = HashivaultSigner::open(&key, config).await.unwrap();
        let template = CaTemplate::root(DistinguishedName::new("Example", "root in Vault"));
        let now = SystemClock.now();
        let serial = RandomSerialNumbers::default().next().unwrap();
        let root = ca_certificate(&template, &signer, None, serial, now).await;
        let chain = CaChain::new(vec![root.unwrap()], now).unwrap();
        fs::write(self.folder.path().join("chain.pem"), chain.pem()).unwrap();
    }

    /// `serve --ca=kmsca` with this key and `chain.pem`, on ports of its own and with a log of its
    /// own. It sees no variable but these.
    pub(crate) fn serving(&self, reference: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fulcio-server"));
        command
            .current_dir(&self.folder)
            .env_clear()
            .envs(variables.iter().copied())
            .args(["serve", "--ca=kmsca", "--kms-cert-chain-path=chain.pem"])
            .arg(format!("--kms-resource={reference}"))
            .args(["--config-path=config.yaml", "--ct-log-url=embedded:log"])
            .args(["--ct-log-origin=log.example.com/2026", "--port=0"])
            .args(["--host=127.0.0.1", "--grpc-host=127.0.0.2"])
            .args(["--grpc-port=0", "--metrics-port=0"])
            .stdin(Stdio::null());
        command
    }

    /// Starts it, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(&self, mut command: Command) -> Running {
        let output = self.path("output");
        let file = File::create(&output).unwrap();
        let mut child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let http = wait_until("the server to listen", || {
            let text = fs::read_to_string(&output).unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended with {status}: {text}");
            }
            listening(&text)
        });
        Running {
            child,
            output,
            http,
        }
    }

    /// Runs it to its end, and tells its exit code and what it said at last, which is one line on
    /// standard error, and what it has logged before.
    #[track_caller]
    pub(crate) fn ends(&self, mut command: Command) -> (Option<i32>, String, String) {
        let done = command.output().unwrap();
        let [log, said] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(said.starts_with("fulcio-server: "), "{said}{log}");
        assert_eq!(said.lines().count(), 1, "{said}");
        (done.status.code(), said, log)
    }

    pub(crate) fn request(&self, server: &Running) -> Answer {
        let csr = ClientKey::generate()
            .unwrap()
            .certificate_request()
            .unwrap();
        let request = json!({
            "credentials": {"oidcIdentityToken": self.idp.token("ada@example.com")},
            "certificateSigningRequest": BASE64_STANDARD.encode(csr),
        });
        let url = format!("http://{}/api/v2/signingCert", server.http);
        post_json(&url, &request)
    }

    /// Gets a certificate over HTTP, which OpenSSL verifies by `chain.pem`.
    #[track_caller]
    pub(crate) fn issues(&self, server: &Running) {
        let answer = self.request(server);
        assert_eq!(answer.status, 200, "{}{}", answer.text(), server.output());
        let chain = &answer.json()["signedCertificateEmbeddedSct"]["chain"]["certificates"];
        let chain: Vec<String> = serde_json::from_value(chain.clone()).unwrap();
        let root = fs::read_to_string(self.path("chain.pem")).unwrap();
        assert_eq!(
            chain.last().unwrap().trim(),
            root.trim(),
            "the root in Vault"
        );
        fs::write(self.path("leaf.pem"), &chain[0]).unwrap();
        self.openssl("verify -x509_strict -CAfile chain.pem -purpose any leaf.pem");
        let shown = self.openssl("x509 -in leaf.pem -noout -text");
        assert!(shown.contains("email:ada@example.com"), "{shown}");
    }

    /// Runs OpenSSL in the folder; the arguments are separated by spaces.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        openssl(self.folder.path(), &arguments)
    }
}

/// A server, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    output: String,
    http: SocketAddr,
}

impl Running {
    /// What it has logged so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// Tells it to end, and waits until it has.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(told.unwrap().success());
        wait_until("the server to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The first address that is listened on, which is that of HTTP.
fn listening(log: &str) -> Option<SocketAddr> {
    log.split_inclusive('\n')
        .filter(|line| line.ends_with('\n') && line.contains("listening"))
        .find_map(|line| {
            let (_, rest) = line.split_once("address")?;
            let address = rest.trim_start_matches(['=', '"', ':']);
            let end = address.find(['"', ' ', '\n']).unwrap_or(address.len());
            address[..end].parse().ok()
        })
}
