//! An authority with an audit log, and the log that it publishes in, behind HTTP.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fulcio_audit_log::{AuditLog, Options, RefusalWords};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName};
use fulcio_challenge::{PermittedAlgorithms, Proof};
use fulcio_client::ClientKey;
use fulcio_ct_client::{HttpLog, HttpLogConfig, LogKey, Logs};
use fulcio_ct_log::{EmbeddedLog, Options as LogOptions};
use fulcio_issuance::{
    CertificateIssuer, Certified, Clock as _, Error, IssuingKey, LocalAuthority,
    RandomSerialNumbers, RequestContext, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_principal::{Extensions, Identity, Principal, SubjectAltName};
use fulcio_server::{Limits, Listener, LogFiles, Router, Shutdown};
use fulcio_signer::{Algorithm, Signature, Signer, Signing};
use fulcio_signer_file::EphemeralSigner;
use fulcio_test_services::{CtLog, succeed};
use pki_types::SubjectPublicKeyInfoDer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::{fulcio, run};

/// Which log certificates go to.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'a> {
    Embedded,
    /// The log that this program is.
    Rfc6962(&'a Path),
}

pub(crate) struct Scene {
    folder: TempDir,
    authority: Arc<LocalAuthority>,
    audit: Option<Arc<AuditLog>>,
    signer: Arc<Moody>,
    log: PublishedLog,
    runtime: Runtime,
}

struct PublishedLog {
    url: String,
    arguments: Vec<String>,
    _process: Option<CtLog>,
}

impl Scene {
    pub(crate) fn start(kind: Kind<'_>) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = TempDir::new().unwrap();
        let signer = Arc::new(Moody::new());
        let chain = runtime.block_on(root(&signer));
        fs::write(folder.path().join("chain.pem"), chain.pem()).unwrap();
        let (logs, log) = match kind {
            Kind::Embedded => runtime.block_on(embedded(folder.path())),
            Kind::Rfc6962(program) => rfc6962(program, folder.path()),
        };
        let words = |_refusal: &_| RefusalWords {
            code: "Internal",
            reason: "other",
        };
        let options = Options::new("node-1", Arc::new(SystemClock), words);
        let audit = AuditLog::open(&folder.path().join("audit.jsonl"), options).unwrap();
        let key = IssuingKey::new(chain, Box::new(Shared(Arc::clone(&signer)))).unwrap();
        Self {
            authority: Arc::new(LocalAuthority::with_embedded_timestamps(key, logs)),
            audit: Some(Arc::new(audit)),
            folder,
            signer,
            log,
            runtime,
        }
    }

    /// The same authority with a log that has the same key and the same entries, and goes its own way;
    /// without an audit log.
    pub(crate) fn fork(&self) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = TempDir::new().unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .arg(self.path("log"))
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
        let pem = fs::read(self.path("chain.pem")).unwrap();
        fs::write(folder.path().join("chain.pem"), &pem).unwrap();
        let chain = CaChain::from_pem(&pem, SystemClock.now()).unwrap();
        let (logs, log) = runtime.block_on(embedded(folder.path()));
        let key = IssuingKey::new(chain, Box::new(Shared(Arc::clone(&self.signer)))).unwrap();
        Self {
            authority: Arc::new(LocalAuthority::with_embedded_timestamps(key, logs)),
            audit: None,
            signer: Arc::clone(&self.signer),
            folder,
            log,
            runtime,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn audit_file(&self) -> PathBuf {
        self.path("audit.jsonl")
    }

    fn issuer(&self) -> CertificateIssuer {
        CertificateIssuer::new(self.authority.clone())
    }

    fn recorded(&self) -> CertificateIssuer {
        let audit = self.audit.clone().unwrap();
        self.issuer().with_journal(audit)
    }

    fn ask(&self, issuer: &CertificateIssuer, email: &str) -> Result<Certified, Error> {
        self.runtime.block_on(ask(issuer, email))
    }

    pub(crate) fn issue(&self, email: &str) {
        self.ask(&self.recorded(), email).unwrap();
    }

    /// With the key, and without the audit log.
    pub(crate) fn issue_round_the_server(&self, email: &str) {
        self.ask(&self.issuer(), email).unwrap();
    }

    /// Refused when a log has the precertificate already.
    pub(crate) fn fail_after_logging(&self, email: &str) {
        self.signer.signatures_left.store(1, Ordering::SeqCst);
        let refused = self.ask(&self.recorded(), email).unwrap_err();
        assert!(matches!(refused, Error::Sign(_)), "{refused:?}");
        self.signer
            .signatures_left
            .store(usize::MAX, Ordering::SeqCst);
    }

    /// The caller goes away when a log has the precertificate already.
    pub(crate) fn abandon_after_logging(&self, email: &str) {
        self.signer.hangs_after.store(1, Ordering::SeqCst);
        let issuer = self.recorded();
        self.runtime.block_on(async {
            tokio::select! {
                answer = ask(&issuer, email) => panic!("{answer:?}"),
                () = async {
                    while self.signer.hangs_after.load(Ordering::SeqCst) != HANGING {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                } => {}
            }
        });
        self.signer.hangs_after.store(usize::MAX, Ordering::SeqCst);
        // Nobody waits for that line.
        let begun = Instant::now();
        while !fs::read_to_string(self.audit_file())
            .unwrap()
            .contains("\"abandoned\"")
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "no line");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn verify(&self) -> Command {
        let mut command = fulcio();
        command.args(["audit", "verify"]).arg(self.audit_file());
        command
    }

    pub(crate) fn compare(&self) -> Command {
        self.compare_with(&self.audit_file())
    }

    /// `fulcio audit compare` up to this very moment.
    pub(crate) fn compare_with(&self, audit_file: &Path) -> Command {
        let mut command = fulcio();
        command.args(["audit", "compare", "--log", &self.log.url]);
        command.args(&self.log.arguments);
        command.args(["--until", "2999-01-01T00:00:00Z"]);
        command.arg("--key").arg(self.path("log.pub.pem"));
        command.arg(audit_file);
        command
    }

    /// What it says when the log has shown so many entries.
    pub(crate) fn wait_for(&self, entries: u64) -> Value {
        let mut compare = self.compare();
        compare.arg("--json");
        self.wait(compare, |json| json["entries"] == entries)
    }

    pub(crate) fn wait(&self, mut compare: Command, is_there: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let done = run(&mut compare);
            let json = serde_json::from_str(&done.stdout);
            let json: Value = json.unwrap_or_else(|_not_json| panic!("{}", done.stderr));
            if is_there(&json) {
                return json;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{json}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

async fn ask(issuer: &CertificateIssuer, email: &str) -> Result<Certified, Error> {
    let csr = ClientKey::generate()
        .unwrap()
        .certificate_request()
        .unwrap();
    let proof = Proof::Csr(csr.as_bytes());
    let key = proof
        .verify(email, &PermittedAlgorithms::default())
        .unwrap();
    let extensions = Extensions::for_issuer("https://issuer.example.com");
    let subject = SubjectAltName::Email(email.to_owned());
    let identity = Identity::vouched_for(Principal::new(email, subject, extensions));
    issuer
        .issue(&identity, &key, &RequestContext::new(email))
        .await
}

async fn root(signer: &Moody) -> CaChain {
    let template = CaTemplate::root(DistinguishedName::new("Example", "root"));
    let serial = RandomSerialNumbers::default().next().unwrap();
    let root = ca_certificate(&template, signer, None, serial, SystemClock.now()).await;
    CaChain::new(vec![root.unwrap()], SystemClock.now()).unwrap()
}

async fn embedded(folder: &Path) -> (Logs, PublishedLog) {
    let options = LogOptions::new(|| SystemClock.now()).with_origin(ORIGIN);
    let log = Arc::new(EmbeddedLog::open(folder.join("log"), options).unwrap());
    fs::write(folder.join("log.pub.pem"), log.public_key_pem()).unwrap();
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let listener = listener.unwrap();
    let url = format!("http://{}/ct-log", listener.address());
    let router = Router::new().with_mount("/ct-log/", LogFiles::new(Arc::clone(&log)));
    tokio::spawn(listener.serve(router, Limits::default(), Shutdown::default()));
    let published = PublishedLog {
        url,
        arguments: vec!["--origin".to_owned(), ORIGIN.to_owned()],
        _process: None,
    };
    (log.into(), published)
}

fn rfc6962(program: &Path, folder: &Path) -> (Logs, PublishedLog) {
    let openssl = |arguments: &str| {
        let arguments = arguments.split(' ');
        succeed(Command::new("openssl").current_dir(folder).args(arguments));
    };
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ct.key");
    openssl("pkey -in ct.key -pubout -out log.pub.pem");
    let process = CtLog::start(program, &folder.join("ct.key"), &folder.join("chain.pem"));
    let url = process.url().to_owned();
    let key = LogKey::from_pem(&fs::read(folder.join("log.pub.pem")).unwrap()).unwrap();
    let config = HttpLogConfig::new(&url, Some(key), || SystemClock.now());
    let published = PublishedLog {
        url,
        arguments: vec!["--protocol".to_owned(), "rfc6962".to_owned()],
        _process: Some(process),
    };
    (Arc::new(HttpLog::new(&config).unwrap()).into(), published)
}

/// A key that signs a number of times and then fails, or never answers.
#[derive(Debug)]
struct Moody {
    inner: EphemeralSigner,
    signatures_left: AtomicUsize,
    hangs_after: AtomicUsize,
}

impl Moody {
    fn new() -> Self {
        Self {
            inner: EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap(),
            signatures_left: AtomicUsize::new(usize::MAX),
            hangs_after: AtomicUsize::new(usize::MAX),
        }
    }
}

/// Counts down from what was set; tells whether it was nothing already.
fn is_used_up(left: &AtomicUsize) -> bool {
    let down = |left: usize| match left {
        usize::MAX => Some(usize::MAX),
        left => left.checked_sub(1),
    };
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, down)
        .is_err()
}

impl Signer for Moody {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        if is_used_up(&self.signatures_left) {
            let failure = fulcio_signer::ErrorKind::Unavailable;
            let error = fulcio_signer::Error::new(failure, "moody");
            return Box::pin(async move { Err::<Signature, _>(error) });
        }
        if is_used_up(&self.hangs_after) {
            self.hangs_after.store(HANGING, Ordering::SeqCst);
            return Box::pin(core::future::pending());
        }
        self.inner.sign(message)
    }
}

/// The key, while the scene has it in hand.
#[derive(Debug)]
struct Shared(Arc<Moody>);

impl Signer for Shared {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.0.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.0.sign(message)
    }
}

/// The mark that the key hangs.
const HANGING: usize = usize::MAX - 1;

const ORIGIN: &str = "log.example.com";
