use core::fmt;

use aws_sdk_kms::primitives::Blob;
use fulcio_remote_key::{Fault as _, Patience, Spent};
use fulcio_signer::{KeyUnwrap, Unwrapping};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{AwsConfig, Error, UnwrapKeyReference, failure::failure, key::Asked};

/// A symmetric key in AWS KMS that decrypts what was encrypted with it, such as Tink keysets.
///
/// There is no encryption context, as Tink uses none without associated data. What AWS could not do
/// is tried again within [`AwsConfig::open_timeout`]: keys are unwrapped when something is opened.
///
/// Wants a Tokio runtime with a timer. The credentials must be allowed `kms:Decrypt` with the key.
pub struct AwsKmsUnwrap {
    asked: Asked,
    patience: Patience,
}

impl AwsKmsUnwrap {
    /// Finds the credentials; the key is not asked for yet.
    ///
    /// # Errors
    /// The configuration cannot be meant; there are no credentials, or not in time.
    pub async fn open(reference: &UnwrapKeyReference, config: &AwsConfig) -> Result<Self, Error> {
        let limit = config.open_timeout;
        let asked = timeout(limit, config.asked(reference.as_key()))
            .await
            .unwrap_or(Err(Error::Deadline { limit, last: None }))?;
        Ok(Self {
            asked,
            patience: Patience::new(limit),
        })
    }

    async fn decrypted(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.patience
            .try_until_done(|| self.decrypt(wrapped))
            .await
            .map_err(|spent| match spent {
                Spent::Failed(error) => error,
                Spent::Late { limit, last } => Error::Deadline {
                    limit,
                    last: last.map(Box::new),
                },
            })
    }

    async fn decrypt(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Asked {
            client,
            key,
            region,
        } = &self.asked;
        let answer = client
            .decrypt()
            .key_id(key)
            .ciphertext_blob(Blob::new(wrapped))
            .send()
            .await
            .map_err(|error| of_decrypting(failure(error, key, region), key))?;
        let plaintext = answer
            .plaintext
            .map(|blob| Zeroizing::new(blob.into_inner()));
        plaintext.ok_or(Error::AnswerIncomplete { field: "Plaintext" })
    }
}

impl KeyUnwrap for AwsKmsUnwrap {
    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> Unwrapping<'a> {
        Box::pin(async {
            self.decrypted(wrapped)
                .await
                .map_err(|error| fulcio_signer::Error::new(error.kind(), error))
        })
    }
}

impl fmt::Debug for AwsKmsUnwrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKmsUnwrap")
            .field("key", &self.asked.key)
            .finish_non_exhaustive()
    }
}

/// What some refusals mean when it was not a signature that was asked for.
fn of_decrypting(error: Error, key: &str) -> Error {
    match error {
        Error::KeyUsage { key, usage } => Error::UnwrapKeyUsage { key, usage },
        Error::Refused { code, message, .. } if OTHER_KEY.contains(&code.as_str()) => {
            Error::Ciphertext {
                code,
                key: key.to_owned(),
                message,
            }
        }
        other => other,
    }
}

const OTHER_KEY: [&str; 2] = ["IncorrectKeyException", "InvalidCiphertextException"];
