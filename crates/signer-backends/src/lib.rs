//! Opens a signer from a URI, wherever its key is.
//!
//! Each back end is a crate of its own, with its SDK, and one feature here. A program that knows
//! its back end uses that crate directly; this one is for programs that are told at run time.
//!
//! | feature | schemes | crate |
//! |---|---|---|
//! | `file` (default) | `file:`, `ephemeral:` | `fulcio-signer-file` |
//! | `hashivault` | `hashivault:`, `openbao:` | `fulcio-signer-hashivault` |
//! | `pkcs11` | `pkcs11:` | `fulcio-signer-pkcs11` |
//!
//! ```
//! use fulcio_signer_backends::{OpenOptions, SignerUri, open};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "file")] {
//! let uri = SignerUri::parse("ephemeral:p384")?;
//! let signer = open(&uri, &OpenOptions::new()).await?;
//! assert_eq!(signer.algorithm().to_string(), "ECDSA P-384 with SHA-384");
//! # }
//! # Ok(())
//! # }
//! ```

mod error;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "hashivault")]
mod hashivault;
mod open;
mod options;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod uri;

pub use error::Error;
pub use open::{SCHEMES, open};
pub use options::OpenOptions;
pub use uri::SignerUri;
