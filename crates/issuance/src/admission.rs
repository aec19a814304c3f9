use core::{error::Error as StdError, fmt, pin::Pin, time::Duration};

use fulcio_challenge::ProvenKey;
use fulcio_principal::Identity;

use crate::RequestContext;

/// Decides whether an authenticated caller may have a certificate now: policy, rate limits.
///
/// Asked first of all whether a request may be looked at, and after identity and proof, before anything is signed,
/// whether the caller may have a certificate.
pub trait Admission: fmt::Debug + Send + Sync {
    /// Lets a request in whose token nobody has looked at yet, or says why not. All are let in that this does not
    /// refuse.
    ///
    /// # Errors
    /// Why its sender may not ask now.
    fn admit_request(&self, context: &RequestContext) -> Result<(), Denied> {
        let _all = context;
        Ok(())
    }

    /// Lets the caller pass, or says why not.
    fn admit<'a>(
        &'a self,
        identity: &'a Identity,
        key: &'a ProvenKey,
        context: &'a RequestContext,
    ) -> Admitting<'a>;
}

/// The answer that [`Admission::admit`] promises.
pub type Admitting<'a> = Pin<Box<dyn Future<Output = Result<(), Denied>> + Send + 'a>>;

/// Why an authenticated caller may not have a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new kind must break every match"
)]
pub enum Denied {
    /// Never, under the present policy; the text is for the caller.
    Policy(String),
    /// Not now; again after this time.
    RateLimit(Duration),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(text) => f.write_str(text),
            Self::RateLimit(after) => {
                write!(f, "too many requests, try again in {} s", after.as_secs())
            }
        }
    }
}

impl StdError for Denied {}
