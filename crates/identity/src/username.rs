use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Principal, SubjectAltName};

use crate::{Error, Kind, email_address::is_email_address, fields::extensions};

/// Issuers that name people by names that mean something in one domain: the type `username`.
///
/// The `sub` of a token is such a name, and what the caller signs; the certificate has the domain
/// besides.
#[derive(Clone, Debug)]
pub struct Username {
    domain: String,
}

impl Username {
    /// For names in the domain `subject_domain`.
    #[must_use]
    pub fn new(subject_domain: impl Into<String>) -> Self {
        Self {
            domain: subject_domain.into(),
        }
    }
}

impl Kind for Username {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let user = token.subject();
        // It parts the name from the domain.
        if user.contains('!') {
            return Err(Error::UsernameMark);
        }
        if is_email_address(user) {
            return Err(Error::SubjectIsEmail);
        }
        let name = SubjectAltName::Username(format!("{user}!{}", self.domain));
        Ok(Principal::new(user, name, extensions(token)?))
    }
}
