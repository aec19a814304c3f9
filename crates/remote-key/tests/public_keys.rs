//! Public keys made by OpenSSL, and signatures that OpenSSL made.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use fulcio_remote_key::{Error, Hash, PublicKey};
use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_file::EphemeralSigner;
use proptest::prelude::*;
use tempfile::TempDir;

#[track_caller]
fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// The PEM of a public key, and the folder with the private one.
#[track_caller]
fn made(genpkey: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    openssl(folder.path(), &format!("genpkey -out key.pem {genpkey}"));
    openssl(folder.path(), "pkey -in key.pem -pubout -out pub.pem");
    let pem = fs::read_to_string(folder.path().join("pub.pem")).unwrap();
    (folder, pem)
}

/// A key of this kind is read, verifies what OpenSSL signs with it, and nothing else.
#[track_caller]
fn verifies(genpkey: &str, algorithm: Algorithm, how: &str) {
    let (folder, pem) = made(genpkey);
    let key = PublicKey::from_pem(&pem).unwrap();
    assert_eq!(key.algorithm(), algorithm);

    let message = b"signed by OpenSSL";
    fs::write(folder.path().join("message"), message).unwrap();
    openssl(
        folder.path(),
        &format!("pkeyutl -sign -inkey key.pem -rawin {how} -in message -out signature"),
    );
    let mut signature = fs::read(folder.path().join("signature")).unwrap();
    key.verify(message, &signature).unwrap();
    assert!(key.verify(b"another message", &signature).is_err());
    *signature.last_mut().unwrap() ^= 1;
    let wrong = key.verify(message, &signature).unwrap_err();
    assert!(matches!(wrong, Error::Unverified), "{wrong:?}");
}

#[test]
fn verifies_with_a_key_on_each_curve() {
    let on = |curve| format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
    let cases = [
        ("P-256", Algorithm::EcdsaP256Sha256, "-digest sha256"),
        ("P-384", Algorithm::EcdsaP384Sha384, "-digest sha384"),
        ("P-521", Algorithm::EcdsaP521Sha512, "-digest sha512"),
    ];
    for (curve, algorithm, how) in cases {
        verifies(&on(curve), algorithm, how);
    }
    verifies("-algorithm ED25519", Algorithm::Ed25519, "");
}

#[test]
fn verifies_with_rsa_keys_of_the_lengths_that_are_used() {
    for bits in [2048, 3072, 4096] {
        let rsa = format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}");
        verifies(&rsa, Algorithm::RsaPkcs1Sha256, "-digest sha256");
    }
}

#[test]
fn refuses_rsa_keys_of_other_lengths() {
    for bits in [1024, 2040] {
        let (_folder, pem) = made(&format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"));
        let error = PublicKey::from_pem(&pem).unwrap_err();
        assert!(
            matches!(error, Error::RsaLength { bits: found } if found == bits),
            "{error:?}"
        );
    }
}

#[test]
fn names_the_kind_of_a_key_that_is_not_used() {
    let cases = [
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            "1.3.132.0.10",
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
            "1.3.132.0.33",
        ),
        ("-algorithm ED448", "1.3.101.113"),
        ("-algorithm X25519", "1.3.101.110"),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            "not named",
        ),
    ];
    for (genpkey, named) in cases {
        let (_folder, pem) = made(genpkey);
        let error = PublicKey::from_pem(&pem).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn takes_a_bare_ed25519_key() {
    let signer = EphemeralSigner::generate(Algorithm::Ed25519).unwrap();
    let spki = signer.public_key();
    let bare = &spki.as_ref()[spki.as_ref().len() - 32..];
    let key = PublicKey::from_ed25519(bare).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Ed25519);
    assert_eq!(key.spki(), spki);
    assert!(PublicKey::from_ed25519(&bare[1..]).is_err());
    assert!(PublicKey::from_ed25519(&[]).is_err());
}

#[test]
fn refuses_pem_that_is_not_a_public_key() {
    let (folder, pem) = made("-algorithm ED25519");
    let private = fs::read_to_string(folder.path().join("key.pem")).unwrap();
    let cut = &pem[..pem.len() / 2];
    for text in [private.as_str(), cut, "", "not PEM"] {
        assert!(PublicKey::from_pem(text).is_err(), "{text:?}");
    }
}

#[test]
fn digests_are_what_openssl_makes() {
    let folder = tempfile::tempdir().unwrap();
    let message = b"to be hashed";
    fs::write(folder.path().join("message"), message).unwrap();
    let cases = [
        (Algorithm::EcdsaP256Sha256, "sha256"),
        (Algorithm::EcdsaP384Sha384, "sha384"),
        (Algorithm::EcdsaP521Sha512, "sha512"),
        (Algorithm::RsaPkcs1Sha256, "sha256"),
    ];
    for (algorithm, name) in cases {
        openssl(
            folder.path(),
            &format!("dgst -{name} -binary -out digest message"),
        );
        let hash = Hash::of(algorithm).unwrap().unwrap();
        let expected = fs::read(folder.path().join("digest")).unwrap();
        assert_eq!(hash.digest(message).as_ref(), expected);
    }
    assert_eq!(Hash::of(Algorithm::Ed25519).unwrap(), None);
}

proptest! {
    #[test]
    fn whatever_comes_is_refused_or_a_key_that_says_the_same(bytes in any::<Vec<u8>>()) {
        if let Ok(key) = PublicKey::from_spki(bytes.clone()) {
            prop_assert_eq!(key.spki().to_vec(), bytes);
        }
    }

    #[test]
    fn a_damaged_key_never_panics(at in 0_usize..91, flip in 1_u8..) {
        let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let mut spki = signer.public_key().as_ref().to_vec();
        spki[at] ^= flip;
        if let Ok(key) = PublicKey::from_spki(spki.clone()) {
            prop_assert_eq!(key.spki().to_vec(), spki);
        }
    }
}
