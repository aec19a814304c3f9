use core::{error::Error as StdError, fmt, time::Duration};

/// What a caller is told when it gets no certificate.
///
/// One variant for each answer of Fulcio that can still happen here, and those of our own; the
/// `Display` text is what goes over the wire. `fulcio-api` has the one table that gives each its
/// gRPC code and HTTP status. Fulcio's answers for a configuration missing from the request, and
/// for a certificate or timestamp that cannot be encoded, are not here: the types leave no room for them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new refusal must choose its place on the wire"
)]
pub enum Refusal {
    /// The pair of key and hash may not be used, or the authority does not certify such a key; the
    /// text names it.
    AlgorithmNotPermitted(String),
    /// The authority could not sign.
    Authority,
    /// The CSR is signed in a way we do not know; the text names it.
    CsrAlgorithm(String),
    /// The CSR is not one.
    CsrUnparsable,
    /// The whole request took too long.
    Deadline,
    /// The token was not accepted, for whatever reason.
    IdentityToken,
    /// A fault of ours that has no other name.
    Internal,
    /// The decision could not be written down.
    Journal,
    /// The key is one that must not be certified.
    KeyInsecure,
    /// The key is absent, or is not one.
    KeyUnparsable,
    /// The log refused, or answered what does not verify.
    Log,
    /// The log did not answer in time.
    LogUnavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// Policy says no; the text says why.
    NotAdmitted(String),
    /// More is asked at once than there are places for.
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// No certificate can name this principal; the text says why.
    Principal(String),
    /// The caller asks too often.
    RateLimited {
        /// When to try again.
        retry_after: Duration,
    },
    /// The proof of possession, or the CSR's own signature, does not verify.
    Signature,
    /// The authority's chains could not be read.
    TrustBundle,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlgorithmNotPermitted(text)
            | Self::CsrAlgorithm(text)
            | Self::NotAdmitted(text)
            | Self::Principal(text) => text,
            Self::Authority => "error communicating with CA backend",
            Self::CsrUnparsable => "The certificate signing request could not be parsed",
            Self::Deadline => "the request took too long, try again",
            Self::IdentityToken => "There was an error processing the identity token",
            Self::Internal => "internal error",
            Self::Journal => "error writing the audit trail",
            Self::KeyInsecure => "The public key supplied in the request is insecure",
            Self::KeyUnparsable => "The public key supplied in the request could not be parsed",
            Self::Log | Self::LogUnavailable { .. } => "Error entering certificate in CTL",
            Self::Overloaded { .. } => "the server is busy, try again",
            Self::RateLimited { .. } => "too many requests, try again later",
            Self::Signature => "The signature supplied in the request could not be verified",
            Self::TrustBundle => "error retrieving trust bundle from CA backend",
        })
    }
}

impl StdError for Refusal {}
