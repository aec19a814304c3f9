use fulcio_remote_key::{Patience, Retry, Verified};
use fulcio_signer::{Algorithm, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use tokio::time::{Instant, timeout_at};

use crate::{Error, GcpKmsConfig, KeyReference, client::Kms, key::KmsKey};

/// A version of a key in Google Cloud KMS.
///
/// What Google could not do (it was not reached, is broken, asked for fewer requests, a checksum
/// was wrong, credentials were not at hand) is tried again within the configured time, and what
/// does not verify with the public key is never given out. All else is told at once, and may work
/// the next time.
///
/// The version is looked for once. A newer one, which another chain would have to fit, is used by
/// a signer that is opened after it was made.
///
/// Wants a Tokio runtime with a timer, and no other than the one that opened it: the SDK renews
/// credentials there.
#[derive(Debug)]
pub struct GcpKmsSigner {
    inner: Verified<Retry<KmsKey>>,
    version: String,
}

impl GcpKmsSigner {
    /// Finds the credentials and the version, and reads the public key.
    ///
    /// # Errors
    /// The configuration cannot be meant; there are no credentials; Google Cloud KMS is not reached
    /// in time, or does not let them see the key; there is no such key, or it is one that cannot
    /// sign.
    pub async fn open(reference: &KeyReference, config: &GcpKmsConfig) -> Result<Self, Error> {
        let limit = config.open_timeout;
        let deadline = Instant::now() + limit;
        let kms = timeout_at(deadline, Kms::new(config))
            .await
            .unwrap_or(Err(Error::Deadline { limit, last: None }))?;
        let rest = Patience::new(deadline.saturating_duration_since(Instant::now()));
        let key = rest
            .try_until_done(|| KmsKey::find(&kms, reference))
            .await
            .map_err(|spent| Error::spent(limit, spent))?;
        let version = key.version().to_owned();
        match Verified::new(Retry::new(key, Patience::new(config.timeout))) {
            Ok(inner) => Ok(Self { inner, version }),
            Err(source) => Err(Error::PublicKey {
                key: version,
                source,
            }),
        }
    }

    /// The version that it signs with, by its resource name.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Signer for GcpKmsSigner {
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
