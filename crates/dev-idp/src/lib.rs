//! An OpenID provider for development: real discovery, real keys, real tokens, loopback only.
//!
//! Whoever asks for a token gets one, for any e-mail address. That is the point, and it is why a
//! [`DevIdp`] can be built only for a URL on this machine, answers only under the names of this
//! machine, and says in every page and every token (`"development": true`) what it is.
//!
//! It has no listener and no clock: a server hands requests to [`DevIdp::handle`]. Clients of
//! Sigstore log in with the authorization code flow and PKCE (RFC 6749, RFC 7636); for `curl` there
//! is `GET /token?email=…`.
//!
//! ```
//! use std::time::SystemTime;
//! use bytes::Bytes;
//! use fulcio_dev_idp::{DevIdp, Keys};
//! use http::Request;
//!
//! let idp = DevIdp::new("http://127.0.0.1:5555/dev-idp", Keys::generate()?)?;
//! let request = Request::get("/dev-idp/token?email=ada@example.com")
//!     .header("host", "127.0.0.1:5555")
//!     .body(Bytes::new())?;
//! let response = idp.handle(&request, SystemTime::UNIX_EPOCH);
//! assert_eq!(response.status(), 200);
//! assert!(response.body().starts_with(b"eyJ"));
//!
//! assert!(DevIdp::new("https://accounts.example.com", Keys::generate()?).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authorization;
mod dev_idp;
mod email;
mod error;
mod exchange;
mod form;
mod grants;
mod guard;
mod keys;
mod login;
mod loopback;
mod page;
mod response;
mod token;

pub use dev_idp::DevIdp;
pub use error::{Error, IssuerUrlError};
pub use keys::Keys;
pub use token::{Algorithm, TokenRequest};
