//! URLs as Go reads, joins and writes them.
//!
//! A Fulcio certificate names a workload by a URI, and that URI has gone through Go's `net/url`:
//! parsed, perhaps joined with a path, and written again. Verifiers compare it byte by byte, and
//! neither RFC 3986 nor the WHATWG standard gives the same bytes. [`Url`] is that package as far as
//! certificates need it, in the version of Go 1.26; [`CertificateUri`] is what `crypto/x509` then
//! lets into a certificate. Texts of errors are Go's too, because callers see them.
//!
//! ```
//! use fulcio_go_url::{CertificateUri, Url};
//!
//! let github = Url::parse("https://github.com/")?;
//! let workflow = github.join_path(&["octo/repo/.github//workflows/a b.yml@refs/heads/main"])?;
//! assert_eq!(
//!     workflow.to_string(),
//!     "https://github.com/octo/repo/.github/workflows/a%20b.yml@refs/heads/main",
//! );
//!
//! let name = CertificateUri::parse(&workflow.to_string())?;
//! assert!(name.as_str().starts_with("https://github.com/octo/"));
//!
//! let error = Url::parse("https://github.com:port/").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     r#"parse "https://github.com:port/": invalid port ":port" after host"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authority;
mod certificate_uri;
mod clean;
mod error;
mod escape;
mod ipv6;
mod quote;
mod url;

pub use certificate_uri::{CertificateUri, CertificateUriError};
pub use error::{Cause, Error};
pub use ipv6::AddressError;
pub use quote::quote;
pub use url::Url;
