use core::fmt;
use std::sync::Arc;

use fulcio_remote_key::PublicKey;
use fulcio_signer::{Algorithm, Signature, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use tokio::time::timeout;

use crate::{Error, KeyReference, token::Shared, worker::Workers};

/// A key in a token.
///
/// A session that is lost, and a token that was taken out and put back, are found again by the
/// next signature. What does not verify with the public key is never given out.
///
/// Wants a Tokio runtime with a timer.
pub struct Pkcs11Signer {
    token: Arc<Shared>,
    key: KeyReference,
    public: Arc<PublicKey>,
    workers: Workers,
}

impl Pkcs11Signer {
    pub(crate) fn new(
        token: Arc<Shared>,
        key: KeyReference,
        public: PublicKey,
        threads: usize,
    ) -> Result<Self, Error> {
        let public = Arc::new(public);
        let workers = Workers::start(&token, &key, &public, threads)?;
        Ok(Self {
            token,
            key,
            public,
            workers,
        })
    }

    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let deadline = self.token.config.deadline;
        let answer = self.workers.sign(message)?;
        match timeout(deadline, answer).await {
            Ok(answer) => answer.map_err(|_closed| Error::ThreadEnded)?,
            Err(_elapsed) => Err(Error::Deadline(deadline)),
        }
    }
}

impl Signer for Pkcs11Signer {
    fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.public.spki()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async {
            self.signature(message)
                .await
                .map(Signature)
                .map_err(|error| fulcio_signer::Error::new(error.kind(), error))
        })
    }

    /// Each worker verifies what its session gave it.
    fn is_verified(&self) -> bool {
        true
    }
}

impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Signer")
            .field("token", &self.token.config.token)
            .field("key", &self.key)
            .field("algorithm", &self.public.algorithm())
            .finish_non_exhaustive()
    }
}
