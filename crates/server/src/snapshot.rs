use core::pin::pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use fulcio_api::{Backend, IssuerUrl, Issuing, OidcIssuer, Readiness};
use fulcio_identity::{Config, IssuerAddress};
use fulcio_issuance::{Pipeline, Refusal, Request, RequestContext};
use pki_types::CertificateDer;

use crate::{Probe, metrics::voucher};

/// All that one request needs: how to issue, for whom, and whether it can be done.
///
/// It never changes. A new configuration is a new snapshot.
#[derive(Debug)]
pub struct Snapshot {
    pipeline: Pipeline,
    issuers: Vec<OidcIssuer>,
    probes: Vec<Box<dyn Probe>>,
    announced: Vec<Chain>,
}

/// Certificates from an issuer to its root.
type Chain = Vec<CertificateDer<'static>>;

impl Snapshot {
    /// Issues through `pipeline`, and tells clients of the identity providers in `config`.
    #[must_use]
    pub fn new(pipeline: Pipeline, config: &Config) -> Self {
        Self {
            pipeline,
            issuers: config.issuers().map(advertised).collect(),
            probes: Vec::new(),
            announced: Vec::new(),
        }
    }

    /// Has verifiers trust these chains too, besides those of the authority: of keys that will issue,
    /// or that have issued.
    #[must_use]
    pub fn with_announced(mut self, chains: Vec<Vec<CertificateDer<'static>>>) -> Self {
        self.announced = chains;
        self
    }

    /// The chains that verifiers may trust, each once, those of the authority first.
    #[must_use]
    pub fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>> {
        let mut bundle = self.pipeline.issuer().authority().trust_bundle();
        for chain in &self.announced {
            if !bundle.contains(chain) {
                bundle.push(chain.clone());
            }
        }
        bundle
    }

    /// Asks `probe` too, whether certificates can be issued.
    #[must_use]
    pub fn with_probe(mut self, probe: impl Probe + 'static) -> Self {
        self.probes.push(Box::new(probe));
        self
    }
}

/// The snapshot that new requests get. A request keeps the one it began with.
#[derive(Debug)]
pub struct CurrentSnapshot(ArcSwap<Snapshot>);

impl CurrentSnapshot {
    /// Begins with `snapshot`.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(snapshot))
    }

    /// Gives `snapshot` to the requests from now on.
    pub fn replace(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }
}

impl Backend for CurrentSnapshot {
    fn issue<'a>(&'a self, request: Request<'a>, context: &'a RequestContext) -> Issuing<'a> {
        let snapshot = self.0.load_full();
        Box::pin(async move {
            let issued = pin!(snapshot.pipeline.issue(request, context));
            let (issued, issuer) = voucher::noting(issued).await;
            let answer = issued.map_err(|error| error.refusal());
            if let Some(issuer) = issuer {
                issuer.ended(answer.as_ref().map(|_certified| ()));
            }
            answer
        })
    }

    fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal> {
        Ok(self.0.load().trust_bundle())
    }

    fn configuration(&self) -> Vec<OidcIssuer> {
        self.0.load().issuers.clone()
    }

    fn readiness(&self) -> Readiness {
        let snapshot = self.0.load();
        Readiness::new(snapshot.probes.iter().map(|probe| probe.part()).collect())
    }
}

fn advertised(issuer: &fulcio_identity::IssuerConfig) -> OidcIssuer {
    OidcIssuer {
        url: match &issuer.address {
            IssuerAddress::Url(url) => IssuerUrl::Exact(url.clone()),
            IssuerAddress::Pattern(pattern) => IssuerUrl::Wildcard(pattern.to_string()),
        },
        audience: issuer.client_id.clone(),
        challenge_claim: issuer.challenge_claim.clone(),
        spiffe_trust_domain: issuer.spiffe_trust_domain.clone(),
        issuer_type: issuer.kind.name().to_owned(),
        subject_domain: issuer.subject_domain.clone(),
        skip_email_verification: issuer.skip_email_verification,
    }
}
