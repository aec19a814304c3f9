//! Certificate transparency as a client sees it (RFC 6962).
//!
//! [`TransparencyLog`] is the seam: whatever takes a certificate or a precertificate and answers
//! with a [`SignedCertificateTimestamp`]. [`HttpLog`] is a log behind HTTP; the embedded log of
//! `fulcio-ct-log` is another one. What is the same for all of them are wrappers, which are logs
//! too: a [`Breaker`] does not ask a [`RemoteLog`] that cannot be had, and [`Observed`] tells of
//! every answer. [`Logs`] asks several and knows how many must promise.
//!
//! What a log promised is checked against the certificate and the log's key, and goes into the
//! certificate as a list:
//!
//! ```
//! use fulcio_ct_client::{Entry, Submission, TransparencyLog, encode_sct_list};
//! use fulcio_testkit::log::FakeLog;
//! use pki_types::CertificateDer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `HttpLog::new(&HttpLogConfig::new("https://log.example.com/2026", Some(key), clock))` in earnest.
//! let log = FakeLog::new();
//! let certificate = CertificateDer::from_slice(b"a certificate");
//! let submission = Submission {
//!     entry: Entry::Certificate(&certificate),
//!     certificate: &certificate,
//!     issuers: &[],
//! };
//! let timestamp = log.submit(submission).await?;
//! timestamp.verify(&submission.entry, log.key(), None)?;
//! let extension = encode_sct_list(&[timestamp]);
//! # assert!(!extension.is_empty());
//! # Ok(())
//! # }
//! ```

mod accepted_roots;
mod breaker;
mod clock;
mod connections;
mod connector;
mod digitally_signed;
mod entry;
mod error;
mod http_config;
mod http_log;
mod log;
mod log_failures;
mod log_key;
mod log_observer;
mod logs;
mod proxy;
mod remote_log;
mod retry;
mod sct;
mod sct_error;
mod sct_list;
mod submission;
mod timestamps;
mod tls;

pub use accepted_roots::AcceptedRoots;
pub use breaker::{Breaker, BreakerOptions, BreakerState};
pub use clock::Clock;
pub use digitally_signed::{DigitallySigned, SignatureScheme};
pub use entry::Entry;
pub use error::{Error, Failure};
pub use http_config::{HttpLogConfig, HttpLogError};
pub use http_log::HttpLog;
pub use log::{Submission, Submitting, TransparencyLog};
pub use log_failures::LogFailures;
pub use log_key::{LogKey, LogKeyError};
pub use log_observer::{LogObserver, Observed};
pub use logs::{Logs, LogsError, NamedLog, Rule};
pub use proxy::Proxy;
pub use remote_log::{FetchingRoots, RemoteLog};
pub use sct::SignedCertificateTimestamp;
pub use sct_error::SctError;
pub use sct_list::{decode_sct_list, encode_sct_list};
pub use timestamps::Timestamps;
