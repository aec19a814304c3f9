use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::Principal;

use crate::{
    Error, Kind,
    email_address::is_email_address,
    fields::{extensions, named_by},
};

/// Issuers that name people or workloads by URIs of one host: the type `uri`.
///
/// The `sub` of a token is such a URI. It is what the caller signs, and written anew it is the name
/// in the certificate.
#[derive(Clone, Debug)]
pub struct Uri {
    domain: Url,
}

impl Uri {
    /// For subjects with the scheme and host of `subject_domain`, whatever their port.
    ///
    /// # Errors
    /// It is no URL.
    pub fn new(subject_domain: &str) -> Result<Self, fulcio_go_url::Error> {
        let domain = Url::parse(subject_domain)?;
        Ok(Self { domain })
    }
}

impl Kind for Uri {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        if is_email_address(token.subject()) {
            return Err(Error::SubjectIsEmail);
        }
        let uri = Url::parse(token.subject()).map_err(Error::SubjectUri)?;
        if uri.scheme() != self.domain.scheme() || uri.hostname() != self.domain.hostname() {
            return Err(Error::SubjectDomain {
                expected: self.domain.to_string(),
            });
        }
        named_by(&uri, token, extensions(token)?)
    }
}
