//! What an operator is told when a key is opened, by moto where it can.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;
use std::time::Instant;

use fulcio_remote_key::Fault as _;
use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_aws_kms::{Error, Trust};
use fulcio_testkit::signer_conformance;
use kms::{Moto, TlsFiles, causes, config, open};
use pki_types::{CertificateDer, pem::PemObject as _};

#[tokio::test]
async fn finds_a_key_by_every_name_that_it_has() {
    let Some(moto) = Moto::shared() else { return };
    let arn = moto.signing_key("ECC_NIST_P256");
    let id = arn.rsplit('/').next().unwrap();
    moto.alias("CreateAlias", "alias/by-name", &arn);
    let alias_arn = arn.replace(&format!("key/{id}"), "alias/by-name");
    let mut keys = Vec::new();
    for name in [&arn, id, "alias/by-name", &alias_arn] {
        let reference = format!("awskms:///{name}");
        let signer = open(&reference, &config(moto.url())).await.unwrap();
        signer.sign(b"message").await.unwrap();
        keys.push((signer.id().to_owned(), signer.public_key().to_vec()));
    }
    keys.dedup();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn looks_for_an_arn_in_its_own_region() {
    let Some(moto) = Moto::shared() else { return };
    let arn = moto.signing_key("ECC_NIST_P256");
    let mut config = config(moto.url());
    for region in [None, Some("eu-west-1".to_owned())] {
        config.region = region;
        let signer = open(&format!("awskms:///{arn}"), &config).await.unwrap();
        signer.sign(b"message").await.unwrap();
    }
}

#[tokio::test]
async fn says_where_it_looked_for_a_key_that_there_is_not() {
    let Some(moto) = Moto::shared() else { return };
    for key in ["alias/none", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
        let error = open(&format!("awskms:///{key}"), &config(moto.url())).await;
        let error = error.unwrap_err();
        assert!(matches!(error, Error::KeyMissing { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(key) && text.contains("us-east-2"), "{text}");
    }
}

#[tokio::test]
async fn says_what_a_key_is_for_that_does_not_sign() {
    let Some(moto) = Moto::shared() else { return };
    for spec in ["RSA_2048", "SYMMETRIC_DEFAULT"] {
        let key = moto.key(spec, "ENCRYPT_DECRYPT");
        let error = open(&format!("awskms:///{key}"), &config(moto.url())).await;
        let error = error.unwrap_err();
        assert!(
            matches!(&error, Error::KeyUsage { usage, .. } if usage == "ENCRYPT_DECRYPT"),
            "{error:?}"
        );
        assert!(error.to_string().contains("SIGN_VERIFY"), "{error}");
    }
}

#[tokio::test]
async fn names_a_kind_of_key_that_is_not_used() {
    let Some(moto) = Moto::shared() else { return };
    let key = moto.signing_key("ECC_SECG_P256K1");
    let error = open(&format!("awskms:///{key}"), &config(moto.url())).await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::PublicKey { .. }), "{error:?}");
    assert!(error.to_string().contains("P-256, P-384"), "{error}");
}

#[tokio::test]
async fn a_host_in_the_reference_is_asked_over_tls() {
    let Some(programs) = Moto::programs() else {
        return;
    };
    let (files, others) = (TlsFiles::create(), TlsFiles::create());
    let moto = Moto::start_with_tls(&programs, &files);
    // The reference counts for more than the address.
    let mut settings = config("http://127.0.0.1:1");
    let roots = |files: &TlsFiles| {
        let root = CertificateDer::from_pem_slice(&files.read("cert.pem")).unwrap();
        Trust::Roots(vec![root])
    };
    settings.trust = roots(&files);
    let key = moto.signing_key("ECC_NIST_P384");
    let reference = format!("awskms://{}/{key}", moto.address);
    signer_conformance(&open(&reference, &settings).await.unwrap()).await;

    settings.trust = roots(&others);
    let start = Instant::now();
    let error = open(&reference, &settings).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(start.elapsed() < settings.open_timeout);
    assert!(
        causes(&error).contains("invalid peer certificate"),
        "{}",
        causes(&error)
    );

    settings.trust = Trust::Anyone;
    let signer = open(&reference, &settings).await.unwrap();
    signer.sign(b"message").await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_down_at_the_start_is_waited_for_and_then_named() {
    let mut settings = config("http://127.0.0.1:1");
    settings.open_timeout = Duration::from_millis(500);
    let error = open("awskms:///alias/x", &settings).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let Error::Deadline {
        last: Some(last), ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(matches!(**last, Error::Network(_)), "{last:?}");
    let text = causes(&error);
    assert!(
        text.contains("within 500 ms") && text.contains("refused"),
        "{text}"
    );
}
