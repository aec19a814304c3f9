//! Signers whose key is in a PKCS#11 token: SoftHSM, AWS CloudHSM, YubiHSM and others.
//!
//! A [`Config`], which is crypto11's file, says which module is loaded, which token is meant and
//! how it is unlocked; a [`Token`] is that token, logged in; a [`Pkcs11Signer`] signs with one key
//! of it, on threads of its own.
//!
//! ```no_run
//! use fulcio_signer::Signer;
//! use fulcio_signer_pkcs11::{Config, KeyReference, Token};
//!
//! # async fn example() -> Result<(), fulcio_signer_pkcs11::Error> {
//! let config = Config::from_json(
//!     br#"{"Path": "/usr/lib/softhsm/libsofthsm2.so", "TokenLabel": "fulcio", "Pin": "2324"}"#,
//! )?;
//! let token = Token::open(config).await?;
//! let signer = token.signer(&KeyReference::label("PKCS11CA")).await?;
//! println!("{}", signer.algorithm());
//! # Ok(())
//! # }
//! ```

mod call;
mod certificate;
mod config;
mod error;
mod key;
mod module;
mod public_key;
mod scheme;
mod session;
mod signer;
mod token;
mod worker;

pub use call::CallError;
pub use config::{Config, ConfigError, TokenChoice, User};
pub use error::Error;
pub use key::KeyReference;
pub use signer::Pkcs11Signer;
pub use token::{FULCIO_KEY_LABEL, Token};
