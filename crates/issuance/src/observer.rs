use core::{fmt, time::Duration};

use crate::Error;

/// Is told of every stage of every request as it ends: for metrics.
///
/// It is called on the way of the request, so it must neither wait nor fail.
pub trait Observer: fmt::Debug + Send + Sync {
    /// `stage` has ended after this time.
    fn ended(&self, stage: Stage, outcome: Outcome<'_>, after: Duration);

    /// A precertificate was signed, and no certificate came of it: no log promised, nobody waited
    /// any more, or the key did not sign again.
    fn precertificate_unused(&self);
}

/// One step on the way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The token is checked. Where keys have to be fetched first, that is part of it.
    Authenticate,
    /// The key is checked, and the proof that the caller holds it.
    Proof,
    /// [`Admission`](crate::Admission) is asked; only where there is one.
    Admit,
    /// The precertificate is built and signed; only where timestamps are embedded.
    SignPrecertificate,
    /// The log is waited for; only where there is one.
    Log,
    /// The certificate is built and signed, here by a [`LocalAuthority`](crate::LocalAuthority) or
    /// elsewhere.
    Sign,
    /// The [`Journal`](crate::Journal) is waited for, for a certificate or a refusal.
    Journal,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new end must break every observer"
)]
pub enum Outcome<'a> {
    /// Nobody waits for it any more: the request's time was over, or its caller has gone away.
    Abandoned,
    /// It stopped the request.
    Failed(&'a Error),
    /// The request went on.
    Passed,
}

impl Stage {
    /// Every stage, in the order of a request and of their discriminants.
    pub const ALL: [Self; 7] = [
        Self::Authenticate,
        Self::Proof,
        Self::Admit,
        Self::SignPrecertificate,
        Self::Log,
        Self::Sign,
        Self::Journal,
    ];

    /// The word for it in metrics and traces; it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::Proof => "proof",
            Self::Admit => "admit",
            Self::SignPrecertificate => "sign-precertificate",
            Self::Log => "log",
            Self::Sign => "sign",
            Self::Journal => "journal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_stands_at_its_own_place() {
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, index, "{stage:?}");
        }
    }
}
