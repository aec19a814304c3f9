//! The audit trail: a hash-chained record of every decision, in lines of JSON.
//!
//! An [`AuditLog`] is a [`Journal`](fulcio_issuance::Journal), so a
//! [`CertificateIssuer`](fulcio_issuance::CertificateIssuer) waits for it before a certificate leaves. Each
//! line has the hash of the one before and its own; [`verify`] finds a line that was changed, removed,
//! moved or put in between. A [`Trail`] is what was read from files, and [`Comparison`] holds it against what a
//! transparency log has: what is in one and not in the other was issued round the server, or lost.
//!
//! What the lines look like is in `docs/audit.md`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use fulcio_audit_log::{AuditLog, Expectation, Options, RefusalWords, files_of, verify};
//! use fulcio_issuance::SystemClock;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("audit.jsonl");
//! let words = |_refusal: &_| RefusalWords { code: "Internal", reason: "internal" };
//! let options = Options::new("node-1", Arc::new(SystemClock), words);
//! let log = AuditLog::open(&path, options)?; // … `.with_journal(Arc::new(log))`
//! log.close().await?;
//!
//! let verified = verify(&files_of(&path)?, &Expectation::default())?;
//! assert!(verified.findings.is_empty());
//! assert_eq!(verified.node.as_deref(), Some("node-1"));
//! # Ok(())
//! # }
//! ```

mod audit_log;
mod certificate_facts;
mod comparison;
mod digest;
mod error;
mod files;
mod finding;
mod line;
mod medium;
#[cfg(test)]
mod medium_tests;
mod notice;
mod observer;
mod options;
mod outcome;
mod record;
mod trail;
mod verification;
mod writer;

pub use audit_log::AuditLog;
pub use certificate_facts::{CertificateFacts, KeyKind, SerialNumber};
pub use comparison::{Comparison, Discrepancies, LogEntry, Unlogged, Unrecorded};
pub use digest::{Digest, NotADigest};
pub use error::{Error, WriteError};
pub use files::files_of;
pub use finding::{Finding, Problem};
pub use line::Head;
pub use observer::AuditObserver;
pub use options::{Options, RefusalWords};
pub use outcome::Outcome;
pub use trail::{Trail, by_node};
pub use verification::{Expectation, Verification, verify};
