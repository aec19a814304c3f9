//! The two requests to AWS KMS.

use core::fmt;

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{KeyUsageType, MessageType, SigningAlgorithmSpec},
};
use fulcio_remote_key::{Error as KeyError, Fault as _, Hash, PublicKey};
use fulcio_signer::{Algorithm, Signature, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{Error, error::MAX_RAW, failure::failure};

/// One key; each signature is one request.
pub(crate) struct KmsKey {
    asked: Asked,
    hash: Option<Hash>,
    /// As AWS calls it, whatever it was asked for.
    id: String,
    public: PublicKey,
    signing: SigningAlgorithmSpec,
}

/// What is asked for, and who is asked.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) client: Client,
    pub(crate) key: String,
    pub(crate) region: String,
}

impl KmsKey {
    /// Asks for the public half of the key, once.
    pub(crate) async fn find(asked: &Asked) -> Result<Self, Error> {
        let Asked {
            client,
            key,
            region,
        } = asked;
        let answer = client.get_public_key().key_id(key).send().await;
        let answer = answer.map_err(|error| failure(error, key, region))?;
        match answer.key_usage() {
            Some(KeyUsageType::SignVerify) => {}
            Some(usage) => {
                return Err(Error::KeyUsage {
                    key: key.clone(),
                    usage: usage.to_string(),
                });
            }
            None => return Err(Error::AnswerIncomplete { field: "KeyUsage" }),
        }
        let spki = answer
            .public_key()
            .ok_or(Error::AnswerIncomplete { field: "PublicKey" })?;
        let id = answer
            .key_id()
            .ok_or(Error::AnswerIncomplete { field: "KeyId" })?;
        let useless = |source| Error::PublicKey {
            key: key.clone(),
            source,
        };
        let public = PublicKey::from_spki(spki.as_ref()).map_err(useless)?;
        let hash = Hash::of(public.algorithm()).map_err(useless)?;
        let signing = in_kms(public.algorithm()).map_err(useless)?;
        let offered = answer.signing_algorithms();
        if !offered.contains(&signing) {
            return Err(Error::SigningAlgorithm {
                key: key.clone(),
                offered: offered.iter().map(ToString::to_string).collect(),
                wanted: signing.to_string(),
            });
        }
        Ok(Self {
            asked: asked.clone(),
            hash,
            id: id.to_owned(),
            public,
            signing,
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let (message, kind) = match self.hash {
            Some(hash) => (
                Blob::new(hash.digest(message).as_ref()),
                MessageType::Digest,
            ),
            None if (1..=MAX_RAW).contains(&message.len()) => {
                (Blob::new(message), MessageType::Raw)
            }
            None => {
                return Err(Error::Ed25519Message {
                    bytes: message.len(),
                });
            }
        };
        let Asked {
            client,
            key,
            region,
        } = &self.asked;
        let answer = client
            .sign()
            .key_id(key)
            .message(message)
            .message_type(kind)
            .signing_algorithm(self.signing.clone())
            .send()
            .await
            .map_err(|error| failure(error, key, region))?;
        if let Some(answered) = answer.key_id()
            && bare(answered) != bare(&self.id)
        {
            return Err(Error::OtherKey {
                answered: answered.to_owned(),
                opened: self.id.clone(),
            });
        }
        let signature = answer.signature.map(Blob::into_inner);
        signature.ok_or(Error::AnswerIncomplete { field: "Signature" })
    }
}

impl Signer for KmsKey {
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
                Err(error) => Err(fulcio_signer::Error::new(error.kind(), error)),
            }
        })
    }
}

impl fmt::Debug for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsKey")
            .field("id", &self.id)
            .field("key", &self.asked.key)
            .finish_non_exhaustive()
    }
}

/// AWS answers with an ARN; others that speak its protocol, also with the ID alone.
fn bare(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_arn, id)| id)
}

fn in_kms(algorithm: Algorithm) -> Result<SigningAlgorithmSpec, KeyError> {
    Ok(match algorithm {
        Algorithm::EcdsaP256Sha256 => SigningAlgorithmSpec::EcdsaSha256,
        Algorithm::EcdsaP384Sha384 => SigningAlgorithmSpec::EcdsaSha384,
        Algorithm::EcdsaP521Sha512 => SigningAlgorithmSpec::EcdsaSha512,
        Algorithm::Ed25519 => SigningAlgorithmSpec::Ed25519Sha512,
        Algorithm::RsaPkcs1Sha256 => SigningAlgorithmSpec::RsassaPkcs1V15Sha256,
        other => {
            return Err(KeyError::Unsupported {
                kind: other.to_string(),
            });
        }
    })
}
