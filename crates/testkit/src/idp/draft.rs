use aws_lc_rs::hmac;
use fulcio_oidc_verify::Algorithm;
use serde_json::{Map, Value};

use super::{FakeKey, encoded, members};

/// A token before it is signed.
#[derive(Clone, Debug)]
pub struct Draft {
    key: FakeKey,
    algorithm: Algorithm,
    header: Part,
    claims: Part,
}

#[derive(Clone, Debug)]
enum Part {
    Members(Map<String, Value>),
    Raw(Vec<u8>),
}

impl Draft {
    /// A token with these claims, whose header says how `key` signs it.
    pub(super) fn new(key: FakeKey, claims: Value) -> Self {
        let mut header = Map::new();
        header.insert("alg".to_owned(), key.algorithm.name().into());
        if let Some(id) = &key.id {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        Self {
            algorithm: key.algorithm,
            key,
            header: Part::Members(header),
            claims: Part::Members(members(claims)),
        }
    }

    /// Sets a claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.set(name, Some(value.into()));
        self
    }

    /// Takes a claim away.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.set(name, None);
        self
    }

    /// Puts text in front of the closing brace of the claims, such as `,"aud":"twice"`.
    #[must_use]
    pub fn claims_ending_in(self, text: &str) -> Self {
        let claims = self.claims.bytes();
        let open = claims.strip_suffix(b"}").unwrap_or(&claims);
        let payload = [open, text.as_bytes(), b"}"].concat();
        self.payload(payload)
    }

    /// Puts `bytes` in the place of the claims.
    #[must_use]
    pub fn payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.claims = Part::Raw(bytes.into());
        self
    }

    /// Sets a header parameter. What `alg` says does not change what signs.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.set(name, Some(value.into()));
        self
    }

    /// Takes a header parameter away.
    #[must_use]
    pub fn without_parameter(mut self, name: &str) -> Self {
        self.header.set(name, None);
        self
    }

    /// Puts `bytes` in the place of the header.
    #[must_use]
    pub fn header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.header = Part::Raw(bytes.into());
        self
    }

    /// Has `key` sign, with its own algorithm, and leaves the header as it is.
    #[must_use]
    pub fn signed_by(mut self, key: &FakeKey) -> Self {
        self.algorithm = key.algorithm;
        self.key = key.clone();
        self
    }

    /// The token.
    #[must_use]
    pub fn mint(&self) -> String {
        let input = self.signing_input();
        let signature = self.key.sign(self.algorithm, input.as_bytes());
        format!("{input}.{}", encoded(&signature))
    }

    /// The token with `"alg":"none"` and without a signature.
    #[must_use]
    pub fn mint_unsigned(self) -> String {
        format!("{}.", self.parameter("alg", "none").signing_input())
    }

    /// The token with `"alg":"HS256"`, authenticated with `secret`: any text that a careless
    /// verifier may take for a key.
    #[must_use]
    pub fn mint_with_secret(self, secret: &[u8]) -> String {
        let input = self.parameter("alg", "HS256").signing_input();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, input.as_bytes());
        format!("{input}.{}", encoded(tag.as_ref()))
    }

    fn signing_input(&self) -> String {
        let (header, claims) = (self.header.bytes(), self.claims.bytes());
        format!("{}.{}", encoded(&header), encoded(&claims))
    }
}

impl Part {
    /// # Panics
    ///
    /// When the part was replaced by bytes before.
    fn set(&mut self, name: &str, value: Option<Value>) {
        let Self::Members(members) = self else {
            panic!("{name} cannot be changed in raw bytes");
        };
        match value {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Members(members) => Value::Object(members.clone()).to_string().into_bytes(),
            Self::Raw(bytes) => bytes.clone(),
        }
    }
}
