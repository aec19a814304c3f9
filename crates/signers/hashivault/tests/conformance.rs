//! Every kind of key that Vault signs with, judged by the suite for signers and by OpenSSL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use std::{sync::OnceLock, time::Instant};

use fulcio_signer::{Algorithm, Signer as _};
use fulcio_testkit::signer_conformance;
use vault::{Minivault, as_root, minivault, open, openssl_verifies};

/// One for all tests of this file; its end is that of the process.
fn shared() -> Option<&'static Minivault> {
    static SHARED: OnceLock<Option<Minivault>> = OnceLock::new();
    SHARED
        .get_or_init(|| minivault().map(|program| Minivault::start(&program)))
        .as_ref()
}

async fn conforms(kind: &str, algorithm: Algorithm) {
    let Some(vault) = shared() else { return };
    vault.key(kind, kind);
    let signer = open(&format!("hashivault://{kind}"), &as_root(vault))
        .await
        .unwrap();
    assert_eq!(signer.algorithm(), algorithm);
    signer_conformance(&signer).await;

    let message = b"to be judged by OpenSSL";
    let start = Instant::now();
    let mut signature = Vec::new();
    for _ in 0..COUNT {
        signature = signer.sign(message).await.unwrap().0;
    }
    println!("{kind}: {:?} a signature", start.elapsed() / COUNT);
    openssl_verifies(&signer, message, &signature);
}

const COUNT: u32 = 20;

#[tokio::test]
async fn signs_on_p256() {
    conforms("ecdsa-p256", Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p384() {
    conforms("ecdsa-p384", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn signs_on_p521() {
    conforms("ecdsa-p521", Algorithm::EcdsaP521Sha512).await;
}

#[tokio::test]
async fn signs_with_ed25519() {
    conforms("ed25519", Algorithm::Ed25519).await;
}

#[tokio::test]
async fn signs_with_rsa_of_2048_bits() {
    conforms("rsa-2048", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_3072_bits() {
    conforms("rsa-3072", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_4096_bits() {
    conforms("rsa-4096", Algorithm::RsaPkcs1Sha256).await;
}
