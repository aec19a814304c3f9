use core::time::Duration;

use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::Error as Cause;

/// A signer that does not wait for longer than a limit.
///
/// Wants a Tokio runtime with a timer. What is late is dropped.
#[derive(Debug)]
pub struct Timeout<S> {
    inner: S,
    limit: Duration,
}

impl<S: Signer> Timeout<S> {
    /// Gives each signature of `inner` as long as `limit`.
    pub fn new(inner: S, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

impl<S: Signer> Signer for Timeout<S> {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            let limit = self.limit;
            tokio::time::timeout(limit, self.inner.sign(message))
                .await
                .unwrap_or_else(|_elapsed| {
                    Err(Error::new(ErrorKind::Unavailable, Cause::Late { limit }))
                })
        })
    }
}
