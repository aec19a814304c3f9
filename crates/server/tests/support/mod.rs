//! An authority in memory, and a strict reader of the metrics page.

mod page;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use fulcio_api::Backend as _;
use fulcio_cert_builder::{CaChain, CaTemplate, SerialNumber};
use fulcio_challenge::Proof;
use fulcio_identity::{Config, IssuerAddress, IssuerConfig, IssuerKind, IssuerPattern, Issuers};
use fulcio_issuance::{
    CertificateIssuer, Certified, Clock, IssuingKey, LocalAuthority, Pipeline, Refusal, Request,
    RequestContext, ca_certificate,
};
use fulcio_oidc_verify::{Algorithm as TokenAlgorithm, Fetch};
use fulcio_server_core::{CurrentSnapshot, LogJournal, Metrics, MetricsPage, Snapshot};
use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::{
    idp::{FakeFetch, FakeIdp, FakeKey},
    log::FakeLog,
};

pub(crate) use page::Page;

/// An authority that trusts one provider, and a whole family of them.
pub(crate) struct Authority {
    pub(crate) idp: FakeIdp,
    pub(crate) fetch: FakeFetch,
    pub(crate) log: Arc<FakeLog>,
    pub(crate) not_after: SystemTime,
    metrics: Metrics,
    page: MetricsPage,
    current: CurrentSnapshot,
}

#[derive(Debug)]
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

impl Authority {
    pub(crate) async fn start() -> Self {
        let now = FakeIdp::now();
        let idp = FakeIdp::new(FakeKey::generate(TokenAlgorithm::Es256));
        let fetch = FakeFetch::serving(&idp);
        let log = Arc::new(FakeLog::new());
        let metrics = Metrics::new().unwrap();

        let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let serial = SerialNumber::from_random([1; 20]);
        let root = ca_certificate(&CaTemplate::ephemeral(), &signer, None, serial, now).await;
        let chain = CaChain::new(vec![root.unwrap()], now).unwrap();
        let key = IssuingKey::new(chain, Box::new(signer)).unwrap();
        let validity = key.issuer().validity();
        metrics.tell_chain(validity);

        let pattern = IssuerPattern::new("https://*.example.net");
        let addresses = [
            IssuerAddress::Url(idp.issuer().to_owned()),
            IssuerAddress::Pattern(pattern),
        ];
        let config = Config::from_issuers(
            addresses.map(|address| IssuerConfig::new(address, idp.audience(), IssuerKind::Email)),
        );
        let shared: Arc<dyn Fetch> = Arc::new(fetch.clone());
        let issuers = Issuers::new(&config, &|_issuer| Ok(Arc::clone(&shared))).unwrap();
        let issuers = metrics.watch(issuers);

        let authority = LocalAuthority::with_embedded_timestamps(key, Arc::clone(&log));
        let issuer = CertificateIssuer::new(Arc::new(authority))
            .with_clock(Arc::new(Stopped(now)))
            .with_journal(Arc::new(LogJournal));
        let pipeline =
            Pipeline::new(Arc::new(issuers), issuer).with_deadline(Duration::from_secs(2));
        Self {
            idp,
            fetch,
            log,
            not_after: validity.not_after,
            page: metrics.page().with_process(),
            metrics,
            current: CurrentSnapshot::new(Snapshot::new(pipeline, &config)),
        }
    }

    /// A good token of the one provider.
    pub(crate) fn token(&self) -> String {
        token(&self.idp)
    }

    /// Asks for a certificate.
    pub(crate) async fn issue(&self, token: &str) -> Result<Certified, Refusal> {
        let caller = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let signature = caller.sign(EMAIL.as_bytes()).await.unwrap();
        let key = caller.public_key();
        let request = Request {
            token,
            proof: Proof::Challenge {
                key: key.as_ref(),
                signature: &signature.0,
            },
        };
        let context = RequestContext::new("test").observed_by(self.metrics.api());
        self.current.issue(request, &context).await
    }

    /// What the page says now.
    pub(crate) fn page(&self) -> Page {
        Page::read(self.page.text())
    }
}

/// A good token of `idp`.
pub(crate) fn token(idp: &FakeIdp) -> String {
    let draft = idp.draft().claim("email", EMAIL);
    draft.claim("email_verified", true).mint()
}

const EMAIL: &str = "ada@example.com";
