use std::{collections::BTreeMap, fs, path::Path, process::Command};

use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName};
use fulcio_issuance::{
    Clock as _, RandomSerialNumbers, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_signer::Signer;
use fulcio_signer_backends::{OpenOptions, SignerUri, open};
use pki_types::{CertificateDer, pem::PemObject as _};
use tempfile::TempDir;

use super::{
    Answer, IdpServer, Server, finish, issues, openssl, path, program, request, wait_until,
};

/// Variables of the environment, all that a program gets.
pub(crate) type Variables = BTreeMap<&'static str, String>;

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

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        path(&self.folder().join(name))
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.folder().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Writes a root for this key into `chain.pem`; the key itself signs it.
    pub(crate) async fn make_root(&self, uri: &str, variables: Variables) {
        let mut roots = Vec::new();
        if let Some(file) = variables.get("SSL_CERT_FILE") {
            roots.push(CertificateDer::from_pem_file(file).unwrap());
        }
        let options = OpenOptions::new()
            .with_roots(roots)
            .with_variables(move |name| variables.get(name).cloned());
        let opened = open(&SignerUri::parse(uri).unwrap(), &options).await;
        self.make_root_of(&*opened.unwrap().signer).await;
    }

    /// The same for a key that is open.
    pub(crate) async fn make_root_of(&self, signer: &dyn Signer) {
        let template = CaTemplate::root(DistinguishedName::new("Example", "root in a key service"));
        let now = SystemClock.now();
        let serial = RandomSerialNumbers::default().next().unwrap();
        let root = ca_certificate(&template, signer, None, serial, now).await;
        let chain = CaChain::new(vec![root.unwrap()], now).unwrap();
        self.write("chain.pem", chain.pem());
    }

    /// A chain that belongs to no key here, where it is read before the key is looked for.
    pub(crate) fn any_chain(&self) {
        self.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=x/CN=x \
             -addext keyUsage=critical,keyCertSign -keyout key.pem -out chain.pem",
        );
    }

    /// `serve --ca=kmsca` with this key and `chain.pem`.
    pub(crate) fn serving(&self, reference: &str, variables: &Variables) -> Command {
        let resource = format!("--kms-resource={reference}");
        let kms = ["--ca=kmsca", "--kms-cert-chain-path=chain.pem", &resource];
        self.serve(&kms, variables)
    }

    /// `serve` with these flags, in the folder, on ports of its own and with a log of its own. It
    /// sees no variable but these.
    pub(crate) fn serve(&self, flags: &[&str], variables: &Variables) -> Command {
        let mut command = program(&["serve", "--config-path=config.yaml"]);
        command
            .current_dir(&self.folder)
            .envs(variables)
            .args([
                "--ct-log-url=embedded:log",
                "--ct-log-origin=log.example.com",
            ])
            .args(["--host=127.0.0.1", "--grpc-host=127.0.0.2", "--port=0"])
            .args(["--grpc-port=0", "--metrics-port=0"])
            .args(flags);
        command
    }

    /// Starts it, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(&self, command: Command) -> Server {
        Server::spawn(command, 3)
    }

    /// Runs it to its end, and tells its exit code and what it said at last, which is one line on
    /// standard error, and what it has logged before.
    #[track_caller]
    pub(crate) fn ends(&self, command: Command) -> (Option<i32>, String, String) {
        let done = finish(command);
        let (log, said) = (done.stdout, done.stderr);
        assert!(said.starts_with("fulcio-server: "), "{said}{log}");
        assert_eq!(said.lines().count(), 1, "{said}");
        (done.status.code(), said, log)
    }

    pub(crate) fn idp(&self) -> &IdpServer {
        &self.idp
    }

    #[track_caller]
    pub(crate) fn request(&self, server: &Server) -> Answer {
        request(server, &self.idp)
    }

    /// Gets a certificate over HTTP, which OpenSSL verifies by `chain.pem`.
    #[track_caller]
    pub(crate) fn issues(&self, server: &Server) {
        issues(server, &self.idp, self.folder(), "chain.pem");
    }

    /// Asks for a certificate in vain. The client hears what Fulcio says; the reason is on the line
    /// of the refusal.
    #[track_caller]
    pub(crate) fn refused(&self, server: &Server, reason: &str) {
        let before = server.output();
        let answer = self.request(server);
        assert_eq!(answer.status, 500, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["code"], 13, "{body}");
        assert_eq!(body["message"], "error communicating with CA backend");
        let output = wait_until(reason, || {
            let output = server.output();
            output[before.len()..].contains(reason).then_some(output)
        });
        let new = output.strip_prefix(&before).unwrap();
        let lines: Vec<_> = new.lines().filter(|line| line.contains(reason)).collect();
        assert_eq!(lines.len(), 1, "{reason}: {new}");
    }

    /// Runs OpenSSL in the folder; the arguments are separated by spaces.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        openssl(self.folder(), &arguments)
    }
}
