//! What the tests of the services share: a back end that answers what it is told to.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fulcio_api::{
    ApiMetrics, Backend, Cors, GrpcApi, HttpApi, IssuerUrl, Issuing, OidcIssuer, Part, Readiness,
};
use fulcio_challenge::Proof;
use fulcio_ct_client::{DigitallySigned, SignatureScheme, SignedCertificateTimestamp};
use fulcio_issuance::{Certified, Refusal, Request, RequestContext, Timestamp};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Full};
use metrics_prometheus::Recorder;
use pki_types::CertificateDer;
use prometheus::{Registry, TextEncoder};
use tower::ServiceExt as _;

/// Answers what it is told to, and remembers what it was asked.
#[derive(Debug)]
pub(crate) struct FakeBackend {
    pub(crate) answer: Answer,
    pub(crate) chains: Vec<Vec<CertificateDer<'static>>>,
    pub(crate) issuers: Vec<OidcIssuer>,
    pub(crate) readiness: Readiness,
    /// What it became while the services were there.
    pub(crate) changed: Mutex<Option<Readiness>>,
    pub(crate) asked: Mutex<Vec<Asked>>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    Issue(Certified),
    Panic,
    Refuse(Refusal),
    Wait,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) token: String,
    pub(crate) key: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) csr: Vec<u8>,
    pub(crate) request_id: String,
    pub(crate) peer: Option<std::net::SocketAddr>,
}

impl FakeBackend {
    pub(crate) fn new(answer: Answer) -> Self {
        Self {
            answer,
            chains: vec![chain()],
            issuers: vec![email_issuer()],
            readiness: Readiness::default(),
            changed: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    pub(crate) fn issuing() -> Self {
        Self::new(Answer::Issue(Certified::new(
            chain(),
            Timestamp::Embedded(vec![timestamp()]),
        )))
    }

    pub(crate) fn refusing(refusal: Refusal) -> Self {
        Self::new(Answer::Refuse(refusal))
    }

    pub(crate) fn set_readiness(&self, readiness: Readiness) {
        *self.changed.lock().unwrap() = Some(readiness);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Backend for FakeBackend {
    fn issue<'a>(&'a self, request: Request<'a>, context: &'a RequestContext) -> Issuing<'a> {
        let (key, signature, csr) = match request.proof {
            Proof::Challenge { key, signature } => (key.to_vec(), signature.to_vec(), Vec::new()),
            Proof::Csr(csr) => (Vec::new(), Vec::new(), csr.to_vec()),
        };
        self.asked.lock().unwrap().push(Asked {
            token: request.token.to_owned(),
            key,
            signature,
            csr,
            request_id: context.request_id.clone(),
            peer: context.peer,
        });
        Box::pin(async move {
            match &self.answer {
                Answer::Issue(certified) => Ok(certified.clone()),
                Answer::Panic => panic!("a secret that nobody may see"),
                Answer::Refuse(refusal) => Err(refusal.clone()),
                Answer::Wait => std::future::pending().await,
            }
        })
    }

    fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal> {
        match &self.answer {
            Answer::Refuse(Refusal::TrustBundle) => Err(Refusal::TrustBundle),
            Answer::Panic => panic!("a secret that nobody may see"),
            _ => Ok(self.chains.clone()),
        }
    }

    fn configuration(&self) -> Vec<OidcIssuer> {
        self.issuers.clone()
    }

    fn readiness(&self) -> Readiness {
        let changed = self.changed.lock().unwrap();
        changed.as_ref().unwrap_or(&self.readiness).clone()
    }
}

/// Three things that are no certificates; nobody here looks into them.
pub(crate) fn chain() -> Vec<CertificateDer<'static>> {
    [1, 2, 3].map(|byte| vec![byte; 100].into()).to_vec()
}

pub(crate) fn timestamp() -> SignedCertificateTimestamp {
    let signature = DigitallySigned {
        scheme: SignatureScheme::ECDSA_SHA256,
        signature: vec![9; 70],
    };
    SignedCertificateTimestamp::new([7; 32], 1_800_000_000_000, vec![1, 2], signature).unwrap()
}

pub(crate) fn email_issuer() -> OidcIssuer {
    OidcIssuer {
        url: IssuerUrl::Exact("http://127.0.0.1:9800".into()),
        audience: "sigstore".into(),
        challenge_claim: "email".into(),
        spiffe_trust_domain: String::new(),
        issuer_type: "email".into(),
        subject_domain: String::new(),
        skip_email_verification: false,
    }
}

/// A back end, its services, and their metrics.
pub(crate) struct Fixture {
    pub(crate) backend: Arc<FakeBackend>,
    pub(crate) http: HttpApi,
    pub(crate) grpc: GrpcApi,
    metrics: Registry,
}

impl Fixture {
    pub(crate) fn new(backend: FakeBackend) -> Self {
        let registry = Registry::new();
        let recorder = Recorder::builder().with_registry(&registry).build();
        let metrics = Arc::new(ApiMetrics::new(&recorder));
        let backend = Arc::new(backend);
        Self {
            http: HttpApi::new(backend.clone(), metrics.clone()),
            grpc: GrpcApi::new(backend.clone(), metrics),
            backend,
            metrics: registry,
        }
    }

