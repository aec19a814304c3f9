use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use serde_json::Value;

use crate::{ClaimPath, Error, Kind, email_address::is_email_address, fields::Fields};

/// Issuers that name people by their e-mail address: the type `email`.
///
/// The address is both what the caller signs and the name in the certificate.
#[derive(Clone, Debug)]
pub struct Email {
    issuer_claim: Option<ClaimPath>,
    skip_verification: bool,
}

impl Email {
    /// `issuer_claim` tells where the name of the issuer is, if it is not `iss`; with
    /// `skip_verification` an address needs no `email_verified`.
    #[must_use]
    pub fn new(issuer_claim: Option<ClaimPath>, skip_verification: bool) -> Self {
        Self {
            issuer_claim,
            skip_verification,
        }
    }

    fn issuer(&self, token: &VerifiedToken) -> Result<String, Error> {
        let Some(path) = &self.issuer_claim else {
            return Ok(token.issuer().to_owned());
        };
        path.text_in(token.claims())
            .map_err(|source| Error::IssuerClaim {
                path: path.clone(),
                source,
            })
    }
}

impl Kind for Email {
    fn challenge<'t>(&self, token: &'t VerifiedToken) -> Result<&'t str, Error> {
        Fields::of(token, &["email", "email_verified"])?;
        let verified = is_true(token.claim("email_verified"))?;
        let address = match token.claim("email") {
            Some(Value::String(address)) if !address.is_empty() => address,
            _ => return Err(Error::EmailAbsent),
        };
        if !verified && !self.skip_verification {
            return Err(Error::EmailUnverified);
        }
        if !is_email_address(address) {
            return Err(Error::EmailInvalid);
        }
        Ok(address)
    }

    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let address = self.challenge(token)?;
        let issuer = self.issuer(token)?;
        if issuer.is_empty() {
            return Err(Error::IssuerNameEmpty);
        }
        let mut extensions = Extensions::for_issuer(&issuer);
        extensions.set(Extension::TokenSubject, token.subject());
        Ok(Principal::new(
            address,
            SubjectAltName::Email(address.to_owned()),
            extensions,
        ))
    }
}

/// A boolean, or one of the texts that some providers send instead.
pub(crate) fn is_true(claim: Option<&Value>) -> Result<bool, Error> {
    match claim {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(Value::String(text)) => match text.as_str() {
            "true" | "True" => Ok(true),
            "false" | "False" => Ok(false),
            _ => Err(Error::EmailVerifiedMalformed),
        },
        Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Error::EmailVerifiedMalformed)
        }
    }
}
