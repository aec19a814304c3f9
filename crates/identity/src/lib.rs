//! From a verified token to an identity.
//!
//! [`Config`] is the issuer configuration file, as Fulcio has it: whose tokens are accepted, and
//! how each issuer names its callers. [`Issuers`] is built from it and is an
//! [`Authenticator`](fulcio_principal::Authenticator): it finds the issuer of a token, has
//! `fulcio-oidc-verify` check the token, and lets the issuer's [`Kind`] read the principal.
//!
//! Only issuers of type `email` are served so far. All the others are read, checked and listed, and
//! [`Issuers::unserved`] tells which they are.
//!
//! ```
//! use std::sync::Arc;
//! use fulcio_identity::{Config, Issuers};
//! # use fulcio_oidc_verify::{Fetch, FetchError, Fetching};
//! # #[derive(Debug)]
//! # struct Network;
//! # impl Fetch for Network {
//! #     fn fetch<'a>(&'a self, _url: &'a str) -> Fetching<'a> {
//! #         Box::pin(async { Err(FetchError::Status(404)) })
//! #     }
//! # }
//!
//! let text = "
//! oidc-issuers:
//!   https://accounts.example.com:
//!     issuer-url: https://accounts.example.com
//!     client-id: sigstore
//!     type: email
//! ";
//! let config = Config::parse(text, "config.yaml")?;
//! let issuers = Issuers::new(&config, &|_issuer| Ok(Arc::new(Network)))?;
//! assert_eq!(issuers.unserved().count(), 0);
//!
//! let mistyped = text.replace("client-id", "cilent-id");
//! let error = Config::parse(&mistyped, "config.yaml").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "config.yaml:5: oidc-issuers.https://accounts.example.com.cilent-id: \
//!      is not a known key; did you mean `client-id`?",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claim_path;
mod config;
mod email;
mod email_address;
mod error;
mod issuers;
mod kind;
mod pattern;
mod provider_cache;

pub use claim_path::{ClaimPath, ClaimPathError, ClaimPathMismatch};
pub use config::{
    CiMetadata, Concern, Config, ConfigError, IssuerAddress, IssuerConfig, IssuerKind, Place,
    Problem, UnknownKeys, Warning,
};
pub use email::Email;
pub use error::{Error, LoadError};
pub use issuers::{FetchResult, Issuers, Unserved};
pub use kind::Kind;
pub use pattern::IssuerPattern;
