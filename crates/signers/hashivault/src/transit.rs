//! The two requests to the transit engine.

use core::fmt;
use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fulcio_remote_key::{Fault as _, Hash, PublicKey};
use fulcio_signer::{Algorithm, Signature, Signer, Signing};
use http::{Method, Uri};
use pki_types::SubjectPublicKeyInfoDer;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, KeyReference, VaultConfig, answer::line, client::Client};

/// One version of a key in the transit engine; each signature is one request.
pub(crate) struct TransitKey {
    client: Client,
    hash: Option<Hash>,
    public: PublicKey,
    sign: Uri,
    version: u32,
}

impl TransitKey {
    /// Makes a signer of what Vault has said about the key.
    pub(crate) fn new(
        client: Client,
        config: &VaultConfig,
        reference: &KeyReference,
        found: Found,
    ) -> Result<Self, Error> {
        let name = reference.name();
        let hash = Hash::of(found.public.algorithm()).map_err(|source| Error::PublicKey {
            key: name.to_owned(),
            source,
        })?;
        let sign = match hash {
            Some(hash) => config.endpoint(&format!("sign/{name}/{}", in_vault(hash)))?,
            None => config.endpoint(&format!("sign/{name}"))?,
        };
        Ok(Self {
            client,
            hash,
            public: found.public,
            sign,
            version: found.version,
        })
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let input = match self.hash {
            Some(hash) => STANDARD.encode(hash.digest(message)),
            None => STANDARD.encode(message),
        };
        let request = SignRequest {
            input,
            key_version: self.version,
            marshaling_algorithm: "asn1",
            prehashed: self.hash.is_some(),
            signature_algorithm: "pkcs1v15",
        };
        let body = serde_json::to_vec(&request).map_err(Error::Answer)?;
        let answer = self
            .client
            .ask(Method::POST, &self.sign, body.into())
            .await?;
        let SignAnswer { signature } = data(&answer)?;
        self.read_signature(&signature)
    }

    /// `vault:v3:` and base64.
    fn read_signature(&self, text: &str) -> Result<Vec<u8>, Error> {
        let (prefix, signature) = text.rsplit_once(':').ok_or(Error::SignatureMalformed)?;
        let (_vault, version) = prefix.rsplit_once(":v").ok_or(Error::SignatureMalformed)?;
        if version.parse() != Ok(self.version) {
            return Err(Error::OtherVersion {
                expected: self.version,
            });
        }
        STANDARD
            .decode(signature)
            .map_err(|_base64| Error::SignatureMalformed)
    }
}

impl Signer for TransitKey {
    fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.public.spki()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async {
            match self.signature(message).await {
                Ok(signature) => Ok(Signature(signature)),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

impl fmt::Debug for TransitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransitKey")
            .field("sign", &self.sign)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What Vault says about a key, as far as it matters.
pub(crate) struct Found {
    public: PublicKey,
    version: u32,
}

/// Asks for the public half of the key, once.
pub(crate) async fn find(
    client: &Client,
    config: &VaultConfig,
    reference: &KeyReference,
) -> Result<Found, Error> {
    let name = reference.name();
    let uri = config.endpoint(&format!("keys/{name}"))?;
    let answer = client.ask(Method::GET, &uri, Bytes::new()).await;
    let answer = answer.map_err(|error| match error {
        Error::Refused { status: 404, .. } => Error::KeyMissing {
            key: name.to_owned(),
            mount: config.mount.clone(),
        },
        other => other,
    })?;
    data::<KeyAnswer>(&answer)?.find(reference)
}

#[derive(Deserialize)]
struct KeyAnswer {
    #[serde(default)]
    derived: bool,
    /// Symmetric keys have only the time of their making in here.
    #[serde(default)]
    keys: BTreeMap<u32, Value>,
    latest_version: u32,
    /// 0 where all may.
    #[serde(default)]
    min_encryption_version: u32,
    supports_signing: bool,
    #[serde(rename = "type")]
    kind: String,
}

impl KeyAnswer {
    fn find(mut self, reference: &KeyReference) -> Result<Found, Error> {
        let key = || reference.name().to_owned();
        if !self.supports_signing {
            return Err(Error::KeyType {
                key: key(),
                kind: line(&self.kind),
            });
        }
        if self.derived {
            return Err(Error::DerivedKey { key: key() });
        }
        // It is said of encryption, and holds for signing too.
        self.keys
            .retain(|version, _| *version >= self.min_encryption_version);
        let version = reference.version().unwrap_or(self.latest_version);
        let Some(found) = self.keys.get(&version) else {
            return Err(Error::VersionMissing {
                key: key(),
                others: self.keys.into_keys().collect(),
                version,
            });
        };
        let VersionAnswer { public_key } =
            VersionAnswer::deserialize(found).map_err(Error::Answer)?;
        let public = if self.kind == "ed25519" {
            let bytes = STANDARD.decode(&public_key).unwrap_or_default();
            PublicKey::from_ed25519(&bytes)
        } else {
            PublicKey::from_pem(&public_key)
        };
        match public {
            Ok(public) => Ok(Found { public, version }),
            Err(source) => Err(Error::PublicKey { key: key(), source }),
        }
    }
}

/// One version of an asymmetric key.
#[derive(Deserialize)]
struct VersionAnswer {
    /// PEM, and for Ed25519 base64 of the 32 bytes.
    public_key: String,
}

#[derive(Serialize)]
struct SignRequest {
    input: String,
    key_version: u32,
    marshaling_algorithm: &'static str,
    prehashed: bool,
    signature_algorithm: &'static str,
}

#[derive(Deserialize)]
struct SignAnswer {
    signature: String,
}

pub(crate) fn data<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Answer<T> {
        data: T,
    }
    serde_json::from_slice(answer)
        .map(|Answer { data }| data)
        .map_err(Error::Answer)
}

fn failed(error: Error) -> fulcio_signer::Error {
    let (kind, wait) = (error.kind(), error.retry_after());
    fulcio_signer::Error::new(kind, error).with_retry_after(wait)
}

fn in_vault(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha256 => "sha2-256",
        Hash::Sha384 => "sha2-384",
        Hash::Sha512 => "sha2-512",
    }
}
