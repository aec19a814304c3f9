//! Vault itself, and one that is made up where Vault would never do what is to be shown.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod fake;

pub(crate) use fake::{FakeVault, Reply, Seen};
pub(crate) use fulcio_test_services::{
    Minivault, Relay, TlsFiles, causes, minivault, openssl_verifies,
};

use fulcio_signer_hashivault::{Error, HashivaultSigner, TokenSource, VaultConfig};
use zeroize::Zeroizing;

pub(crate) async fn open(reference: &str, config: &VaultConfig) -> Result<HashivaultSigner, Error> {
    HashivaultSigner::open(&reference.parse().unwrap(), config).await
}

/// How a signer is told of Vault, with a token that may do everything.
pub(crate) fn as_root(vault: &Minivault) -> VaultConfig {
    as_holder_of(&vault.root_token, vault)
}

/// The same with another token.
pub(crate) fn as_holder_of(token: &str, vault: &Minivault) -> VaultConfig {
    let token = TokenSource::Value(Zeroizing::new(token.to_owned()));
    VaultConfig::new(vault.url(), token)
}

/// The first cause that is of this back end.
#[track_caller]
pub(crate) fn cause(error: &fulcio_signer::Error) -> &Error {
    fulcio_test_services::cause(error)
}
