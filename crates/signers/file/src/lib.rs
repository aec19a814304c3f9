//! Signers whose key is in this process: out of a file, or made at start.
//!
//! ```
//! use fulcio_signer::{Algorithm, Signer};
//! use fulcio_signer_file::{EphemeralSigner, FileSigner};
//! use zeroize::Zeroizing;
//!
//! let password = Zeroizing::new("correct horse".to_owned());
//! let made = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384)?;
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("key.pem");
//! std::fs::write(&file, made.to_encrypted_pem(&password)?)?;
//!
//! let kept = FileSigner::open(&file, Some(&password))?;
//! assert_eq!(kept.public_key(), made.public_key());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod encrypted;
mod ephemeral;
mod error;
mod file_signer;
mod key_pair;
mod legacy;
mod pem;
mod sigstore;

pub use ephemeral::EphemeralSigner;
pub use error::{Error, KeyError};
pub use file_signer::FileSigner;
pub use key_pair::KeyPair;
