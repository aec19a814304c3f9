//! From a signed challenge or a CSR to a key its caller holds; the key policy.
//!
//! A caller proves that it holds a private key in one of two ways: it signs its own identity (the
//! *challenge*), or it sends a certification request (RFC 2986) that the key signed. Either is a
//! [`Proof`]; checking it gives a [`ProvenKey`], which remembers which of the two it was.
//!
//! A [`PublicKey`] has been through the whole key policy: RSA of exactly 2048, 3072 or 4096 bits
//! with exponent 65537, no prime factor below 752, no ROCA fingerprint (CVE-2017-15361) and no
//! factors that Fermat's method finds in 100 rounds; ECDSA on P-256, P-384 or P-521 with a point
//! that is on its curve; Ed25519. [`PermittedAlgorithms`] says which key may sign with which hash.
//!
//! Nothing else in a certification request is used, neither its subject nor its extensions, but a
//! request in which they cannot be read is refused. [`Error`]'s texts are those of Fulcio.
//!
//! ```
//! use aws_lc_rs::{
//!     encoding::AsDer,
//!     rand::SystemRandom,
//!     signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
//! };
//! use fulcio_challenge::{PermittedAlgorithms, Proof, ProvenBy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
//! let signature = key.sign(&SystemRandom::new(), b"ada@example.com")?;
//! let spki = key.public_key().as_der()?;
//!
//! let proof = Proof::Challenge {
//!     key: spki.as_ref(),
//!     signature: signature.as_ref(),
//! };
//! let proven = proof.verify("ada@example.com", &PermittedAlgorithms::default())?;
//!
//! assert_eq!(proven.spki().as_ref(), spki.as_ref());
//! assert_eq!(proven.proven_by(), &ProvenBy::Challenge("ada@example.com".into()));
//! assert!(proof.verify("eve@example.com", &PermittedAlgorithms::default()).is_err());
//! # Ok(())
//! # }
//! ```

mod certification_request;
mod ecdsa_signature;
mod error;
mod kind;
mod modulus;
mod name;
mod pem;
mod permitted;
mod proof;
mod public_key;
mod scheme;
mod unchecked_key;

pub use error::{DerError, Error, Malformed, Weakness};
pub use kind::{Hash, KeyKind};
pub use permitted::{PermittedAlgorithms, UnknownAlgorithm};
pub use proof::{Proof, ProvenBy, ProvenKey};
pub use public_key::PublicKey;
pub use scheme::UnrecognizedAlgorithm;
