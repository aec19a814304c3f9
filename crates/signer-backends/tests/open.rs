//! Signers opened by their URI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "file")]

use std::{fs, process::Command};

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_backends::{Error, OpenOptions, SCHEMES, SignerUri, open};
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::signer_conformance;
use zeroize::Zeroizing;

async fn opened(uri: &str, options: &OpenOptions) -> Result<Box<dyn Signer>, Error> {
    Ok(open(&SignerUri::parse(uri)?, options).await?.signer)
}

async fn refused(uri: &str) -> String {
    match opened(uri, &OpenOptions::new()).await {
        Ok(signer) => panic!("{uri} opened {signer:?}"),
        Err(error) => error.to_string(),
    }
}

fn password() -> OpenOptions {
    OpenOptions::new().with_password(Zeroizing::new("hunter2".to_owned()))
}

#[tokio::test]
async fn opens_a_key_file_under_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let key = EphemeralSigner::generate(Algorithm::EcdsaP384Sha384).unwrap();
    let pem = key.to_encrypted_pem(password().password().unwrap());
    fs::write(&file, pem.unwrap()).unwrap();

    let uri = format!("file://{}", file.display());
    let signer = opened(&uri, &password()).await.unwrap();
    assert_eq!(signer.public_key(), key.public_key());
    signer_conformance(&*signer).await;
}

#[tokio::test]
async fn opens_a_key_file_however_its_path_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca key.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ED25519", "-out"])
        .arg(&file)
        .status();
    assert!(made.expect("openssl is installed").success());

    let path = file.to_str().unwrap().replace(' ', "%20");
    for uri in [
        format!("file://{path}"),
        format!("file://localhost{path}"),
        format!("file:{path}"),
        format!("FILE://{path}"),
    ] {
        let signer = opened(&uri, &OpenOptions::new()).await.unwrap();
        assert_eq!(signer.algorithm(), Algorithm::Ed25519, "{uri}");
    }
}

#[tokio::test]
async fn makes_a_key_on_p256_unless_told_otherwise() {
    for (uri, algorithm) in [
        ("ephemeral:", Algorithm::EcdsaP256Sha256),
        ("ephemeral:p521", Algorithm::EcdsaP521Sha512),
        ("ephemeral:ed25519", Algorithm::Ed25519),
    ] {
        let signer = opened(uri, &OpenOptions::new()).await.unwrap();
        assert_eq!(signer.algorithm(), algorithm, "{uri}");
        signer_conformance(&*signer).await;
    }
}

#[tokio::test]
async fn lists_what_it_knows_when_it_does_not_know_a_scheme() {
    let text = refused("yubikey:slot9").await;
    assert!(text.contains("yubikey:"), "{text}");
    for scheme in SCHEMES {
        assert!(text.contains(scheme), "{text}");
    }
    let text = refused("ephemeral:p224").await;
    assert!(text.contains("p224") && text.contains("p384"), "{text}");
}

#[tokio::test]
async fn wants_a_uri_and_a_file_on_this_machine() {
    for uri in ["key.pem", "/etc/fulcio/key.pem", "", "1file:x", ":x"] {
        assert!(refused(uri).await.contains("file:///"), "{uri:?}");
    }
    for uri in ["file:", "file://", "file://elsewhere/key.pem", "file:%ff"] {
        assert!(refused(uri).await.contains("file:///path"), "{uri:?}");
    }
}

#[tokio::test]
async fn names_a_file_that_is_not_there() {
    let text = refused("file:///nowhere/key.pem").await;
    assert!(text.contains("/nowhere/key.pem"), "{text}");
}

#[test]
fn shows_no_password() {
    let text = format!("{:?}", password());
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("password"), "{text}");
}
