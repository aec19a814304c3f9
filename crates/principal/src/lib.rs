//! Who a certificate is for, as data.
//!
//! These are the words the other crates share. A [`Principal`] is what a certificate will say; an
//! [`Identity`] is a principal that somebody has vouched for; an [`Authenticator`] is what vouches.
//! [`Extension`] is the one table of the X.509 extensions below 1.3.6.1.4.1.57264.1, which the
//! DER encoding, the issuer configuration and the documentation all read.
//!
//! Nothing here is DER, and nothing is fetched.
//!
//! ```
//! use fulcio_principal::{Extension, Extensions, Identity, Principal, SubjectAltName};
//!
//! let mut extensions = Extensions::for_issuer("https://accounts.example.com");
//! extensions.set(Extension::TokenSubject, "1234");
//! let principal = Principal::new(
//!     "ada@example.com",
//!     SubjectAltName::Email("ada@example.com".into()),
//!     extensions,
//! );
//!
//! assert_eq!(Extension::IssuerV2.oid(), "1.3.6.1.4.1.57264.1.8");
//! let identity = Identity::vouched_for(principal);
//! assert_eq!(identity.principal().challenge, "ada@example.com");
//! ```

mod authenticator;
mod extension;
mod identity;
mod principal;
mod voucher;

pub use authenticator::{Authenticating, AuthenticationError, Authenticator, Fault};
pub use extension::{Encoding, Extension, Extensions};
pub use identity::Identity;
pub use principal::{Principal, SubjectAltName};
pub use voucher::Voucher;
