use core::{error::Error as StdError, fmt, pin::Pin};
use std::{net::IpAddr, sync::Arc};

/// Gets the documents of an issuer.
///
/// [`HttpFetch`](crate::HttpFetch) is the one for production. An implementation answers only with
/// the body of a status 200, never with more bytes than it is willing to hold, and does not follow
/// a redirect to another host. It may wait as long as it likes: [`Provider`](crate::Provider) has
/// its own deadline and drops the future.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Gets what is at `url`, which is `http:` or `https:`.
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a>;
}

/// The answer that [`Fetch::fetch`] promises.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Why a document could not be fetched.
///
/// Fetchers come from strangers, so causes are boxed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The host is a machine of a private network, and a caller has chosen it.
    #[error(
        "{0} is an address of a private network, where nothing is fetched for an issuer that a caller chose"
    )]
    Address(IpAddr),
    /// The token that the issuer's host wants to see cannot be read.
    #[error("the token for the issuer's host cannot be read")]
    Credential(#[source] Box<dyn StdError + Send + Sync>),
    /// The issuer's host wants to see a token, and this is not its host.
    #[error("the issuer is asked with a token, which no other host may see")]
    OtherHost,
    /// The answer leads to another host or to a less safe scheme, or there were too many redirects.
    #[error("a redirect was refused")]
    Redirect,
    /// The status is neither 200 nor a redirect.
    #[error("the status is {0}")]
    Status(u16),
    /// The body is longer than it may be.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// How long a body may be, in bytes.
        limit: u64,
    },
    /// Name, connection, TLS or HTTP failed.
    #[error("the transfer failed")]
    Transport(#[source] Box<dyn StdError + Send + Sync>),
    /// The URL is not one that can be fetched.
    #[error("the URL is not an http or https one")]
    Url,
}

impl<F: Fetch + ?Sized> Fetch for Arc<F> {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        (**self).fetch(url)
    }
}

impl<F: Fetch + ?Sized> Fetch for Box<F> {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        (**self).fetch(url)
    }
}
