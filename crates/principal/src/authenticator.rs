use core::{error::Error as StdError, fmt, pin::Pin};
use std::time::SystemTime;

use crate::{Identity, Voucher};

/// Turns the credential that a request carries into an identity.
///
/// `fulcio-identity` has the one for OpenID Connect tokens. Its own time is the caller's `now`;
/// only deadlines may use the runtime's timer.
pub trait Authenticator: fmt::Debug + Send + Sync {
    /// Checks `token` at the time `now`.
    fn authenticate<'a>(&'a self, token: &'a str, now: SystemTime) -> Authenticating<'a>;
}

/// The answer that [`Authenticator::authenticate`] promises.
pub type Authenticating<'a> =
    Pin<Box<dyn Future<Output = Result<Identity, AuthenticationError>> + Send + 'a>>;

/// Why a credential gave no identity.
///
/// Authenticators may come from anybody, so the cause is boxed; what the caller is told depends
/// on [`fault`](Self::fault) alone.
#[derive(Debug)]
pub struct AuthenticationError {
    fault: Fault,
    reason: &'static str,
    challenge: Option<String>,
    voucher: Option<Voucher>,
    source: Box<dyn StdError + Send + Sync>,
}

/// What kind of failure an [`AuthenticationError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new kind must break every match"
)]
pub enum Fault {
    /// The token is not acceptable.
    Token,
    /// The token is good, but no certificate can name its principal. The error's text is meant
    /// for the caller.
    Principal,
    /// The provider that could have answered for the token did not answer.
    Provider,
}

impl AuthenticationError {
    /// Wraps a cause. `reason` is a short stable word for metrics, such as `expired`.
    pub fn new(
        fault: Fault,
        reason: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            fault,
            reason,
            challenge: None,
            voucher: None,
            source: source.into(),
        }
    }

    /// Notes what the caller has to sign all the same: one who cannot is told of that first.
    #[must_use]
    pub fn with_challenge(mut self, challenge: impl Into<String>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }

    /// Notes which entry of the configuration judged the token.
    #[must_use]
    pub fn by_voucher(mut self, voucher: Voucher) -> Self {
        self.voucher = Some(voucher);
        self
    }

    /// Which entry of the configuration judged the token, where there is one.
    #[must_use]
    pub fn voucher(&self) -> Option<&Voucher> {
        self.voucher.as_ref()
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// What the caller has to sign, where the token is good enough to say so.
    #[must_use]
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// A short stable word for metrics and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for AuthenticationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Principal => write!(f, "{}", self.source),
            Fault::Provider => f.write_str("the identity provider did not answer"),
            Fault::Token => f.write_str("the identity token was not accepted"),
        }
    }
}

impl StdError for AuthenticationError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
