use core::time::Duration;

use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

/// Signs as another signer does, after a while.
#[derive(Debug)]
pub struct SlowSigner<S> {
    inner: S,
    delay: Duration,
}

impl<S> SlowSigner<S> {
    /// Waits for `delay` before each signature.
    pub fn new(inner: S, delay: Duration) -> Self {
        Self { inner, delay }
    }
}

impl<S: Signer> Signer for SlowSigner<S> {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.inner.sign(message).await
        })
    }
}

/// Shows another signer's key, and never signs.
#[derive(Debug)]
pub struct FailingSigner<S> {
    inner: S,
    kind: ErrorKind,
}

impl<S> FailingSigner<S> {
    /// Fails with `kind` each time.
    pub fn new(inner: S, kind: ErrorKind) -> Self {
        Self { inner, kind }
    }
}

impl<S: Signer> Signer for FailingSigner<S> {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, _message: &'a [u8]) -> Signing<'a> {
        Box::pin(async { Err(Error::new(self.kind, "told to fail")) })
    }
}

/// Shows one key and signs with another, as a key service does whose key was replaced.
#[derive(Debug)]
pub struct WrongKeySigner<S, T> {
    shown: S,
    signing: T,
}

impl<S, T> WrongKeySigner<S, T> {
    /// Shows the key of `shown`, and signs with `signing`.
    pub fn new(shown: S, signing: T) -> Self {
        Self { shown, signing }
    }
}

impl<S: Signer, T: Signer> Signer for WrongKeySigner<S, T> {
    fn algorithm(&self) -> Algorithm {
        self.shown.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.shown.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.signing.sign(message)
    }
}
