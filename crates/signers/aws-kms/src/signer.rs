use fulcio_remote_key::{Patience, Retry, Spent, Timeout, Verified};
use fulcio_signer::{Algorithm, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use tokio::time::{Instant, timeout_at};

use crate::{AwsConfig, Error, KeyReference, key::KmsKey};

/// A key in AWS KMS.
///
/// What AWS could not do (it was not reached, is broken, asked for fewer requests, credentials
/// were not at hand) is tried again within the configured time, and what does not verify with the
/// public key is never given out. All else is told at once, and may work the next time: nothing is
/// remembered of a failure.
///
/// The key is asked for as it was named. A signer that was opened by an alias does not follow the
/// alias to another key; it fails until the alias is back, or the signer is opened again.
///
/// Wants a Tokio runtime with a timer.
#[derive(Debug)]
pub struct AwsKmsSigner {
    id: String,
    inner: Verified<Retry<Timeout<KmsKey>>>,
}

impl AwsKmsSigner {
    /// Finds the credentials, and reads the public key.
    ///
    /// # Errors
    /// The configuration cannot be meant; there are no credentials; AWS KMS is not reached in time,
    /// or does not let them see the key; there is no such key, or it is one that cannot sign.
    pub async fn open(reference: &KeyReference, config: &AwsConfig) -> Result<Self, Error> {
        let limit = config.open_timeout;
        let deadline = Instant::now() + limit;
        let asked = timeout_at(deadline, config.asked(reference))
            .await
            .unwrap_or(Err(Error::Deadline { limit, last: None }))?;
        let rest = Patience::new(deadline.saturating_duration_since(Instant::now()));
        let key =
            rest.try_until_done(|| KmsKey::find(&asked))
                .await
                .map_err(|spent| match spent {
                    Spent::Failed(error) => error,
                    Spent::Late { last, .. } => Error::Deadline {
                        limit,
                        last: last.map(Box::new),
                    },
                })?;
        let id = key.id().to_owned();
        let each_try = Timeout::new(key, config.try_timeout);
        match Verified::new(Retry::new(each_try, Patience::new(config.timeout))) {
            Ok(inner) => Ok(Self { id, inner }),
            Err(source) => Err(Error::PublicKey {
                key: reference.key().to_owned(),
                source,
            }),
        }
    }

    /// The key that it signs with, as AWS calls it: its ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Signer for AwsKmsSigner {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.inner.sign(message)
    }

    fn is_verified(&self) -> bool {
        self.inner.is_verified()
    }
}
