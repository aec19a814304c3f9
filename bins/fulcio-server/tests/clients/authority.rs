use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{CaFiles, CtLog, IdpServer, Server, get};

/// Our server with a log, and the folder of a client.
///
/// There the client has `hello.txt` to sign, a `token`, the authority's `chain.pem` as the server itself
/// tells it, the log's key `log.pub`, and what it must not be content with: `another-log.pub`,
/// `another-chain.pem`, `changed.txt`.
#[derive(Debug)]
pub(crate) struct Authority {
    ca: CaFiles,
    idp: IdpServer,
    client: TempDir,
    server: Server,
    _log: Option<CtLog>,
}

impl Authority {
    /// Whom the token in the client's folder names.
    pub(crate) const IDENTITY: &str = "ada@example.com";

    /// One with the embedded log, whose timestamps carry an extension: the index of the leaf.
    pub(crate) fn with_embedded_log() -> Self {
        let ca = CaFiles::create();
        let flags = [
            format!("--ct-log-url=embedded:{}", ca.path("log")),
            "--ct-log-origin=log.example.com".to_owned(),
        ];
        Self::start(ca, &flags, "log/key.pem", None)
    }

    /// One with the log of certificate-transparency-go.
    pub(crate) fn with_rfc6962_log(program: &Path) -> Self {
        let ca = CaFiles::create();
        new_key(&ca, "ct.key");
        ca.openssl("pkey -in ct.key -pubout -out ct.pub");
        let log = CtLog::start(program, &ca, "root.pem");
        let flags = [
            format!("--ct-log-url={}", log.url()),
            format!("--ct-log-public-key-path={}", ca.path("ct.pub")),
        ];
        Self::start(ca, &flags, "ct.key", Some(log))
    }

    fn start(ca: CaFiles, log_flags: &[String], log_key: &str, log: Option<CtLog>) -> Self {
        let idp = IdpServer::start();
        let mut flags = ca.flags();
        flags.push(format!("--config-path={}", idp.write_config(ca.folder())));
        flags.extend_from_slice(log_flags);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let authority = Self {
            server: Server::start(&flags),
            ca,
            idp,
            client: TempDir::new().unwrap(),
            _log: log,
        };
        authority.equip(log_key);
        authority
    }

    /// Gives the client its files.
    fn equip(&self, log_key: &str) {
        new_key(&self.ca, "another.key");
        let public = |key: &str| self.ca.openssl(&format!("pkey -in {key} -pubout"));
        let chain = get(&self.url("/api/v1/rootCert")).text();
        let unbroken = |pem: &str| pem.split_whitespace().collect::<String>();
        assert_eq!(unbroken(&self.trust_bundle()), unbroken(&chain));
        for (name, text) in [
            ("hello.txt", "hello\n"),
            ("changed.txt", "hullo\n"),
            ("token", &self.token()),
            ("chain.pem", &chain),
            ("another-chain.pem", &CaFiles::create().read("chain.pem")),
            ("log.pub", &public(log_key)),
            ("another-log.pub", &public("another.key")),
        ] {
            self.write(name, text);
        }
    }

    /// All certificates that version 2 of the protocol tells.
    fn trust_bundle(&self) -> String {
        let bundle = get(&self.url("/api/v2/trustBundle")).json();
        let chains = bundle["chains"].as_array().unwrap().iter();
        let certificates = chains.flat_map(|chain| chain["certificates"].as_array().unwrap());
        certificates.filter_map(Value::as_str).collect()
    }

    /// Where the client works.
    pub(crate) fn folder(&self) -> &Path {
        self.client.path()
    }

    pub(crate) fn idp(&self) -> &IdpServer {
        &self.idp
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// A token of [`IDENTITY`](Self::IDENTITY). Clients disagree on which claim they sign as their
    /// proof, so `sub` and `email` are the same.
    pub(crate) fn token(&self) -> String {
        let draft = self.idp.draft(Self::IDENTITY);
        draft.claim("sub", Self::IDENTITY).mint()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The text of a file in the client's folder.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Writes a file into the client's folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
    }
}

fn new_key(ca: &CaFiles, name: &str) {
    ca.openssl(&format!(
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}"
    ));
}
