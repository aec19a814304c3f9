use core::time::Duration;

/// Why bytes are not a signed certificate timestamp, or not one for a given certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SctError {
    /// A field of the JSON form is not base64.
    #[error("`{field}` is not base64")]
    Base64 {
        /// The name of the field.
        field: &'static str,
        /// Where it stops being base64.
        source: base64::DecodeError,
    },
    /// The log says that it signed later than now.
    #[error("the timestamp lies {} ms in the future", .ahead.as_millis())]
    Future {
        /// How far.
        ahead: Duration,
    },
    /// The JSON form is not JSON, or lacks a field.
    #[error("not the JSON form of a timestamp")]
    Json(#[source] serde_json::Error),
    /// It is the promise of another log.
    #[error("the timestamp is of another log")]
    LogId,
    /// The lengths in it do not add up.
    #[error("not a timestamp in TLS encoding")]
    Malformed,
    /// The key cannot have made a signature of this kind.
    #[error("the log's key does not sign with the TLS algorithms ({}, {})", .0[0], .0[1])]
    Scheme([u8; 2]),
    /// The signature does not verify.
    #[error("the log's signature does not verify for this certificate")]
    Signature,
    /// Longer than the encoding can say, or than any real timestamp.
    #[error("too long for a timestamp")]
    TooLong,
    /// A version that this crate does not know (RFC 6962 has 0 only).
    #[error("timestamp version {0} is not known")]
    Version(u64),
}
