//! Vault itself, and one that is made up where Vault would never do what is to be shown.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod fake;
mod judge;
mod minivault;
mod relay;

use core::error::Error as StdError;

pub(crate) use fake::{FakeVault, Reply, Seen};
pub(crate) use judge::openssl_verifies;
pub(crate) use minivault::{Minivault, TlsFiles, minivault};
pub(crate) use relay::Relay;

use fulcio_signer_hashivault::{Error, HashivaultSigner, VaultConfig};

pub(crate) async fn open(reference: &str, config: &VaultConfig) -> Result<HashivaultSigner, Error> {
    HashivaultSigner::open(&reference.parse().unwrap(), config).await
}

/// An error with all its causes, as an operator sees it.
pub(crate) fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// The first cause that is of this back end.
pub(crate) fn cause(error: &fulcio_signer::Error) -> &Error {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return found;
        }
        next = cause.source();
    }
    panic!("no cause of this back end: {}", causes(error))
}
