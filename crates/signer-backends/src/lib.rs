//! Opens a signer from a URI, wherever its key is.
//!
//! Each back end is a crate of its own, with its SDK, and one feature here. A program that knows
//! its back end uses that crate directly; this one is for programs that are told at run time.
//!
//! | feature | schemes | crate |
//! |---|---|---|
//! | `aws-kms` | `awskms:` | `fulcio-signer-aws-kms` |
//! | `azure-keyvault` | `azurekms:` | `fulcio-signer-azure-keyvault` |
//! | `file` (default) | `file:`, `ephemeral:` | `fulcio-signer-file` |
//! | `gcp-kms` | `gcpkms:` | `fulcio-signer-gcp-kms` |
//! | `hashivault` | `hashivault:`, `openbao:` | `fulcio-signer-hashivault` |
//! | `pkcs11` | `pkcs11:` | `fulcio-signer-pkcs11` |
//! | `tink` | `tink:`, with the key services of `aws-kms`, `gcp-kms` and `hashivault` where they are turned on too | `fulcio-signer-tink` |
//!
//! ```
//! use fulcio_signer_backends::{OpenOptions, SignerUri, open};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "file")] {
//! let uri = SignerUri::parse("ephemeral:p384")?;
//! let key = open(&uri, &OpenOptions::new()).await?;
//! assert_eq!(key.signer.algorithm().to_string(), "ECDSA P-384 with SHA-384");
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! [`open`] does two things, which a program that has something to say in between does itself:
//! [`locate`] understands the URI and the configuration, and reaches nobody; [`LocatedKey::open`]
//! opens the key.

#[cfg(feature = "aws-kms")]
mod aws_kms;
#[cfg(feature = "azure-keyvault")]
mod azure_keyvault;
mod error;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "gcp-kms")]
mod gcp_kms;
#[cfg(feature = "hashivault")]
mod hashivault;
#[cfg(any(feature = "file", feature = "tink"))]
mod local_path;
mod locate;
mod options;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(feature = "tink")]
mod tink;
mod uri;

pub use error::Error;
pub use locate::{KeyService, LocatedKey, OpenedKey, SCHEMES, locate, open};
pub use options::OpenOptions;
#[cfg(feature = "tink")]
pub use tink::tink_uri;
pub use uri::SignerUri;
