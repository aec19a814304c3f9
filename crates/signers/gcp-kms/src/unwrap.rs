use core::time::Duration;

use fulcio_remote_key::Patience;
use fulcio_signer::{KeyUnwrap, Unwrapping};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{
    Error, GcpKmsConfig, UnwrapReference,
    checksum::{checksum, undamaged},
    client::Kms,
};

/// A symmetric key in Google Cloud KMS, which unwraps what it has wrapped: a Tink keyset, without
/// associated data.
///
/// What is tried again, and for how long, is as with [`GcpKmsSigner`](crate::GcpKmsSigner).
#[derive(Debug)]
pub struct GcpKmsUnwrap {
    key: String,
    kms: Kms,
    patience: Patience,
    timeout: Duration,
}

impl GcpKmsUnwrap {
    /// Finds the credentials; the key is not asked for yet.
    ///
    /// # Errors
    /// The configuration cannot be meant, or there are no credentials.
    pub async fn open(reference: &UnwrapReference, config: &GcpKmsConfig) -> Result<Self, Error> {
        let limit = config.open_timeout;
        let kms = timeout(limit, Kms::new(config))
            .await
            .unwrap_or(Err(Error::Deadline { limit, last: None }))?;
        Ok(Self {
            key: reference.key().to_owned(),
            kms,
            patience: Patience::new(config.timeout),
            timeout: config.timeout,
        })
    }

    async fn unwrapped(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let request = self
            .kms
            .client
            .decrypt()
            .set_name(&self.key)
            .set_ciphertext_crc32c(checksum(wrapped))
            .set_ciphertext(wrapped.to_vec());
        let answer = self.kms.ask(&self.key, request.send()).await?;
        let plain = Zeroizing::new(Vec::from(answer.plaintext));
        undamaged(plain, answer.plaintext_crc32c, "plaintextCrc32c")
    }
}

impl KeyUnwrap for GcpKmsUnwrap {
    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> Unwrapping<'a> {
        Box::pin(async {
            self.patience
                .try_until_done(|| self.unwrapped(wrapped))
                .await
                .map_err(|spent| Error::spent(self.timeout, spent).into_signer_error())
        })
    }
}
