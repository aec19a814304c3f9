//! What the tests of the audit log share: an authority that issues by it, and the judge of the page.

#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this is a test"
)]
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use fulcio_audit_log::{
    AuditLog, AuditObserver, Expectation, Options, Outcome, RefusalWords, Verification, WriteError,
    files_of, verify,
};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, SerialNumber};
use fulcio_challenge::Proof;
use fulcio_issuance::{
    Authenticator, CertificateIssuer, Certified, Clock, Error, IssuingKey, LocalAuthority,
    Pipeline, Request, RequestContext, ca_certificate,
};
use fulcio_principal::{
    Authenticating, AuthenticationError, Extensions, Fault, Identity, Principal, SubjectAltName,
    Voucher,
};
use fulcio_signer::Algorithm;
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::log::FakeLog;
use tempfile::TempDir;

/// 2027-01-15T08:00:00Z.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A clock that stands.
#[derive(Debug)]
pub(crate) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        now()
    }
}

/// Takes an e-mail address for a token.
#[derive(Debug)]
struct Trusting;

impl Authenticator for Trusting {
    fn authenticate<'a>(&'a self, token: &'a str, _now: SystemTime) -> Authenticating<'a> {
        let voucher = Voucher {
            issuer: "https://issuer.example.com".into(),
            kind: "email".into(),
        };
        Box::pin(async move {
            if token == "forged" {
                let error = AuthenticationError::new(Fault::Token, "signature", "forged");
                return Err(error.by_voucher(voucher));
            }
            let extensions = Extensions::for_issuer("https://issuer.example.com");
            let subject = SubjectAltName::Email(token.to_owned());
            let principal = Principal::new(token, subject, extensions);
            Ok(Identity::vouched_for(principal).by_voucher(voucher))
        })
    }
}

/// Remembers what it is told.
#[derive(Debug, Default)]
pub(crate) struct Counts(pub(crate) Mutex<Vec<String>>);

impl AuditObserver for Counts {
    fn recorded(&self, outcome: Outcome, result: Result<(), &WriteError>) {
        let result = result.map_or_else(WriteError::as_str, |()| "kept");
        let said = format!("{} {result}", outcome.as_str());
        self.0.lock().unwrap().push(said);
    }

    fn writable(&self, _is_writable: bool) {}
}

impl Counts {
    pub(crate) fn take(&self) -> Vec<String> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A folder with an audit log.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    pub(crate) fn options(&self) -> Options {
        let words = |refusal: &_| {
            let reason = match refusal {
                fulcio_issuance::Refusal::IdentityToken => "identity-token",
                fulcio_issuance::Refusal::Journal => "journal",
                fulcio_issuance::Refusal::Log => "log",
                _ => "other",
            };
            RefusalWords {
                code: "InvalidArgument",
                reason,
            }
        };
        Options::new("node-1", Arc::new(Stopped), words)
    }

    pub(crate) fn open(&self) -> AuditLog {
        AuditLog::open(&self.path(), self.options()).unwrap()
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files_of(&self.path()).unwrap()
    }

    pub(crate) fn verify(&self) -> Verification {
        verify(&self.files(), &Expectation::default()).unwrap()
    }

    /// What the lines say, of all files in order.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        let mut lines = Vec::new();
        for file in self.files() {
            let text = fs::read_to_string(file).unwrap();
            lines.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
        }
        lines
    }

    /// The lines of one type.
    pub(crate) fn lines_of(&self, kind: &str) -> Vec<serde_json::Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["type"] == kind);
        lines
    }
}

/// An authority that keeps its decisions in an audit log.
pub(crate) struct Authority {
    pub(crate) log: Arc<FakeLog>,
    pub(crate) pipeline: Pipeline,
    pub(crate) root: Vec<u8>,
}

impl Authority {
    pub(crate) async fn new(audit: Arc<AuditLog>) -> Self {
        let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let mut root = CaTemplate::root(DistinguishedName::new("Tests", "Root"));
        root.lifetime = fulcio_cert_builder::Lifetime::Exactly(Duration::from_secs(86_400));
        let serial = SerialNumber::from_random([7; 20]);
        let root = ca_certificate(&root, &signer, None, serial, now()).await;
        let chain = CaChain::new(vec![root.unwrap()], now()).unwrap();
        let der = chain.certificates()[0].to_vec();
        let key = IssuingKey::new(chain, Box::new(signer)).unwrap();
        let log = Arc::new(FakeLog::new());
        let authority = LocalAuthority::with_embedded_timestamps(key, Arc::clone(&log));
        let issuer = CertificateIssuer::new(Arc::new(authority))
            .with_clock(Arc::new(Stopped))
            .with_journal(audit);
        Self {
            log,
            pipeline: Pipeline::new(Arc::new(Trusting), issuer),
            root: der,
        }
    }

    pub(crate) async fn issue(&self, email: &str) -> Result<Certified, Error> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = key.public_key().as_der().unwrap().as_ref().to_vec();
        let signature = key.sign(&random, email.as_bytes()).unwrap();
        let proof = Proof::Challenge {
            key: &spki,
            signature: signature.as_ref(),
        };
        let context = RequestContext::new(format!("request of {email}"))
            .by_api("http-v2")
            .from_peer("192.0.2.7:4711".parse().unwrap());
        let request = Request {
            token: email,
            proof,
        };
        self.pipeline.issue(request, &context).await
    }
}

/// Has the judge of docs/audit.md, which is Python, look at the files; gives what it printed, or
/// what it found.
pub(crate) fn judge(files: &[PathBuf]) -> Result<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, script) = page.split_once("```python\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let judged = Command::new("python3")
        .args(["-c", script])
        .args(files)
        .output()
        .expect("Python is installed");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if judged.status.success() {
        Ok(text(&judged.stdout))
    } else {
        Err(text(&judged.stderr))
    }
}
