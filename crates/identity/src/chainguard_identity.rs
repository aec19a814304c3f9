use fulcio_go_url::{CertificateUri, Url};
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Principal, SubjectAltName};
use serde_json::Value;

use crate::{
    Error, Kind,
    email::is_true,
    fields::{Fields, extensions},
};

/// Chainguard's issuer: the type `chainguard-identity`.
///
/// The name in the certificate is the issuer's URL with the `sub` behind it. The caller signs its
/// e-mail address if the token has one, and else the `sub`, because that is what cosign does.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ChainguardIdentity;

impl ChainguardIdentity {
    /// For any of Chainguard's issuers.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Kind for ChainguardIdentity {
    fn challenge<'t>(&self, token: &'t VerifiedToken) -> Result<&'t str, Error> {
        let claims = Fields::of(
            token,
            &["act", "email", "email_verified", "internal", "sub"],
        )?;
        check_unused(claims)?;
        let verified = is_true(token.claim("email_verified"))?;
        match (claims.text("email")?, token.subject()) {
            ("", "") => Err(Error::ClaimAbsent { name: "sub" }),
            ("", subject) => Ok(subject),
            (_, _) if !verified => Err(Error::EmailUnverified),
            (email, _) => Ok(email),
        }
    }

    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let challenge = self.challenge(token)?;
        let extensions = extensions(token)?;
        let uri = Url::parse(token.issuer())
            .and_then(|issuer| issuer.join_path(&[token.subject()]))
            .map_err(Error::Url)?;
        let uri = CertificateUri::parse(&uri.to_string()).map_err(Error::Uri)?;
        let name = SubjectAltName::Uri(uri.into_string());
        Ok(Principal::new(challenge, name, extensions))
    }
}

/// Holds claims that nothing needs to the types that they must have.
fn check_unused(claims: Fields<'_>) -> Result<(), Error> {
    if let Some(internal) = claims.object("internal", &["service-principal"])? {
        internal.text("service-principal")?;
    }
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Null);
    match claims.value("act") {
        None => Ok(()),
        Some(Value::Object(act)) if act.values().all(is_text) => Ok(()),
        Some(_) => Err(Error::ClaimType {
            name: "act",
            expected: "an object of texts",
        }),
    }
}
