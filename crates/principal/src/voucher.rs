use std::sync::Arc;

/// Which entry of the configuration spoke for a caller, or judged its token.
///
/// It is for the audit trail and the log: nothing of it gets into a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an entry and its rule")]
pub struct Voucher {
    /// The URL or pattern of the issuer as it is configured.
    pub issuer: Arc<str>,
    /// The rule by which its callers are named, such as `email`.
    pub kind: Arc<str>,
}
