//! What a certificate says, byte for byte; who signs it is not decided here.
//!
//! A [`CertificateProfile`] turns a principal and a public key into a [`Leaf`], which anybody may
//! read. A leaf [issued by](Leaf::issued_by) an [`Issuer`] gives the precertificate for a
//! transparency log and the certificate; both come from the same bytes, so they cannot differ in
//! anything but poison and timestamps. [`Unsigned`] is what a signer gets. A [`CaChain`] is made
//! only of certificates that may sign code-signing certificates at that time, and a
//! [`CaTemplate`] makes new ones, or requests for them ([`CertificationRequest`]). A [`Review`] says
//! which rules of Sigstore's certificate specification a CA certificate breaks.
//!
//! Nothing here signs, fetches, or reads a clock: time, serial numbers and signatures come in.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
//! use aws_lc_rs::{encoding::AsDer, rand::SystemRandom};
//! use fulcio_cert_builder::{CaChain, CaTemplate, CertificateProfile, SerialNumber, pem};
//! use fulcio_principal::{Extensions, Principal, SubjectAltName};
//! use pki_types::SubjectPublicKeyInfoDer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
//! let ca_key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
//! let client = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
//! let spki = |key: &EcdsaKeyPair| -> Result<_, aws_lc_rs::error::Unspecified> {
//!     Ok(SubjectPublicKeyInfoDer::from(key.public_key().as_der()?.as_ref().to_vec()))
//! };
//! let sign = |message: &[u8]| ca_key.sign(&SystemRandom::new(), message);
//!
//! // An authority of one certificate.
//! let root = CaTemplate::ephemeral().unsigned(
//!     spki(&ca_key)?,
//!     SerialNumber::from_random([1; 20]),
//!     now,
//!     None,
//! )?;
//! let signature = sign(root.to_be_signed())?;
//! let chain = CaChain::new(vec![root.signed(signature.as_ref())], now)?;
//!
//! // A certificate for Ada, without a log.
//! let ada = Principal::new(
//!     "ada@example.com",
//!     SubjectAltName::Email("ada@example.com".into()),
//!     Extensions::for_issuer("https://accounts.example.com"),
//! );
//! let leaf = CertificateProfile::CODE_SIGNING.leaf(
//!     &ada,
//!     spki(&client)?,
//!     SerialNumber::from_random([2; 20]),
//!     now,
//! )?;
//! let certificate = leaf.issued_by(chain.issuer())?.certificate(None);
//! let signature = sign(certificate.to_be_signed())?;
//! println!("{}", pem(&certificate.signed(signature.as_ref())));
//! # Ok(())
//! # }
//! ```

mod ca_certificate;
mod ca_chain;
mod ca_template;
mod certification_request;
mod deviation;
mod distinguished_name;
mod elements;
mod error;
mod expected;
mod extension;
mod issued_leaf;
mod issuer;
mod leaf;
mod name_constraints;
mod pem;
mod profile;
mod public_key;
mod raw_certificate;
mod review;
mod serial_number;
mod signature;
mod subject_alt_name;
mod unsigned;
mod validity;
mod violation;
mod writer;

pub use ca_chain::CaChain;
pub use ca_template::{CaTemplate, Lifetime};
pub use certification_request::{CertificationRequest, UnsignedRequest};
pub use deviation::Deviation;
pub use distinguished_name::DistinguishedName;
pub use error::{DecodeError, Error, Link};
pub use issued_leaf::IssuedLeaf;
pub use issuer::Issuer;
pub use leaf::{Leaf, LeafExtension};
pub use name_constraints::{NameConstraint, NameConstraints, NameForm};
pub use pem::{pem, request_pem};
pub use profile::CertificateProfile;
pub use review::{Advice, Review, Role};
pub use serial_number::SerialNumber;
pub use unsigned::Unsigned;
pub use validity::Validity;
pub use violation::Violation;
