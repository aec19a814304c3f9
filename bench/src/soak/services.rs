//! What stands behind the doors: a log, a key service, identity providers.

use core::{cell::RefCell, net::SocketAddr};
use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::{
    digest::{Digest, SHA256},
    encoding::AsDer as _,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::door::{Service, say};
use crate::{case::Api, connection::Connection, provider::Issuer};

/// Passes on to a log what it is asked.
#[derive(Debug)]
pub(crate) struct Passed {
    log: SocketAddr,
    /// How often the log itself has failed.
    faults: Arc<AtomicU64>,
    idle: RefCell<Vec<Connection>>,
}

impl Passed {
    pub(crate) fn to(log: SocketAddr, faults: Arc<AtomicU64>) -> Self {
        Self {
            log,
            faults,
            idle: RefCell::default(),
        }
    }
}

impl Service for Passed {
    async fn answer(
        &self,
        mut request: Request<Bytes>,
        _wrong: bool,
    ) -> Result<Response<Full<Bytes>>> {
        let host = HeaderValue::try_from(self.log.to_string())?;
        request.headers_mut().insert(header::HOST, host);
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.log, Api::V2).await?,
        };
        let answer = connection.ask(request.map(Full::new)).await?;
        self.idle.borrow_mut().push(connection);
        if answer.status.is_server_error() {
            self.faults.fetch_add(1, Ordering::SeqCst);
        }
        Ok(say(answer.status.as_u16(), answer.body)?)
    }
}

/// AWS KMS with one P-256 key, as far as signing goes.
#[derive(Debug)]
pub(crate) struct KeyService {
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
}

impl KeyService {
    /// The key in this PEM file (PKCS #8).
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let text = fs::read(path).with_context(|| path.display().to_string())?;
        let (_, der) = pem_rfc7468::decode_vec(&text).map_err(|error| anyhow!("PEM: {error}"))?;
        Ok(Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der)?,
            other: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
        })
    }

    /// What the server is told by where it is.
    pub(crate) fn variables(address: SocketAddr) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
            ("AWS_REGION", "us-east-2".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ]
    }

    /// What the server calls the key.
    pub(crate) fn reference() -> String {
        format!("awskms:///{KEY_ID}")
    }
}

impl Service for KeyService {
    async fn answer(&self, request: Request<Bytes>, wrong: bool) -> Result<Response<Full<Bytes>>> {
        let target = request.headers().get("x-amz-target");
        if target.is_some_and(|target| target == "TrentService.Sign") {
            let asked: Value = serde_json::from_slice(request.body())?;
            let digest = asked["Message"].as_str().context("no message")?;
            let digest = Digest::import_less_safe(&BASE64_STANDARD.decode(digest)?, &SHA256)?;
            let key = if wrong { &self.other } else { &self.key };
            let signature = key.sign_digest(&digest)?;
            let answer = json!({
                "KeyId": KEY_ID,
                "Signature": BASE64_STANDARD.encode(signature.as_ref()),
                "SigningAlgorithm": "ECDSA_SHA_256",
            });
            return Ok(say(200, answer.to_string())?);
        }
        let public = self.key.public_key().as_der()?;
        let answer = json!({
            "KeyId": KEY_ID,
            "KeyUsage": "SIGN_VERIFY",
            "KeySpec": "ECC_NIST_P256",
            "CustomerMasterKeySpec": "ECC_NIST_P256",
            "SigningAlgorithms": ["ECDSA_SHA_256"],
            "PublicKey": BASE64_STANDARD.encode(public.as_ref()),
        });
        Ok(say(200, answer.to_string())?)
    }
}

const KEY_ID: &str = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Publishes the keys that an identity provider has at the time.
#[derive(Clone, Debug)]
pub(crate) struct Publisher(Arc<Mutex<Published>>);

#[derive(Debug)]
struct Published {
    discovery: Bytes,
    keys: Bytes,
}

impl Publisher {
    pub(crate) fn of(issuer: &Issuer) -> Self {
        Self(Arc::new(Mutex::new(Published {
            discovery: issuer.discovery().into(),
            keys: issuer.keys().into(),
        })))
    }

    /// From now on these keys, and no others.
    pub(crate) fn rotate(&self, issuer: &Issuer) {
        let keys = issuer.keys().into();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys = keys;
    }
}

impl Service for Publisher {
    async fn answer(&self, request: Request<Bytes>, _wrong: bool) -> Result<Response<Full<Bytes>>> {
        let published = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match request.uri().path() {
            "/.well-known/openid-configuration" => say(200, published.discovery.clone())?,
            "/keys" => say(200, published.keys.clone())?,
            _ => say(404, "{}")?,
        })
    }
}
