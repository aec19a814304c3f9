//! The seam to whatever holds an issuing key, near or far.
//!
//! A back end implements [`Signer`], one small trait; a back end that only unwraps keys for
//! others (as a key service does for Tink keysets) implements [`KeyUnwrap`]. There is no
//! cryptography in this crate. The conformance suite that every signer must pass is
//! `fulcio_testkit::signer`.
//!
//! ```
//! use fulcio_signer::{Algorithm, Error, ErrorKind, Signature, Signer, Signing};
//! use pki_types::SubjectPublicKeyInfoDer;
//!
//! /// Holds no key; always says so.
//! #[derive(Debug)]
//! struct Broken;
//!
//! impl Signer for Broken {
//!     fn algorithm(&self) -> Algorithm {
//!         Algorithm::EcdsaP256Sha256
//!     }
//!     fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
//!         SubjectPublicKeyInfoDer::from(&[][..])
//!     }
//!     fn sign<'a>(&'a self, _message: &'a [u8]) -> Signing<'a> {
//!         Box::pin(async { Err(Error::new(ErrorKind::Unavailable, "no key in here")) })
//!     }
//! }
//! ```

mod algorithm;
mod error;
mod key_unwrap;
mod signer;

pub use algorithm::Algorithm;
pub use error::{Error, ErrorKind};
pub use key_unwrap::{KeyUnwrap, Unwrapping};
pub use signer::{Signature, Signer, Signing};
