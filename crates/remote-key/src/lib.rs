//! What every signer needs whose key is in a service far away.
//!
//! A back end makes one small [`Signer`](fulcio_signer::Signer) that asks its service once, reads
//! the public half of the key into a [`PublicKey`] when it is opened, and hands the service a
//! [`Digest`] where it wants one. The rest is wrapped around it, one concern each, and each a
//! signer again: [`Timeout`] bounds one try, [`Retry`] tries again as long as a deadline allows,
//! [`Verified`] gives out nothing that does not verify.
//!
//! ```
//! use core::time::Duration;
//!
//! use fulcio_remote_key::{Patience, Retry, Timeout, Verified};
//! use fulcio_signer::{Algorithm, Signer};
//! use fulcio_signer_file::EphemeralSigner;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let far_away = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384)?;
//! let each_try = Timeout::new(far_away, Duration::from_secs(2));
//! let retried = Retry::new(each_try, Patience::new(Duration::from_secs(5)));
//! let signer = Verified::new(retried)?;
//! signer.sign(b"to be signed").await?;
//! # Ok(())
//! # }
//! ```

mod cause;
mod ecdsa;
mod error;
mod hash;
mod patience;
mod public_key;
mod retry;
mod timeout;
mod verified;

pub use cause::cause;
pub use ecdsa::ecdsa_sig_value;
pub use error::Error;
pub use hash::{Digest, Hash};
pub use patience::{Fault, Patience, Spent};
pub use public_key::PublicKey;
pub use retry::Retry;
pub use timeout::Timeout;
pub use verified::Verified;
