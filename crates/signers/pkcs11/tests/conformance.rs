//! Every kind of key that SoftHSM has, judged by the suite for signers and by OpenSSL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod softhsm;

use fulcio_signer::{Algorithm, Signer};
use fulcio_test_services::openssl_verifies;
use fulcio_testkit::signer_conformance;
use softhsm::{SoftHsm, softhsm};

#[track_caller]
fn conforms(hsm: &SoftHsm, kind: &str, algorithm: Algorithm) {
    hsm.key_pair(kind, "02", "PKCS11CA", &[]);
    let signer = hsm.signer(hsm.config(), "PKCS11CA").unwrap();
    assert_eq!(signer.algorithm(), algorithm);
    let message = b"to be judged by OpenSSL";
    let signature = hsm.wait(async {
        signer_conformance(&signer).await;
        signer.sign(message).await.unwrap()
    });
    openssl_verifies(&signer, message, &signature.0);
}

#[test]
fn signs_on_p256() {
    softhsm(|hsm| conforms(hsm, "EC:prime256v1", Algorithm::EcdsaP256Sha256));
}

#[test]
fn signs_on_p384() {
    softhsm(|hsm| conforms(hsm, "EC:secp384r1", Algorithm::EcdsaP384Sha384));
}

#[test]
fn signs_on_p521() {
    softhsm(|hsm| conforms(hsm, "EC:secp521r1", Algorithm::EcdsaP521Sha512));
}

#[test]
fn signs_with_ed25519() {
    softhsm(|hsm| conforms(hsm, "EC:edwards25519", Algorithm::Ed25519));
}

#[test]
fn signs_with_rsa_of_2048_bits() {
    softhsm(|hsm| conforms(hsm, "rsa:2048", Algorithm::RsaPkcs1Sha256));
}

#[test]
fn signs_with_rsa_of_3072_bits() {
    softhsm(|hsm| conforms(hsm, "rsa:3072", Algorithm::RsaPkcs1Sha256));
}

#[test]
fn signs_with_rsa_of_4096_bits() {
    softhsm(|hsm| conforms(hsm, "rsa:4096", Algorithm::RsaPkcs1Sha256));
}

#[test]
fn two_keys_of_one_token_sign_at_the_same_time() {
    softhsm(|hsm| {
        hsm.key_pair("EC:secp384r1", "02", "one", &[]);
        hsm.key_pair("EC:prime256v1", "03", "other", &[]);
        let one = hsm.signer(hsm.config(), "one").unwrap();
        let other = hsm.signer(hsm.config(), "other").unwrap();
        hsm.wait(async {
            let both = (signer_conformance(&one), signer_conformance(&other));
            tokio::join!(both.0, both.1);
        });
        // What one of them had does not go with it.
        drop(one);
        hsm.wait(signer_conformance(&other));
    });
}

#[test]
fn signs_with_a_key_whose_public_half_is_in_a_certificate_only() {
    softhsm(|hsm| {
        hsm.openssl("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -subj /O=x -out cert.pem");
        hsm.openssl("pkey -in key.pem -outform DER -out key.der");
        hsm.openssl("x509 -in cert.pem -outform DER -out cert.der");
        for (file, kind) in [("key.der", "privkey"), ("cert.der", "cert")] {
            let file = hsm.path(file);
            let usage: &[&str] = if kind == "privkey" {
                &["--usage-sign"]
            } else {
                &[]
            };
            let write = ["--write-object", file.to_str().unwrap(), "--type", kind];
            let named = ["--id", "3939", "--label", "PKCS11CA"];
            hsm.pkcs11_tool(&[&write[..], &named, usage].concat());
        }
        let signer = hsm.signer(hsm.config(), "PKCS11CA").unwrap();
        hsm.wait(signer_conformance(&signer));
    });
}
