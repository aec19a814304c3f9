use core::{error::Error as StdError, fmt};
use std::sync::Arc;

use ureq::http::HeaderValue;
use url::Url;
use zeroize::Zeroizing;

use crate::FetchError;

/// Where the token comes from that an issuer's own host wants to see, such as the service account
/// token of a Kubernetes cluster.
pub trait Credential: fmt::Debug + Send + Sync {
    /// The token to send now; none to send none.
    ///
    /// It is asked for before each request, on a thread that may block, so that a token that has
    /// been replaced is read again. White space around it is not sent.
    ///
    /// # Errors
    /// The token cannot be read. The cause is the implementation's own, and must not tell it.
    fn token(&self) -> Result<Option<Zeroizing<String>>, Box<dyn StdError + Send + Sync>>;
}

/// A [`Credential`], and the issuer whose host may see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Bearer {
    /// The URL of the issuer. While there is a token, requests to another scheme, host or port are
    /// not made at all: whatever they brought would not come from where the token is wanted.
    pub issuer: String,
    /// The token.
    pub credential: Arc<dyn Credential>,
}

impl Bearer {
    /// A token for the host of `issuer` alone.
    #[must_use]
    pub fn new(issuer: impl Into<String>, credential: Arc<dyn Credential>) -> Self {
        Self {
            issuer: issuer.into(),
            credential,
        }
    }

    /// The header of a request to `url` (RFC 6750 section 2.1), if there is a token.
    pub(crate) fn authorization(&self, url: &Url) -> Result<Option<HeaderValue>, FetchError> {
        let Some(token) = self.credential.token().map_err(FetchError::Credential)? else {
            return Ok(None);
        };
        let issuer = Url::parse(&self.issuer).map_err(|_no_url| FetchError::Url)?;
        // The origin of other schemes is equal to nothing.
        if issuer.origin() != url.origin() {
            return Err(FetchError::OtherHost);
        }
        let value = Zeroizing::new(format!("Bearer {}", token.trim()));
        let mut value =
            HeaderValue::from_str(&value).map_err(|error| FetchError::Credential(error.into()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}
