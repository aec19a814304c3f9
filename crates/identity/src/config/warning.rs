use core::fmt::{self, Write as _};

use super::error::{OneLine, Place};

/// Something in an issuer configuration file that works, but perhaps not as its author thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub concern: Concern,
}

/// What a [`Warning`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Concern {
    /// `challenge-claim` is not the claim that is checked.
    #[error(
        "the challenge-claim is only told to clients; proofs are checked against what the type implies"
    )]
    ChallengeClaim,
    /// A template for an extension that no template sets.
    #[error("is ignored: this extension is always the token's own issuer or subject")]
    FixedExtension,
    /// There is no issuer at all.
    #[error("there is no issuer, so every request will be refused")]
    NoIssuers,
    /// Keys are fetched without TLS from another machine.
    #[error("is asked over plain http: whoever stands between can forge its tokens")]
    PlainHttp,
    /// A key that nothing reads, and that was tolerated.
    #[error("is not a known key, and is ignored")]
    UnknownKey,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = OneLine(f);
        if let Some(line) = self.place.line {
            write!(f, "line {line}: ")?;
        }
        if !self.place.keys.is_empty() {
            write!(f, "{}: ", self.place.keys.join("."))?;
        }
        write!(f, "{}", self.concern)
    }
}
