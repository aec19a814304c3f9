use std::sync::Arc;

use fulcio_remote_key::{Patience, Retry, Spent, Timeout, Verified};
use fulcio_signer::{Algorithm, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{AzureConfig, Error, KeyReference, key::VaultKey};

/// A key in Azure Key Vault or Managed HSM.
///
/// It stays with the version of the key that it was opened with, however often the key is rotated
/// meanwhile. What Azure could not do (it was not reached, is broken, asked for fewer requests, had
/// no token at hand) is tried again within the configured time, and what does not verify with the
/// public key is never given out. All else is told at once, and may work the next time.
///
/// Wants a Tokio runtime with a timer.
#[derive(Debug)]
pub struct AzureKeyVaultSigner {
    id: String,
    inner: Verified<Retry<Timeout<VaultKey>>>,
    version: String,
}

impl AzureKeyVaultSigner {
    /// Gets a token, and reads the public key.
    ///
    /// # Errors
    /// The configuration cannot be meant; there are no credentials, or they are not accepted; the
    /// vault is not reached in time, or does not let them see the key; there is no such key, or it
    /// is one that cannot sign.
    pub async fn open(reference: &KeyReference, config: &AzureConfig) -> Result<Self, Error> {
        let client = Arc::new(config.client(reference)?);
        let key = Patience::new(config.open_timeout)
            .try_until_done(|| VaultKey::find(&client, reference))
            .await
            .map_err(|spent| match spent {
                Spent::Failed(error) => error,
                Spent::Late { limit, last } => Error::Deadline {
                    limit,
                    last: last.map(Box::new),
                },
            })?;
        let (id, version) = (key.id().to_owned(), key.version().to_owned());
        let each_try = Timeout::new(key, config.try_timeout);
        match Verified::new(Retry::new(each_try, Patience::new(config.timeout))) {
            Ok(inner) => Ok(Self { id, inner, version }),
            Err(source) => Err(Error::PublicKey {
                key: reference.key().to_owned(),
                source,
            }),
        }
    }

    /// The key that it signs with, as the vault calls it: `https://HOST/keys/NAME/VERSION`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which version of the key it signs with.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Signer for AzureKeyVaultSigner {
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
