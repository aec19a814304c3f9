//! Signers whose key is in Google Cloud KMS.
//!
//! A [`KeyReference`] says which key is meant; a [`GcpKmsConfig`] where Google Cloud KMS is and who
//! asks; a [`GcpKmsSigner`] signs with that key, whose public half it reads once. A
//! [`GcpKmsUnwrap`] decrypts what a symmetric key has wrapped, such as a Tink keyset.
//!
//! ```no_run
//! use fulcio_signer::Signer;
//! use fulcio_signer_gcp_kms::{Credentials, GcpKmsConfig, GcpKmsSigner, KeyReference};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = GcpKmsConfig::new(Credentials::ApplicationDefault);
//! let key = "gcpkms://projects/p/locations/europe-west1/keyRings/fulcio/cryptoKeys/ca";
//! let key: KeyReference = key.parse()?;
//! let signer = GcpKmsSigner::open(&key, &config).await?;
//! println!("{}, {}", signer.algorithm(), signer.version());
//! # Ok(())
//! # }
//! ```
//!
//! # Keys
//!
//! A key is made for the purpose `ASYMMETRIC_SIGN` with one of these algorithms:
//!
//! | algorithm | is given |
//! |---|---|
//! | `EC_SIGN_P256_SHA256`, `EC_SIGN_P384_SHA384` | a digest |
//! | `RSA_SIGN_PKCS1_2048_SHA256`, `RSA_SIGN_PKCS1_3072_SHA256`, `RSA_SIGN_PKCS1_4096_SHA256` | a digest |
//! | `EC_SIGN_ED25519` | the message |
//!
//! Others, such as `RSA_SIGN_PSS_…`, are refused when the key is opened, and P-521 there is none.
//! Digests, messages, signatures, public keys and what is unwrapped go both ways with their
//! CRC32C; where one does not fit, the request is made again.
//!
//! # What the credentials must be allowed to do
//!
//! `cloudkms.cryptoKeyVersions.viewPublicKey` and `cloudkms.cryptoKeyVersions.useToSign`, which the
//! role `roles/cloudkms.signerVerifier` has; without a version in the reference also
//! `cloudkms.cryptoKeyVersions.list`, which `roles/cloudkms.viewer` has. To unwrap,
//! `cloudkms.cryptoKeyVersions.useToDecrypt`.
//!
//! # What is read besides the arguments
//!
//! The SDK trusts the TLS roots of the machine, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! name in the environment of the process, and goes through the proxy that `HTTPS_PROXY`,
//! `HTTP_PROXY` and `NO_PROXY` name there. `GOOGLE_CLOUD_UNIVERSE_DOMAIN` leads it to another cloud
//! than Google's public one. With [`Credentials::ApplicationDefault`] it also reads
//! `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_CLOUD_QUOTA_PROJECT` and `GCE_METADATA_HOST`, and signs
//! with the time of the system clock.

mod algorithm;
mod checksum;
mod client;
mod config;
mod error;
mod failure;
mod key;
mod reference;
mod signer;
mod unwrap;
mod version;

pub use config::{Credentials, GcpKmsConfig};
pub use error::Error;
pub use reference::{KeyReference, UnwrapReference};
pub use signer::GcpKmsSigner;
pub use unwrap::GcpKmsUnwrap;
