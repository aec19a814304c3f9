use core::{fmt, pin::Pin};

use zeroize::Zeroizing;

use crate::Error;

/// Decrypts key material that a key service has wrapped, such as a Tink keyset.
pub trait KeyUnwrap: fmt::Debug + Send + Sync {
    /// Decrypts `wrapped`.
    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> Unwrapping<'a>;
}

/// The answer that [`KeyUnwrap::unwrap_key`] promises; the plaintext is wiped when it is dropped.
pub type Unwrapping<'a> =
    Pin<Box<dyn Future<Output = Result<Zeroizing<Vec<u8>>, Error>> + Send + 'a>>;
