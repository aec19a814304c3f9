//! Fakes, vectors and conformance suites for the crates and for authors of signers.
//!
//! [`idp`] stands in for an identity provider and [`log`] for a transparency log; both do real
//! cryptography and misbehave when they are told to. [`signer`] is the suite that every signer passes,
//! and holds signers that do not pass it.
//!
//! ```
//! use fulcio_ct_client::{Entry, Submission, TransparencyLog};
//! use fulcio_testkit::log::{Behaviour, FakeLog};
//! use pki_types::CertificateDer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = FakeLog::new();
//! let certificate = CertificateDer::from(b"a certificate in DER".to_vec());
//! let entry = Entry::Certificate(&certificate);
//! let submission = Submission { entry, certificate: &certificate, issuers: &[] };
//!
//! let timestamp = log.submit(submission).await?;
//! timestamp.verify(&entry, log.key(), None)?;
//!
//! log.behave(Behaviour::Unavailable);
//! assert!(log.submit(submission).await.is_err());
//! # Ok(())
//! # }
//! ```

pub mod idp;
pub mod log;
pub mod signer;

pub use signer::signer_conformance;
