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
//!
//! A [`Suite`] answers with a [`Report`] instead, [`Case`] by case; is told of documented limits;
//! and looks at signers whose service was made to misbehave.

mod case;
mod finding;
mod inspection;
mod misbehaving;
mod public_key;
mod report;
mod second;
mod signature;
mod suite;

pub use case::Case;
pub use finding::Finding;
pub use misbehaving::{FailingSigner, SlowSigner, WrongKeySigner};
pub use report::{Report, Verdict};
pub use suite::{Suite, signer_conformance};
