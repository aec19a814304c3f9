//! The one place that knows the order of things: from a token and a proof to a logged certificate.
//!
//! A [`Pipeline`] takes what a client sends, a [`Request`], and walks it through the stages: the
//! [`Authenticator`] makes an identity, the proof makes a proven key, and a [`CertificateIssuer`]
//! makes the certificate. Who authenticates callers in another way uses the
//! [`CertificateIssuer`] alone.
//!
//! The seams, all object safe: [`CertificateAuthority`] (whoever signs; [`LocalAuthority`] signs with
//! an [`IssuingKey`]), [`Admission`] (policy), [`Journal`] (the audit trail), [`Clock`] and
//! [`SerialNumbers`]. An [`Observer`] in the [`RequestContext`] is told how long each stage took.
//!
//! What the caller may be told about a failure is a [`Refusal`]; everything else about it is in
//! the [`Error`], for the operator.
//!
//! ```
//! use std::sync::Arc;
//!
//! use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName};
//! use fulcio_issuance::{
//!     CertificateIssuer, Clock as _, IssuingKey, LocalAuthority, RandomSerialNumbers,
//!     SerialNumbers as _, SystemClock, ca_certificate,
//! };
//! use fulcio_signer::Algorithm;
//! use fulcio_signer_file::EphemeralSigner;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A root for this process only.
//! let signer = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384)?;
//! let template = CaTemplate::root(DistinguishedName::new("Example", "Example root"));
//! let serial = RandomSerialNumbers::default().next()?;
//! let root = ca_certificate(&template, &signer, None, serial, SystemClock.now()).await?;
//! let chain = CaChain::new(vec![root], SystemClock.now())?;
//!
//! // It issues for whomever its user has authenticated; a `Pipeline` does that with tokens.
//! let key = IssuingKey::new(chain, Box::new(signer))?;
//! let issuer = CertificateIssuer::new(Arc::new(LocalAuthority::new(key)));
//! # let _ = issuer;
//! # Ok(())
//! # }
//! ```

mod admission;
mod authority;
mod ca_certificate;
mod clock;
mod context;
mod error;
mod issuer;
mod issuing_key;
mod journal;
mod local;
mod observer;
mod pipeline;
mod refusal;
mod serial;

pub use admission::{Admission, Admitting, Denied};
pub use authority::{CertificateAuthority, Certified, Issuing, Timestamp};
pub use ca_certificate::ca_certificate;
pub use clock::{Clock, SystemClock};
pub use context::{PrecertificateEntry, RequestContext};
pub use error::Error;
pub use fulcio_principal::Authenticator;
pub use issuer::CertificateIssuer;
pub use issuing_key::{IssuingKey, IssuingKeyError};
pub use journal::{Decision, Journal, JournalError, Journals, Recording};
pub use local::LocalAuthority;
pub use observer::{Observer, Outcome, Stage};
pub use pipeline::{Pipeline, Request};
pub use refusal::Refusal;
pub use serial::{RandomSerialNumbers, SerialNumbers};
