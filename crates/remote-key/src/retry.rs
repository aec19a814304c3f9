use core::time::Duration;

use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{Fault, Patience, Spent};

/// A signer that tries again, as its [`Patience`] says.
#[derive(Debug)]
pub struct Retry<S> {
    inner: S,
    patience: Patience,
}

impl<S: Signer> Retry<S> {
    /// Tries `inner` with `patience` for each signature.
    pub fn new(inner: S, patience: Patience) -> Self {
        Self { inner, patience }
    }
}

impl<S: Signer> Signer for Retry<S> {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            self.patience
                .try_until_done(|| self.inner.sign(message))
                .await
                .map_err(|spent| match spent {
                    Spent::Failed(error) => error,
                    Spent::Late { limit, last } => {
                        let kind = last.as_ref().map_or(ErrorKind::Unavailable, Error::kind);
                        let wait = last.as_ref().and_then(Error::retry_after);
                        Error::new(kind, Spent::Late { limit, last }).with_retry_after(wait)
                    }
                })
        })
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after()
    }
}
