use core::time::Duration;

use fulcio_ct_log::reader::{self, NoteError};

use crate::ProofError;

/// Why a certificate was not had, not read, or not trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chain does not lead to a trusted root, or may not sign code.
    #[error("the certificate is not under a trusted root for code signing: {0}")]
    Chain(#[source] webpki::Error),
    /// A certificate in an answer or a file is not PEM.
    #[error("this is not a PEM certificate: {0}")]
    ChainPem(#[source] pki_types::pem::Error),
    /// The log's tree does not begin with an earlier one.
    #[error("the log does not prove that it has only grown since it had {size} entries: {source}")]
    Consistency {
        /// How many entries the earlier tree has.
        size: u64,
        /// What is wrong.
        source: reader::Error,
    },
    /// A certificate is not the DER it should be.
    #[error("the certificate cannot be read: {0}")]
    Der(#[from] der::Error),
    /// The earlier checkpoint is not the log's.
    #[error("the earlier checkpoint is not believed: {0}")]
    Earlier(#[source] NoteError),
    /// The log has signed two trees of one size.
    #[error("the log has signed two different trees of {size} entries: it has forked")]
    Forked {
        /// How many entries both have.
        size: u64,
    },
    /// The certificate's identity is not the expected one.
    #[error("the certificate is for {found}, not for {expected}")]
    Identity {
        /// Whom the certificate names.
        found: String,
        /// Whom it should name.
        expected: String,
    },
    /// The log does not hold the certificate where its timestamp says.
    #[error("the log does not prove that it holds the certificate: {0}")]
    Inclusion(#[source] reader::Error),
    /// The certificate's issuer of identities is not the expected one.
    #[error("the identity was vouched for by {found}, not by {expected}")]
    Issuer {
        /// The issuer that the certificate names.
        found: String,
        /// The one it should name.
        expected: String,
    },
    /// An answer is not the JSON it should be.
    #[error("{url} did not answer with the expected JSON: {source}")]
    Json {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// The key could not be made or used.
    #[error("the key could not be made or used")]
    Key(#[source] aws_lc_rs::error::Unspecified),
    /// The key that was just made was refused.
    #[error("the key could not be used: {0}")]
    KeyRejected(#[source] aws_lc_rs::error::KeyRejected),
    /// The answer holds no certificate.
    #[error("the answer holds no certificate")]
    NoCertificate,
    /// The certificate has no timestamp of the given log.
    #[error("the certificate holds no timestamp of this log (log ID {log_id})")]
    NoTimestamp {
        /// The log's ID in hexadecimal.
        log_id: String,
    },
    /// A saved proof shows nothing of the earlier tree that it should be about.
    #[error(
        "the saved proof does not tell whether the log has only grown since it had {size} entries: \
         ask the log"
    )]
    NotSince {
        /// How many entries the earlier tree has.
        size: u64,
    },
    /// An answer is not text.
    #[error("{url} did not answer with text")]
    NotText {
        /// What was asked.
        url: String,
    },
    /// The log has not published the certificate, and may still do so.
    #[error(
        "the log does not hold the certificate yet, only the first {size} entries are published: \
         wait a second and try again"
    )]
    NotYet {
        /// How many entries the published tree has.
        size: u64,
    },
    /// The saved proof is of another certificate.
    #[error("the saved proof is of another certificate")]
    OtherCertificate,
    /// The certificate was not valid when the log saw it.
    #[error("the log saw the certificate {} s {}", .by.as_secs(), if *.early { "before it was valid" } else { "after it had expired" })]
    OutsideValidity {
        /// By how much.
        by: Duration,
        /// Whether it was too early.
        early: bool,
    },
    /// PEM could not be written.
    #[error("PEM could not be written: {0}")]
    Pem(#[source] pem_rfc7468::Error),
    /// A file is not a saved proof.
    #[error("this is not a saved proof: {0}")]
    Proof(#[from] ProofError),
    /// The server said no.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The log's tree is smaller than one that it had before.
    #[error("the log has shrunk: its tree has {size} entries, and had {earlier} before")]
    Shrunk {
        /// How many entries the earlier tree has.
        earlier: u64,
        /// How many entries the tree has.
        size: u64,
    },
    /// The timestamp is not the log's.
    #[error("the timestamp in the certificate is not good: {0}")]
    Timestamp(#[source] fulcio_ct_client::SctError),
    /// The server was not reached.
    #[error("{url} could not be reached: {source}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why not.
        source: Box<ureq::Error>,
    },
    /// The certificate is not for signing code.
    #[error("the certificate is not for signing code")]
    Usage,
    /// The log has not published the certificate, long after it has promised to.
    #[error(
        "the log has broken its promise: its tree of {size} entries, signed {} h after the promise, \
         does not hold the certificate", .after.as_secs() / 3600
    )]
    Withheld {
        /// How many entries the published tree has.
        size: u64,
        /// The time between promise and tree.
        after: Duration,
    },
}

impl Error {
    /// Whether this is a judgement of a certificate: it was looked at, and it is not to be trusted.
    /// Otherwise something else went wrong, and it may be good or not.
    #[must_use]
    pub fn is_judgement(&self) -> bool {
        match self {
            Self::Chain(_)
            | Self::Forked { .. }
            | Self::Identity { .. }
            | Self::Issuer { .. }
            | Self::NoTimestamp { .. }
            | Self::OtherCertificate
            | Self::OutsideValidity { .. }
            | Self::Shrunk { .. }
            | Self::Timestamp(_)
            | Self::Usage
            | Self::Withheld { .. } => true,
            Self::Consistency { source: error, .. } | Self::Inclusion(error) => {
                !matches!(error, reader::Error::Fetch { .. })
            }
            Self::Earlier(error) => *error != NoteError::Malformed,
            Self::ChainPem(_)
            | Self::Der(_)
            | Self::Json { .. }
            | Self::Key(_)
            | Self::KeyRejected(_)
            | Self::NoCertificate
            | Self::NotSince { .. }
            | Self::NotText { .. }
            | Self::NotYet { .. }
            | Self::Pem(_)
            | Self::Proof(_)
            | Self::Refused { .. }
            | Self::Unreachable { .. } => false,
        }
    }
}
