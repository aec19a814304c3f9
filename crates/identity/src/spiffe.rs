use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::Principal;

use crate::{
    Error, Kind,
    fields::{extensions, named_by},
    spiffe_id::{self, SpiffeId},
};

/// Issuers that name workloads of one SPIFFE trust domain: the type `spiffe`.
///
/// The `sub` of a token is a SPIFFE ID, which is both what the caller signs and the name in the
/// certificate.
#[derive(Clone, Debug)]
pub struct Spiffe {
    trust_domain: String,
}

impl Spiffe {
    /// For the trust domain that the setting `spiffe-trust-domain` names; none if it is none.
    #[must_use]
    pub fn new(trust_domain: &str) -> Option<Self> {
        let trust_domain = spiffe_id::trust_domain(trust_domain)?.to_owned();
        Some(Self { trust_domain })
    }
}

impl Kind for Spiffe {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let id = SpiffeId::parse(token.subject())?;
        if id.trust_domain() != self.trust_domain {
            return Err(Error::TrustDomain {
                found: id.trust_domain().to_owned(),
                expected: self.trust_domain.clone(),
            });
        }
        let uri = Url::parse(token.subject()).map_err(Error::Url)?;
        named_by(&uri, token, extensions(token)?)
    }
}
