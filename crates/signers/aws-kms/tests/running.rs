//! What happens to an open signer when the service changes under it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;

use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_aws_kms::Error;
use fulcio_testkit::signer_conformance;
use kms::{Moto, Relay, cause, causes, config, open};

#[tokio::test]
async fn a_service_that_was_away_is_used_again() {
    let Some(moto) = Moto::shared() else { return };
    let key = moto.signing_key("ECC_NIST_P384");
    let relay = Relay::start(&moto.address).await;
    let mut settings = config(format!("http://{}", relay.address));
    settings.timeout = Duration::from_millis(500);
    let signer = open(&format!("awskms:///{key}"), &settings).await.unwrap();
    signer.sign(b"message").await.unwrap();

    relay.to(None);
    let error = signer.sign(b"message").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(matches!(cause(&error), Error::Network(_)), "{error:?}");
    assert!(
        causes(&error).contains("within 500 ms"),
        "{}",
        causes(&error)
    );

    relay.to(Some(&moto.address));
    signer_conformance(&signer).await;
}

#[tokio::test]
async fn never_follows_an_alias_to_another_key() {
    let Some(moto) = Moto::shared() else { return };
    let first = moto.signing_key("ECC_NIST_P256");
    let second = moto.signing_key("ECC_NIST_P256");
    moto.alias("CreateAlias", "alias/moves", &first);
    let signer = open("awskms:///alias/moves", &config(moto.url()))
        .await
        .unwrap();
    signer.sign(b"message").await.unwrap();

    moto.alias("UpdateAlias", "alias/moves", &second);
    let error = signer.sign(b"message").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    let Error::OtherKey { answered, .. } = cause(&error) else {
        panic!("{error:?}")
    };
    assert_eq!(*answered, second);

    moto.alias("UpdateAlias", "alias/moves", &first);
    signer_conformance(&signer).await;
}
