//! Signers whose key is in Azure Key Vault or Managed HSM.
//!
//! A [`KeyReference`] says which key is meant and in which vault; an [`AzureConfig`] who asks; an
//! [`AzureKeyVaultSigner`] signs with one version of that key, the one that it was opened with,
//! however often the key is rotated meanwhile.
//!
//! ```no_run
//! use fulcio_signer::Signer;
//! use fulcio_signer_azure_keyvault::{
//!     AzureConfig, AzureKeyVaultSigner, Credentials, KeyReference,
//! };
//!
//! # async fn example(roots: Vec<pki_types::CertificateDer<'static>>) -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = AzureConfig::new(Credentials::ManagedIdentity { client: None });
//! config.roots = roots;
//! let key: KeyReference = "azurekms://name.vault.azure.net/fulcio".parse()?;
//! let signer = AzureKeyVaultSigner::open(&key, &config).await?;
//! println!("{}, {}", signer.algorithm(), signer.id());
//! # Ok(())
//! # }
//! ```
//!
//! # Keys
//!
//! | key type | curve or length | signs with |
//! |---|---|---|
//! | `EC`, `EC-HSM` | `P-256`, `P-384`, `P-521` | `ES256`, `ES384`, `ES512` |
//! | `RSA`, `RSA-HSM` | 2048 to 4096 bits | `RS256` |
//!
//! The vault is given the digest. A key on `P-256K` is refused. The key must be enabled, between
//! its dates by the vault's own clock, and have `sign` among its operations.
//!
//! # What the credentials must be allowed to do
//!
//! `keys/get` and `keys/sign`: the role *Key Vault Crypto User* (*Managed HSM Crypto User* in a
//! Managed HSM), or an access policy with *Get* and *Sign* for keys.
//!
//! # To whom a token is given
//!
//! A vault answers the first request by saying for which resource it wants a token. A token is
//! only asked for, and sent, where the host of the vault is below that resource's, as
//! `name.vault.azure.net` is below `vault.azure.net`. Behind a name of one's own that is never so;
//! then [`AzureConfig::resource`] says which resource it has to be. There is no way to send a token
//! for whatever a host asks for.
//!
//! # What is read besides the arguments
//!
//! The SDK compares when tokens end with the system clock. With [`Credentials::Chain`] and
//! [`Credentials::ManagedIdentity`] it reads `IDENTITY_ENDPOINT` and its relatives from the
//! environment of the process, and may ask the metadata service of the machine; with
//! [`Credentials::Chain`] and [`Credentials::DeveloperTools`] it runs `az` and `azd`, which read
//! what they like. A proxy is not used.
//!
//! # What goes wrong
//!
//! | what happened | what the operator sees | kind | by itself |
//! |---|---|---|---|
//! | the reference names no key | [`Reference`](Error::Reference), with the right shape | `Invalid` | no |
//! | no credentials, or a part of them | [`CredentialsMissing`](Error::CredentialsMissing), [`CredentialsIncomplete`](Error::CredentialsIncomplete), with the variables to set | `Denied` | no |
//! | the secret is wrong or has ended, the tenant or application is not there | [`Token`](Error::Token) of [`TokenRefused`](Error::TokenRefused), with the `AADSTS` number | `Denied` | when they are changed in Azure; a service account's file is read again |
//! | nobody gives out tokens | [`Token`](Error::Token) of [`Network`](Error::Network), [`Late`](Error::Late), [`Unavailable`](Error::Unavailable) or [`Throttled`](Error::Throttled) | the same | yes; until the last token ends, signatures are made |
//! | a token is taken back | nothing: another is asked for | | yes |
//! | no permission, or not through the firewall | [`Denied`](Error::Denied), with the role | `Denied` | yes |
//! | no such key or version | [`KeyMissing`](Error::KeyMissing) | `Invalid` | yes |
//! | the key is disabled, has ended, has not begun, is deleted | [`KeyState`](Error::KeyState) | `Denied` | yes |
//! | the key is not for signing | [`KeyOperations`](Error::KeyOperations) | `Invalid` | no |
//! | the key is of another kind | [`PublicKey`](Error::PublicKey) | `Invalid` | no |
//! | another key or version answers | [`OtherKey`](Error::OtherKey) | `WrongKey` | yes |
//! | the signature does not verify | [`Unverified`](fulcio_remote_key::Error::Unverified) | `WrongKey` | yes |
//! | the vault is down, slow or broken | [`Network`](Error::Network), [`Late`](Error::Late), [`Unavailable`](Error::Unavailable) | `Unavailable` | yes, and within the time that there is |
//! | the vault asks for fewer requests | [`Throttled`](Error::Throttled) | `Throttled` | yes, when it said |
//! | the vault answers garbage | [`Answer`](Error::Answer), [`AnswerIncomplete`](Error::AnswerIncomplete), [`AnswerTooLong`](Error::AnswerTooLong), [`SignatureMalformed`](Error::SignatureMalformed) | `Invalid` | yes |
//! | a certificate is not trusted | [`Untrusted`](Error::Untrusted) | `Invalid` | yes |
//! | the vault wants a token for somebody else | [`Challenge`](Error::Challenge), [`ChallengeResource`](Error::ChallengeResource) | `Invalid` | no |
//!
//! “By itself” is what an open signer does; one that could not be opened is opened again by its
//! owner.

mod client;
mod config;
mod credentials;
mod error;
mod failure;
mod jwk;
mod key;
mod reference;
mod refusal;
mod signer;
mod source;
mod tls;
mod token;
mod transport;

pub use config::AzureConfig;
pub use credentials::Credentials;
pub use error::Error;
pub use reference::KeyReference;
pub use signer::AzureKeyVaultSigner;
