use core::time::Duration;

use fulcio_issuance::Refusal;
use http::StatusCode;
use tonic::Code;

/// How a refusal looks on the wire; its text is the refusal's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The code of gRPC, and of the JSON body.
    pub code: Code,
    /// The status of HTTP.
    pub status: StatusCode,
    /// The word in the metrics.
    pub reason: Reason,
    /// When to ask again, where asking again may help.
    pub retry_after: Option<Duration>,
}

/// How long to wait after a deadline that says nothing better.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl From<&Refusal> for Row {
    /// The table. There is no wildcard: a new refusal must choose its row.
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::AlgorithmNotPermitted(_) => Self::invalid(Reason::AlgorithmNotPermitted),
            Refusal::Authority => Self::internal(Reason::Authority),
            Refusal::CsrAlgorithm(_) => Self::invalid(Reason::CsrAlgorithm),
            Refusal::CsrUnparsable => Self::invalid(Reason::CsrUnparsable),
            Refusal::Deadline => Self::unavailable(Reason::Deadline, RETRY_AFTER),
            Refusal::IdentityToken => Self::invalid(Reason::IdentityToken),
            Refusal::Internal => Self::internal(Reason::Internal),
            Refusal::Journal => Self::internal(Reason::Journal),
            Refusal::KeyInsecure => Self::invalid(Reason::KeyInsecure),
            Refusal::KeyUnparsable => Self::invalid(Reason::KeyUnparsable),
            Refusal::Log => Self::internal(Reason::Log),
            Refusal::LogUnavailable { retry_after } => {
                Self::unavailable(Reason::LogUnavailable, *retry_after)
            }
            Refusal::NotAdmitted(_) => Self {
                code: Code::PermissionDenied,
                status: StatusCode::FORBIDDEN,
                reason: Reason::NotAdmitted,
                retry_after: None,
            },
            Refusal::Overloaded { retry_after } => {
                Self::unavailable(Reason::Overloaded, *retry_after)
            }
            Refusal::Principal(_) => Self::invalid(Reason::Principal),
            Refusal::RateLimited { retry_after } => Self {
                code: Code::ResourceExhausted,
                status: StatusCode::TOO_MANY_REQUESTS,
                reason: Reason::RateLimited,
                retry_after: Some(*retry_after),
            },
            Refusal::Signature => Self::invalid(Reason::Signature),
            Refusal::TrustBundle => Self::internal(Reason::TrustBundle),
        }
    }
}

impl Row {
    /// What a caller is told whose message cannot be read at all.
    pub(crate) const MALFORMED: Self = Self::invalid(Reason::Malformed);

    const fn invalid(reason: Reason) -> Self {
        Self {
            code: Code::InvalidArgument,
            status: StatusCode::BAD_REQUEST,
            reason,
            retry_after: None,
        }
    }

    const fn internal(reason: Reason) -> Self {
        Self {
            code: Code::Internal,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            reason,
            retry_after: None,
        }
    }

    const fn unavailable(reason: Reason, retry_after: Duration) -> Self {
        Self {
            code: Code::Unavailable,
            status: StatusCode::SERVICE_UNAVAILABLE,
            reason,
            retry_after: Some(retry_after),
        }
    }

    /// The value of `Retry-After` (RFC 9110 section 10.2.3): whole seconds, and at least one.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let wait = self.retry_after?;
        Some(
            wait.as_millis()
                .div_ceil(1000)
                .max(1)
                .try_into()
                .unwrap_or(u64::MAX),
        )
    }
}

/// Why a request was refused, in the words of `fulcio_refusals_total{reason}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The pair of key and hash may not be used.
    AlgorithmNotPermitted,
    /// The authority could not sign.
    Authority,
    /// The CSR is signed in a way that is not known.
    CsrAlgorithm,
    /// The CSR is not one.
    CsrUnparsable,
    /// The whole request took too long.
    Deadline,
    /// The token was not accepted.
    IdentityToken,
    /// A fault of ours that has no other name.
    Internal,
    /// The decision could not be written down.
    Journal,
    /// The key must not be certified.
    KeyInsecure,
    /// The key is absent, or is not one.
    KeyUnparsable,
    /// The log refused.
    Log,
    /// The log did not answer in time.
    LogUnavailable,
    /// The message could not be read.
    Malformed,
    /// Policy said no.
    NotAdmitted,
    /// More was asked at once than there were places for.
    Overloaded,
    /// No certificate can name the principal.
    Principal,
    /// The caller asked too often.
    RateLimited,
    /// The proof of possession does not verify.
    Signature,
    /// The authority's chains could not be read.
    TrustBundle,
}

impl Reason {
    /// Every reason, in the order of their discriminants.
    pub(crate) const ALL: [Self; 19] = [
        Self::AlgorithmNotPermitted,
        Self::Authority,
        Self::CsrAlgorithm,
        Self::CsrUnparsable,
        Self::Deadline,
        Self::IdentityToken,
        Self::Internal,
        Self::Journal,
        Self::KeyInsecure,
        Self::KeyUnparsable,
        Self::Log,
        Self::LogUnavailable,
        Self::Malformed,
        Self::NotAdmitted,
        Self::Overloaded,
        Self::Principal,
        Self::RateLimited,
        Self::Signature,
        Self::TrustBundle,
    ];

    /// The word; it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlgorithmNotPermitted => "algorithm-not-permitted",
            Self::Authority => "authority",
            Self::CsrAlgorithm => "csr-algorithm",
            Self::CsrUnparsable => "csr-unparsable",
            Self::Deadline => "deadline",
            Self::IdentityToken => "identity-token",
            Self::Internal => "internal",
            Self::Journal => "journal",
            Self::KeyInsecure => "key-insecure",
            Self::KeyUnparsable => "key-unparsable",
            Self::Log => "log",
            Self::LogUnavailable => "log-unavailable",
            Self::Malformed => "malformed",
            Self::NotAdmitted => "not-admitted",
            Self::Overloaded => "overloaded",
            Self::Principal => "principal",
            Self::RateLimited => "rate-limited",
            Self::Signature => "signature",
            Self::TrustBundle => "trust-bundle",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_own_place() {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{reason:?}");
        }
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        for (wait, told) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (5000, 5)] {
            let refusal = Refusal::RateLimited {
                retry_after: Duration::from_millis(wait),
            };
            assert_eq!(Row::from(&refusal).retry_after_seconds(), Some(told));
        }
    }
}
