use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{Error as Cause, PublicKey};

/// A signer that gives out no signature which does not verify with its public key.
///
/// Services answer with another key's signature when a key was replaced behind their back, and
/// with garbage when they are broken; neither may end up in a certificate.
#[derive(Debug)]
pub struct Verified<S> {
    inner: S,
    key: PublicKey,
}

impl<S: Signer> Verified<S> {
    /// Prepares to verify what `inner` signs.
    ///
    /// # Errors
    /// Its public key is none that can be verified with, or not one for its algorithm.
    pub fn new(inner: S) -> Result<Self, Cause> {
        let key = PublicKey::from_spki(inner.public_key().as_ref())?;
        let (said, algorithm) = (inner.algorithm(), key.algorithm());
        if said == algorithm {
            Ok(Self { inner, key })
        } else {
            let key = algorithm;
            Err(Cause::AlgorithmOfAnotherKey { said, key })
        }
    }
}

impl<S: Signer> Signer for Verified<S> {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.key.spki()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move {
            let signature = self.inner.sign(message).await?;
            match self.key.verify(message, &signature.0) {
                Ok(()) => Ok(signature),
                Err(cause) => Err(Error::new(ErrorKind::WrongKey, cause)),
            }
        })
    }

    fn is_verified(&self) -> bool {
        true
    }
}
