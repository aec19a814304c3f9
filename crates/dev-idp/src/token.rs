use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::{Error, Keys, keys::base64url};

/// What a token is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// `email` and `sub`.
    pub email: String,
    /// `aud`.
    pub audience: String,
    /// `nonce`, if the client wants one (OpenID Connect Core 1.0 section 2).
    pub nonce: Option<String>,
    /// What it is signed with.
    pub algorithm: Algorithm,
}

/// What a token is signed with (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every client knows.
    #[default]
    Rs256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Es256, Self::Rs256];

    /// The value of `alg` that names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm that `name` names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl TokenRequest {
    /// How long every token lives.
    pub const LIFETIME: Duration = Duration::from_secs(600);

    /// A token that says `email`, for Sigstore's usual audience.
    pub fn for_email(email: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            audience: "sigstore".to_owned(),
            nonce: None,
            algorithm: Algorithm::default(),
        }
    }

    /// The signed token (RFC 7519).
    pub(crate) fn sign(&self, issuer: &str, keys: &Keys, now: SystemTime) -> Result<String, Error> {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_before_1970| Error::Clock)?
            .as_secs();
        let header = json!({
            "alg": self.algorithm.name(),
            "kid": keys.key_id(self.algorithm),
            "typ": "JWT",
        });
        let mut claims = json!({
            "aud": self.audience,
            "development": true,
            "email": self.email,
            "email_verified": true,
            "exp": now + Self::LIFETIME.as_secs(),
            "iat": now,
            "iss": issuer,
            "sub": self.email,
        });
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = json!(nonce);
        }
        let part = |value: serde_json::Value| base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = keys.sign(self.algorithm, signed.as_bytes())?;
        Ok(format!("{signed}.{}", base64url(&signature)))
    }
}