    pub(crate) fn with_cors(mut self) -> Self {
        self.http = self.http.with_cors(Cors::FULCIO);
        self
    }

    pub(crate) async fn send(&self, request: http::Request<Full<Bytes>>) -> Reply {
        let (parts, body) = self
            .http
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(http::Request::get(path).body(Full::default()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        let request = http::Request::post(path).body(Full::new(body.into()));
        self.send(request.unwrap()).await
    }

    /// The value of one series, as it would be scraped.
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let families = self.metrics.gather();
        let page = TextEncoder::new().encode_to_string(&families).unwrap();
        page.lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }
}

/// What came back over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A row for each refusal: what it is, the code of gRPC, the status of HTTP, when to ask again, and
/// its reason.
pub(crate) fn refusals() -> Vec<(Refusal, i32, u16, Option<&'static str>, &'static str)> {
    let five = std::time::Duration::from_secs(5);
    let text = || "*rsa.PublicKey, \"SHA-512\"".to_owned();
    vec![
        (
            Refusal::AlgorithmNotPermitted(text()),
            3,
            400,
            None,
            "algorithm-not-permitted",
        ),
        (Refusal::Authority, 13, 500, None, "authority"),
        (Refusal::CsrAlgorithm(text()), 3, 400, None, "csr-algorithm"),
        (Refusal::CsrUnparsable, 3, 400, None, "csr-unparsable"),
        (Refusal::Deadline, 14, 503, Some("5"), "deadline"),
        (Refusal::IdentityToken, 3, 400, None, "identity-token"),
        (Refusal::Internal, 13, 500, None, "internal"),
        (Refusal::Journal, 13, 500, None, "journal"),
        (Refusal::KeyInsecure, 3, 400, None, "key-insecure"),
        (Refusal::KeyUnparsable, 3, 400, None, "key-unparsable"),
        (Refusal::Log, 13, 500, None, "log"),
        (
            Refusal::LogUnavailable { retry_after: five },
            14,
            503,
            Some("5"),
            "log-unavailable",
        ),
        (Refusal::NotAdmitted(text()), 7, 403, None, "not-admitted"),
        (
            Refusal::Overloaded { retry_after: five },
            14,
            503,
            Some("5"),
            "overloaded",
        ),
        (Refusal::Principal(text()), 3, 400, None, "principal"),
        (
            Refusal::RateLimited { retry_after: five },
            8,
            429,
            Some("5"),
            "rate-limited",
        ),
        (Refusal::Signature, 3, 400, None, "signature"),
        (Refusal::TrustBundle, 13, 500, None, "trust-bundle"),
    ]
}

pub(crate) fn part_at_fault() -> Part {
    Part::at_fault("ct-log", "no answer since 12:00")
}
