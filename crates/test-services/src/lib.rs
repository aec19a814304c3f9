//! The services that tests are judged by: real ones, started, and doubles where none can be had.
//!
//! | what | is |
//! |---|---|
//! | [`component`], [`full_component`], [`skipped`] | where an installed component is, and what happens without it |
//! | [`CtLog`] | an RFC 6962 log, certificate-transparency-go's |
//! | [`free_port`] | a port for programs that cannot choose one themselves |
//! | [`Moto`] | AWS KMS as moto plays it |
//! | [`Minivault`] | Vault itself |
//! | [`SoftHsm`] | SoftHSM 2 with a folder of tokens |
//! | [`TinkKeysets`] | keysets that Tink's own library has made |
//! | [`TlsFiles`] | a certificate for 127.0.0.1, by OpenSSL |
//! | [`Relay`] | a port that stays, before a service that comes and goes |
//! | [`openssl_verifies`], [`openssl`] | OpenSSL's word on a signature, and whatever else it can do |
//! | [`causes`], [`cause`] | an error as an operator sees it, and the cause in it that is of one type |
//! | [`succeed`] | a program run to its end |
//!
//! A service says by `variables()` what its own tools, and our back ends, are told it by.
//!
//! The doubles are modules, one for each service, written on the official contract and checked by
//! the vendor's own client: [`aws_kms`] for what moto has not, [`azure_key_vault`], [`gcp_kms`], and
//! [`ca_service`], which issues certificates.
//!
//! Whatever goes wrong in here ends the test: everything panics, and nothing depends on the crates
//! that are tested with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod aws_kms;
pub mod azure_key_vault;
pub mod ca_service;
mod causes;
mod component;
mod ct_log;
mod free_port;
pub mod gcp_kms;
mod judge;
mod minivault;
mod moto;
mod program;
mod relay;
mod softhsm;
mod tink_keysets;
mod tls_files;

pub use causes::{cause, causes};
pub use component::{component, full_component, skipped, variable};
pub use ct_log::CtLog;
pub use free_port::free_port;
pub use judge::{openssl, openssl_verifies};
pub use minivault::{Minivault, minivault};
pub use moto::Moto;
pub use program::succeed;
pub use relay::Relay;
pub use softhsm::SoftHsm;
pub use tink_keysets::TinkKeysets;
pub use tls_files::TlsFiles;
