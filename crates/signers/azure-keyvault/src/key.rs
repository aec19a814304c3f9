//! The two requests to the vault.

use core::fmt;
use std::sync::Arc;

use azure_core::{
    http::{Response, headers::HeaderName},
    time::{OffsetDateTime, to_rfc3339},
};
use azure_security_keyvault_keys::{
    KeyClient, ResourceExt as _, ResourceId,
    models::{
        Key, KeyAttributes, KeyClientGetKeyOptions, KeyClientSignOptions, KeyOperationResult,
        SignParameters, SignatureAlgorithm,
    },
};
use fulcio_remote_key::{Error as KeyError, Fault as _, Hash, PublicKey, ecdsa_sig_value};
use fulcio_signer::{Algorithm, Signature, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{Error, KeyReference, failure::failure, jwk::public_key};

/// One version of one key; each signature is one request.
pub(crate) struct VaultKey {
    client: Arc<KeyClient>,
    hash: Hash,
    /// As the vault calls it: `https://HOST/keys/NAME/VERSION`.
    id: String,
    name: String,
    public: PublicKey,
    signing: SignatureAlgorithm,
    vault: String,
    version: String,
}

impl VaultKey {
    /// Asks for the public half of the key, once.
    pub(crate) async fn find(
        client: &Arc<KeyClient>,
        reference: &KeyReference,
    ) -> Result<Self, Error> {
        let (name, vault) = (reference.key(), reference.address());
        let asked = match reference.version() {
            Some(version) => format!("{name}/{version}"),
            None => name.to_owned(),
        };
        let options = KeyClientGetKeyOptions {
            key_version: reference.version().map(str::to_owned),
            ..KeyClientGetKeyOptions::default()
        };
        let answer = client
            .get_key(name, Some(options))
            .await
            .map_err(|error| failure(error, &asked, &vault))?;
        let now = date(&answer);
        let key: Key = answer
            .into_model()
            .map_err(|error| Error::Answer(error.into()))?;
        let jwk = key
            .key
            .as_ref()
            .ok_or(Error::AnswerIncomplete { field: "key" })?;
        let id = jwk
            .kid
            .as_deref()
            .ok_or(Error::AnswerIncomplete { field: "key.kid" })?;
        let named = key
            .resource_id()
            .map_err(|error| Error::Answer(error.into()))?;
        let version = named_version(&named, name, reference.version(), id)?;
        usable(key.attributes.as_ref(), now, &asked)?;
        if let Some(allowed) = &jwk.key_ops
            && !allowed.iter().any(|operation| operation == "sign")
        {
            return Err(Error::KeyOperations {
                allowed: allowed.clone(),
                key: asked,
            });
        }
        let public = public_key(jwk, &asked)?;
        let useless = |source| Error::PublicKey {
            key: asked.clone(),
            source,
        };
        let (hash, signing) = in_vault(public.algorithm()).map_err(useless)?;
        Ok(Self {
            client: Arc::clone(client),
            hash,
            id: id.to_owned(),
            name: name.to_owned(),
            public,
            signing,
            vault,
            version: version.to_owned(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let parameters = SignParameters {
            algorithm: Some(self.signing.clone()),
            value: Some(self.hash.digest(message).as_ref().to_vec()),
        };
        let parameters =
            parameters
                .try_into()
                .map_err(|error: azure_core::Error| Error::Request {
                    host: self.vault.clone(),
                    source: error.into(),
                })?;
        let options = KeyClientSignOptions {
            key_version: Some(self.version.clone()),
            ..KeyClientSignOptions::default()
        };
        let answer = self
            .client
            .sign(&self.name, parameters, Some(options))
            .await
            .map_err(|error| {
                let asked = format!("{}/{}", self.name, self.version);
                failure(error, &asked, &self.vault)
            })?;
        let answer: KeyOperationResult = answer
            .into_model()
            .map_err(|error| Error::Answer(error.into()))?;
        let id = answer
            .kid
            .as_deref()
            .ok_or(Error::AnswerIncomplete { field: "kid" })?;
        let named = answer
            .resource_id()
            .map_err(|error| Error::Answer(error.into()))?;
        named_version(&named, &self.name, Some(&self.version), id)?;
        let signature = answer
            .result
            .ok_or(Error::AnswerIncomplete { field: "value" })?;
        match self.public.algorithm() {
            Algorithm::RsaPkcs1Sha256 => Ok(signature),
            _ => ecdsa_sig_value(&signature).map_err(Error::SignatureMalformed),
        }
    }
}

impl Signer for VaultKey {
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
                Err(error) => {
                    let (kind, wait) = (error.kind(), error.retry_after());
                    Err(fulcio_signer::Error::new(kind, error).with_retry_after(wait))
                }
            }
        })
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The version that an answer is about, which must be the one that was asked for. A vault does not
/// tell names apart by their case.
fn named_version<'a>(
    answered: &'a ResourceId,
    name: &str,
    version: Option<&str>,
    id: &str,
) -> Result<&'a str, Error> {
    let found = answered
        .version
        .as_deref()
        .ok_or(Error::AnswerIncomplete { field: "version" })?;
    if answered.name.eq_ignore_ascii_case(name) && version.is_none_or(|asked| asked == found) {
        return Ok(found);
    }
    Err(Error::OtherKey {
        answered: id.to_owned(),
        asked: match version {
            Some(version) => format!("{name}/{version}"),
            None => name.to_owned(),
        },
    })
}

/// Whether the vault will sign with the key now, by its own clock.
fn usable(
    attributes: Option<&KeyAttributes>,
    now: Option<OffsetDateTime>,
    key: &str,
) -> Result<(), Error> {
    let Some(attributes) = attributes else {
        return Ok(());
    };
    // The names are those that the vault gives these reasons when it is asked to sign.
    let state = |code: &str, message: String| Error::KeyState {
        code: code.to_owned(),
        key: key.to_owned(),
        message,
    };
    if attributes.enabled == Some(false) {
        return Err(state("KeyDisabled", "it is disabled".to_owned()));
    }
    match (attributes.not_before, attributes.expires, now) {
        (Some(begin), _, Some(now)) if now < begin => {
            let begin = to_rfc3339(&begin);
            Err(state("KeyNotYetValid", format!("it begins at {begin}")))
        }
        (_, Some(end), Some(now)) if end <= now => {
            let end = to_rfc3339(&end);
            Err(state("KeyExpired", format!("it ended at {end}")))
        }
        _ => Ok(()),
    }
}

/// When the vault answered (RFC 9110 section 6.6.1).
fn date(answer: &Response<Key>) -> Option<OffsetDateTime> {
    let text = answer.headers().get_optional_str(&DATE)?;
    let date = httpdate::parse_http_date(text).ok()?;
    Some(OffsetDateTime::from(date))
}

fn in_vault(algorithm: Algorithm) -> Result<(Hash, SignatureAlgorithm), KeyError> {
    let other = || KeyError::Unsupported {
        kind: algorithm.to_string(),
    };
    let signing = match algorithm {
        Algorithm::EcdsaP256Sha256 => SignatureAlgorithm::Es256,
        Algorithm::EcdsaP384Sha384 => SignatureAlgorithm::Es384,
        Algorithm::EcdsaP521Sha512 => SignatureAlgorithm::Es512,
        Algorithm::RsaPkcs1Sha256 => SignatureAlgorithm::Rs256,
        _ => return Err(other()),
    };
    Ok((Hash::of(algorithm)?.ok_or_else(other)?, signing))
}

const DATE: HeaderName = HeaderName::from_static("date");
