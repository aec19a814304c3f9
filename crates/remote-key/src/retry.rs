use core::{error::Error as StdError, time::Duration};

use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{Fault, Patience, Spent};

/// A signer that tries again, as its [`Patience`] says.
///
/// How long a service asked to be left alone is read from a [`RetryAfter`] among the causes of
/// the inner signer's error.
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
                        Error::new(kind, Spent::Late { limit, last })
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
        let mut next = self.source();
        while let Some(cause) = next {
            if let Some(asked) = cause.downcast_ref::<RetryAfter>() {
                return Some(asked.wait);
            }
            next = cause.source();
        }
        None
    }
}

/// A cause that says how long to wait before the next try, as the `Retry-After` of HTTP does (RFC
/// 9110 section 10.2.3).
#[derive(Debug, thiserror::Error)]
#[error("the service asked to be left alone for {} ms", .wait.as_millis())]
pub struct RetryAfter {
    wait: Duration,
    #[source]
    cause: Box<dyn StdError + Send + Sync>,
}

impl RetryAfter {
    /// Says that the service which failed so asked to be left alone for `wait`.
    pub fn new(wait: Duration, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            wait,
            cause: cause.into(),
        }
    }
}
