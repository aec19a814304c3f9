//! Keys made here, judged by openssl and by the conformance suite.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod openssl;

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_file::{EphemeralSigner, FileSigner};
use fulcio_testkit::signer_conformance;
use openssl::Folder;
use zeroize::Zeroizing;

const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EcdsaP521Sha512,
    Algorithm::Ed25519,
    Algorithm::RsaPkcs1Sha256,
];

#[tokio::test]
async fn conform_for_every_algorithm() {
    for algorithm in ALGORITHMS {
        let signer = EphemeralSigner::generate(algorithm).unwrap();
        assert_eq!(signer.algorithm(), algorithm);
        signer_conformance(&signer).await;
    }
}

#[tokio::test]
async fn are_read_back_by_openssl_and_by_us() {
    let folder = Folder::new();
    let password = Zeroizing::new("pässword".to_owned());
    for algorithm in ALGORITHMS {
        let made = EphemeralSigner::generate(algorithm).unwrap();
        let pem = made.to_encrypted_pem(&password).unwrap();
        assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        let file = folder.write("key.pem", &pem);

        let public = folder.public_key_of("key.pem", &password);
        assert_eq!(made.public_key().as_ref(), public, "{algorithm}");

        let kept = FileSigner::open(file, Some(&password)).unwrap();
        assert_eq!(kept.public_key(), made.public_key(), "{algorithm}");
        let signature = kept.sign(b"to be signed").await.unwrap();
        assert!(folder.accepts(&made, b"to be signed", &signature.0));
    }
}

#[test]
fn are_encrypted_differently_each_time() {
    let password = Zeroizing::new("x".to_owned());
    let made = EphemeralSigner::generate(Algorithm::Ed25519).unwrap();
    let first = made.to_encrypted_pem(&password).unwrap();
    assert_ne!(first, made.to_encrypted_pem(&password).unwrap());
}

#[test]
fn differ() {
    let [one, two] = [(); 2].map(|()| EphemeralSigner::generate(Algorithm::Ed25519).unwrap());
    assert_ne!(one.public_key(), two.public_key());
}

#[test]
fn show_nothing_but_their_kind() {
    let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
    assert_eq!(
        format!("{signer:?}"),
        "EphemeralSigner { key: ECDSA P-256 with SHA-256 key }"
    );
}
