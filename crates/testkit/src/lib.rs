//! Fakes, vectors and conformance suites for the crates and for authors of signers.

pub mod idp;
pub mod log;
pub mod signer;

pub use signer::signer_conformance;
