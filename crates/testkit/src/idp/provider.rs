use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fulcio_oidc_verify::Algorithm;
use serde_json::{Value, json};

use super::{Draft, FakeKey};

/// An identity provider: an issuer, an audience, and the keys that it publishes.
///
/// Its first key signs, and its tokens are good for ten minutes from [`now`](Self::now) on.
#[derive(Clone, Debug)]
pub struct FakeIdp {
    issuer: String,
    audience: String,
    keys: Vec<FakeKey>,
}

impl FakeIdp {
    /// `https://issuer.example.com`, for the audience `sigstore`, with one key.
    #[must_use]
    pub fn new(key: FakeKey) -> Self {
        Self {
            issuer: "https://issuer.example.com".to_owned(),
            audience: "sigstore".to_owned(),
            keys: vec![key],
        }
    }

    /// When its tokens are issued.
    #[must_use]
    pub fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(ISSUED_AT)
    }

    /// The same provider under another issuer URL.
    #[must_use]
    pub fn issued_by(mut self, issuer: &str) -> Self {
        issuer.clone_into(&mut self.issuer);
        self
    }

    /// The same provider, whose tokens are for `audience`.
    #[must_use]
    pub fn for_audience(mut self, audience: &str) -> Self {
        audience.clone_into(&mut self.audience);
        self
    }

    /// The same provider with one key more; the first one goes on signing.
    #[must_use]
    pub fn with_key(mut self, key: FakeKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The same provider with `key` in place of all its keys.
    #[must_use]
    pub fn rotated_to(mut self, key: FakeKey) -> Self {
        self.keys = vec![key];
        self
    }

    /// The issuer URL.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom its tokens are for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &FakeKey {
        &self.keys[0]
    }

    /// A good token, of `ada@example.com`.
    #[must_use]
    pub fn token(&self) -> String {
        self.draft().mint()
    }

    /// A good token that is still to be changed.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let claims = json!({
            "iss": self.issuer,
            "sub": "1234",
            "aud": self.audience,
            "exp": ISSUED_AT + 600,
            "iat": ISSUED_AT,
            "email": "ada@example.com",
            "email_verified": true,
        });
        Draft::new(self.key().clone(), claims)
    }

    /// The key set (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(FakeKey::jwk).collect::<Vec<_>>() })
    }

    /// The discovery document (OpenID Connect Discovery 1.0 §3), which names every algorithm.
    #[must_use]
    pub fn discovery(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": self.jwks_url(),
            "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
        })
    }

    /// Where the discovery document is.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.base())
    }

    /// Where the key set is.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}/keys", self.base())
    }

    fn base(&self) -> &str {
        self.issuer.strip_suffix('/').unwrap_or(&self.issuer)
    }
}

/// 2027-01-15T08:00:00Z.
const ISSUED_AT: u64 = 1_800_000_000;
