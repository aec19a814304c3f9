//! Signers whose key is in the transit engine of HashiCorp Vault or OpenBao.
//!
//! A [`VaultConfig`] says where Vault is and who asks; a [`KeyReference`] which key is meant; a
//! [`HashivaultSigner`] signs with one version of that key, the one that it was opened with,
//! however often the key is rotated meanwhile.
//!
//! ```no_run
//! use fulcio_signer::Signer;
//! use fulcio_signer_hashivault::{HashivaultSigner, KeyReference, TokenSource, VaultConfig};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let token = TokenSource::File("/run/vault/token".into());
//! let config = VaultConfig::new("http://127.0.0.1:8200", token);
//! let key: KeyReference = "hashivault://fulcio".parse()?;
//! let signer = HashivaultSigner::open(&key, &config).await?;
//! println!("{}, version {}", signer.algorithm(), signer.version());
//! # Ok(())
//! # }
//! ```
//!
//! # What the token must be allowed to do
//!
//! ```text
//! path "transit/keys/fulcio"   { capabilities = ["read"] }
//! path "transit/sign/fulcio"   { capabilities = ["update"] }    # an Ed25519 key
//! path "transit/sign/fulcio/*" { capabilities = ["update"] }    # every other key
//! ```
//!
//! A [`HashivaultUnwrap`] decrypts with a symmetric key, which an [`UnwrapKeyReference`] names: what
//! Tink has wrapped.
//!
//! ```text
//! path "transit/decrypt/keysets" { capabilities = ["update"] }
//! ```
//!
//! # Tokens end
//!
//! Nothing here renews a token or logs in. A token that Vault no longer takes is
//! [`ErrorKind::Denied`](fulcio_signer::ErrorKind::Denied) for every signature from then on,
//! unless it came from a [file](TokenSource::File): that is read again when Vault refuses the
//! token, and a new one in it is in use at once. Vault's agent writes such a file, renews what it
//! wrote and replaces it in time.

mod answer;
mod client;
mod config;
mod error;
mod reference;
mod signer;
mod token;
mod transit;
mod unwrap;
mod unwrap_reference;

pub use config::VaultConfig;
pub use error::Error;
pub use reference::KeyReference;
pub use signer::HashivaultSigner;
pub use token::TokenSource;
pub use unwrap::HashivaultUnwrap;
pub use unwrap_reference::UnwrapKeyReference;
