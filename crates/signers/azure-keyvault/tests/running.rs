//! What happens to an open signer when the vault goes and comes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;

use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_azure_keyvault::{AzureKeyVaultSigner, Error};
use fulcio_test_services::{
    Relay,
    azure_key_vault::{AzureKeyVault, KeyKind},
    cause, causes,
};
use fulcio_testkit::signer_conformance;
use vault::config;

#[tokio::test]
async fn a_vault_that_was_away_is_used_again() {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P384);
    let relay = Relay::start(vault.address()).await;
    let mut settings = config(&vault);
    settings.timeout = Duration::from_millis(500);
    let reference = format!("azurekms://{}/fulcio", relay.address);
    let reference = reference.parse().unwrap();
    let signer = AzureKeyVaultSigner::open(&reference, &settings).await;
    let signer = signer.unwrap();
    signer.sign(b"message").await.unwrap();

    relay.to(None);
    let error = signer.sign(b"message").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(matches!(cause(&error), Error::Network { .. }), "{error:?}");
    assert!(
        causes(&error).contains("within 500 ms"),
        "{}",
        causes(&error)
    );

    relay.to(Some(vault.address()));
    signer_conformance(&signer).await;
}
