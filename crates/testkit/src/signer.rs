//! The suite that every signer passes, and signers that misbehave.
//!
//! The author of a back end writes one test, from its `tests/` folder:
//!
//! ```no_run
//! # async fn open() -> Box<dyn fulcio_signer::Signer> { unimplemented!() }
//! # async fn test() {
//! let signer = open().await;
//! fulcio_testkit::signer_conformance(&*signer).await;
//! # }
//! ```

mod finding;
mod misbehaving;
mod public_key;
mod signature;
mod suite;

pub use finding::{Finding, Report};
pub use misbehaving::{FailingSigner, SlowSigner, WrongKeySigner};
pub use suite::{inspect, inspect_within, signer_conformance};
