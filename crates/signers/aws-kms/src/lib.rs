//! Signers whose key is in AWS KMS.
//!
//! A [`KeyReference`] says which key is meant; an [`AwsConfig`] where AWS KMS is and who asks; an
//! [`AwsKmsSigner`] signs with that key, whose public half it reads once.
//!
//! ```no_run
//! use fulcio_signer::Signer;
//! use fulcio_signer_aws_kms::{AwsConfig, AwsKmsSigner, Credentials, KeyReference, Trust};
//!
//! # async fn example(roots: Vec<pki_types::CertificateDer<'static>>) -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = AwsConfig::new(Credentials::Chain);
//! config.trust = Trust::Roots(roots);
//! let key: KeyReference = "awskms:///alias/fulcio".parse()?;
//! let signer = AwsKmsSigner::open(&key, &config).await?;
//! println!("{}, {}", signer.algorithm(), signer.id());
//! # Ok(())
//! # }
//! ```
//!
//! # Keys
//!
//! A key is made with the usage `SIGN_VERIFY` and one of these specifications:
//!
//! | specification | signs with | is given |
//! |---|---|---|
//! | `ECC_NIST_P256`, `ECC_NIST_P384`, `ECC_NIST_P521` | `ECDSA_SHA_256`, `_384`, `_512` | a digest |
//! | `RSA_2048`, `RSA_3072`, `RSA_4096` | `RSASSA_PKCS1_V1_5_SHA_256` | a digest |
//! | `ECC_NIST_EDWARDS25519` | `ED25519_SHA_512` | the message, of 1 to 4,096 bytes |
//!
//! # What the credentials must be allowed to do
//!
//! ```json
//! {"Effect": "Allow", "Action": ["kms:GetPublicKey", "kms:Sign"], "Resource": "arn:aws:kms:…:key/…"}
//! ```
//!
//! # Keys that unwrap others
//!
//! An [`AwsKmsUnwrap`] decrypts with a symmetric key, which an [`UnwrapKeyReference`] names: what
//! Tink has wrapped. Its credentials need `kms:Decrypt` with that key.
//!
//! # What is read besides the arguments
//!
//! The SDK signs requests with the time of the system clock. With [`Credentials::Chain`] it reads
//! the environment of the process and the files in `~/.aws`, may ask a metadata service of this
//! machine or container or the security token service of AWS, or run a `credential_process`; it
//! also takes from there the region and the endpoint that nobody said. With [`Credentials::Key`]
//! it reads nothing, unless nobody says a region: then that of the profile in `~/.aws`.
//!
//! Credentials of the single sign-on of AWS (`sso_session`) are not read, and a proxy is not used.

mod client;
mod config;
mod error;
mod failure;
mod key;
mod reference;
mod signer;
mod transport;
mod trust;
mod unwrap;
mod unwrap_reference;

pub use config::{AwsConfig, Credentials, Trust};
pub use error::Error;
pub use reference::KeyReference;
pub use signer::AwsKmsSigner;
pub use unwrap::AwsKmsUnwrap;
pub use unwrap_reference::UnwrapKeyReference;
