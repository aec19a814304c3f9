//! From a raw OpenID Connect token to a [`VerifiedToken`].
//!
//! [`UnverifiedToken::parse`] takes a token apart, so that its issuer can be read and a
//! [`Provider`] chosen; [`Provider::verify`] checks it, with what the issuer has published. Whoever
//! has the [`KeySet`] already uses [`UnverifiedToken::verify`], which neither fetches nor waits.
//! Documents come through the trait [`Fetch`]; [`HttpFetch`] is the one for production.
//!
//! A token must be a compact JWS (RFC 7515) with one of ten [`Algorithm`]s; `none` and HMAC have no
//! name here. A token that brings a key along is refused, and what it points at is never fetched. What a claim means
//! is the business of `fulcio-identity`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use fulcio_oidc_verify::{Algorithm, Provider, UnverifiedToken};
//! use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), fulcio_oidc_verify::Error> {
//! // An issuer in memory. In production the fetcher is an `HttpFetch`.
//! let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es256));
//! let fetch = Arc::new(FakeFetch::serving(&idp));
//! let provider = Provider::new("https://issuer.example.com", "sigstore", fetch);
//!
//! let raw = idp.token();
//! let token = UnverifiedToken::parse(&raw)?;
//! assert_eq!(token.issuer(), provider.issuer());
//! let token = provider.verify(token, FakeIdp::now()).await?;
//! assert_eq!(token.claim("email").unwrap(), "ada@example.com");
//!
//! let bad = idp.draft().claim("aud", "elsewhere").mint();
//! let token = UnverifiedToken::parse(&bad)?;
//! let refused = provider.verify(token, FakeIdp::now()).await.unwrap_err();
//! assert_eq!(refused.reason(), "audience");
//! # Ok(())
//! # }
//! ```

mod address;
mod algorithm;
mod bounds;
mod candidate;
mod claims;
mod credential;
mod discovery;
mod error;
mod expectation;
mod fetch;
mod header;
mod http_fetch;
mod http_options;
mod jwk;
mod key;
mod key_set;
mod known;
mod letter_case;
mod lookup;
mod malformed;
mod numeric_date;
mod object;
mod provider;
mod provider_observer;
mod registered;
mod surrogate;
mod token;
mod verified;

pub use address::Addresses;
pub use algorithm::{Algorithm, AlgorithmSet};
pub use claims::Claims;
pub use credential::{Bearer, Credential};
pub use discovery::DiscoveryError;
pub use error::Error;
pub use expectation::Expectation;
pub use fetch::{Fetch, FetchError, Fetching};
pub use http_fetch::HttpFetch;
pub use http_options::{HttpOptions, HttpOptionsError};
pub use key_set::KeySet;
pub use lookup::Lookup;
pub use malformed::Malformed;
pub use provider::Provider;
pub use provider_observer::ProviderObserver;
pub use token::UnverifiedToken;
pub use verified::VerifiedToken;
