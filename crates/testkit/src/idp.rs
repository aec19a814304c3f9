//! An identity provider without a network: keys, tokens good and bad, and the documents that a
//! verifier fetches.
//!
//! ```
//! use fulcio_oidc_verify::Algorithm;
//! use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
//!
//! let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es256).named("first"));
//! let fetch = FakeFetch::serving(&idp);
//! let good = idp.token();
//! let bad = idp.draft().claim("aud", "elsewhere").mint();
//! assert_ne!(good, bad);
//! assert_eq!(fetch.requests(), 0);
//! ```

use core::fmt;
use std::{
    collections::HashMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fulcio_oidc_verify::{Algorithm, Fetch, FetchError, Fetching};
use pkcs1::RsaPublicKeyRef;
use serde_json::{Map, Value, json};

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
        let key = self.key().clone();
        let mut header = Map::new();
        header.insert("alg".to_owned(), key.algorithm.name().into());
        if let Some(id) = &key.id {
            header.insert("kid".to_owned(), id.as_str().into());
        }
        let claims = json!({
            "iss": self.issuer,
            "sub": "1234",
            "aud": self.audience,
            "exp": ISSUED_AT + 600,
            "iat": ISSUED_AT,
            "email": "ada@example.com",
            "email_verified": true,
        });
        Draft {
            algorithm: key.algorithm,
            key,
            header: Part::Members(header),
            claims: Part::Members(members(claims)),
        }
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

/// A key that signs tokens.
#[derive(Clone)]
pub struct FakeKey {
    id: Option<String>,
    algorithm: Algorithm,
    pair: Arc<Pair>,
    members: Map<String, Value>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl FakeKey {
    /// A fresh key for `algorithm`, without a `kid`; an RSA key has 2048 bits.
    ///
    /// # Panics
    ///
    /// When `algorithm` is one that this crate does not know yet.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().expect("an Ed25519 key")),
            Algorithm::Es256 => Pair::ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => Pair::ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => Pair::ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING),
            _ => {
                rsa_encoding(algorithm);
                Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
            }
        };
        Self {
            id: None,
            algorithm,
            pair: Arc::new(pair),
            members: Map::new(),
        }
    }

    /// The same key under the `kid` `id`.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The same key, signing with `algorithm`, which must fit its kind.
    #[must_use]
    pub fn signing_with(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The same key, published with this member in its JWK, such as `use`; `null` takes one away.
    #[must_use]
    pub fn published_with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The public half (RFC 7517 §4), without `alg` and `use` unless it was
    /// [`published_with`](Self::published_with) them.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = members(match &*self.pair {
            Pair::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                let curve = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) })
            }
            Pair::Rsa(pair) => {
                let public =
                    RsaPublicKeyRef::try_from(pair.public_key().as_ref()).expect("an RSAPublicKey");
                json!({
                    "kty": "RSA",
                    "n": encoded(public.modulus.as_bytes()),
                    "e": encoded(public.public_exponent.as_bytes()),
                })
            }
        });
        if let Some(id) = &self.id {
            jwk.insert("kid".to_owned(), id.as_str().into());
        }
        jwk.extend(self.members.clone());
        jwk.retain(|_, value| !value.is_null());
        Value::Object(jwk)
    }

    /// Signs `message` with `algorithm`.
    ///
    /// # Panics
    ///
    /// When `algorithm` does not fit the kind of the key.
    #[must_use]
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).expect("an ECDSA signature");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm), &random, message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
        }
    }
}

impl fmt::Debug for FakeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self::Ecdsa(EcdsaKeyPair::generate(algorithm).expect("an ECDSA key"))
    }
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        Algorithm::Ps512 => &RSA_PSS_SHA512,
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        other => panic!("{other} is not an algorithm of RSA keys"),
    }
}

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

/// A [`Fetch`] that answers from memory, counts, and misbehaves when told to.
///
/// Clones share everything. A URL without an answer gives status 404.
#[derive(Clone, Debug, Default)]
pub struct FakeFetch(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    answers: HashMap<String, Answer>,
    counts: HashMap<String, usize>,
}

/// What a [`FakeFetch`] does when it is asked for a URL.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Answers with these bytes.
    Body(Vec<u8>),
    /// Never answers.
    Hang,
    /// Panics.
    Panic,
    /// Answers with these bytes after this long, by tokio's clock.
    Slow(Duration, Vec<u8>),
    /// Fails with this status.
    Status(u16),
}

impl FakeFetch {
    /// Answers with the documents of `idp`.
    #[must_use]
    pub fn serving(idp: &FakeIdp) -> Self {
        let fetch = Self::default();
        fetch.serve(idp);
        fetch
    }

    /// From now on, answers with the documents of `idp` (too).
    pub fn serve(&self, idp: &FakeIdp) {
        self.answer(
            &idp.discovery_url(),
            Answer::Body(idp.discovery().to_string().into()),
        );
        self.answer(&idp.jwks_url(), Answer::Body(idp.jwks().to_string().into()));
    }

    /// From now on, does `answer` when asked for `url`.
    pub fn answer(&self, url: &str, answer: Answer) {
        self.shelf().answers.insert(url.to_owned(), answer);
    }

    /// How often it was asked for `url`.
    #[must_use]
    pub fn requests_for(&self, url: &str) -> usize {
        self.shelf().counts.get(url).copied().unwrap_or_default()
    }

    /// How often it was asked for anything.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shelf().counts.values().sum()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetch for FakeFetch {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let answer = {
                let mut shelf = self.shelf();
                *shelf.counts.entry(url.to_owned()).or_default() += 1;
                shelf.answers.get(url).cloned()
            };
            match answer.unwrap_or(Answer::Status(404)) {
                Answer::Body(body) => Ok(body),
                Answer::Hang => future::pending().await,
                Answer::Panic => panic!("told to panic at {url}"),
                Answer::Slow(delay, body) => {
                    tokio::time::sleep(delay).await;
                    Ok(body)
                }
                Answer::Status(status) => Err(FetchError::Status(status)),
            }
        })
    }
}

fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
