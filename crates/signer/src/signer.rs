use core::{fmt, pin::Pin};

use pki_types::SubjectPublicKeyInfoDer;

use crate::{Algorithm, Error};

/// Holds an issuing key.
///
/// An implementation reads its algorithm and its public key once, when it is opened, so only
/// [`sign`](Self::sign) may wait. It need not check that a chain fits its key: whoever issues
/// with it does (`IssuingKey::new` of `fulcio-issuance`). Timeouts, retries and metrics are
/// wrappers that are signers too.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The algorithm of every signature this signer makes.
    fn algorithm(&self) -> Algorithm;

    /// The public half of the key.
    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_>;

    /// Signs `message`, which is *not* hashed yet.
    ///
    /// A back end whose service wants a digest makes it, by [`algorithm`](Self::algorithm).
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a>;

    /// Whether its signatures are good without another look: the key is in the memory of this
    /// process, or each signature is verified before it is given out.
    ///
    /// A signer that does not say so has every signature verified by whoever issues with it.
    fn is_verified(&self) -> bool {
        false
    }
}

/// The answer that [`Signer::sign`] promises.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Signature, Error>> + Send + 'a>>;

/// A signature as X.509 wants it: a DER `ECDSA-Sig-Value` (RFC 3279) for ECDSA, the bare bytes for
/// RSA and Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a name for bytes")]
pub struct Signature(pub Vec<u8>);

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn algorithm(&self) -> Algorithm {
        (**self).algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        (**self).public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        (**self).sign(message)
    }

    fn is_verified(&self) -> bool {
        (**self).is_verified()
    }
}
