use fulcio_remote_key::{Patience, Retry, Spent, Timeout, Verified};
use fulcio_signer::{Algorithm, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use tokio::time::timeout;

use crate::{
    Error, KeyReference, VaultConfig,
    client::Client,
    transit::{TransitKey, find},
};

/// A key in the transit engine of HashiCorp Vault or OpenBao.
///
/// It stays with the version of the key that it was opened with. What Vault could not do (it was
/// not reached, is sealed, has no leader, asked for fewer requests) is tried again within the
/// configured time, and what does not verify with the public key is never given out.
///
/// Wants a Tokio runtime with a timer.
#[derive(Debug)]
pub struct HashivaultSigner {
    inner: Verified<Retry<Timeout<TransitKey>>>,
    version: u32,
}

impl HashivaultSigner {
    /// Reads the token and the public key.
    ///
    /// # Errors
    /// The configuration cannot be meant; Vault is not reached in time, or does not let the token
    /// see the key; there is no such key, or it is one that cannot sign.
    pub async fn open(reference: &KeyReference, config: &VaultConfig) -> Result<Self, Error> {
        let client = Client::new(config).await?;
        let patience = Patience::new(config.timeout);
        let limit = config.try_timeout;
        let attempt = || async {
            let found = timeout(limit, find(&client, config, reference)).await;
            found.unwrap_or(Err(Error::Late { limit }))
        };
        let found = patience
            .try_until_done(attempt)
            .await
            .map_err(|spent| match spent {
                Spent::Failed(error) => error,
                Spent::Late { limit, last } => Error::Deadline {
                    limit,
                    last: last.map(Box::new),
                },
            })?;
        let key = TransitKey::new(client, config, reference, found)?;
        let version = key.version();
        let inner = Verified::new(Retry::new(Timeout::new(key, limit), patience));
        match inner {
            Ok(inner) => Ok(Self { inner, version }),
            Err(source) => Err(Error::PublicKey {
                key: reference.name().to_owned(),
                source,
            }),
        }
    }

    /// Which version of the key it signs with.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl Signer for HashivaultSigner {
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
