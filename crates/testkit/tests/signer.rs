//! The suite accepts signers that conform, and says of each of the others what is wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use aws_lc_rs::{
    digest,
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa,
    signature::{
        self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
        ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    },
};
use fulcio_signer::{Algorithm, Error, ErrorKind, Signature, Signer, Signing};
use fulcio_testkit::{
    signer::{FailingSigner, Finding, SlowSigner, WrongKeySigner, inspect, inspect_within},
    signer_conformance,
};
use pki_types::SubjectPublicKeyInfoDer;

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// A signer put together from its answers.
struct Made {
    algorithm: Algorithm,
    spki: Vec<u8>,
    sign: Sign,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

impl Signer for Made {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(&self.spki[..])
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async { Ok(Signature((self.sign)(message))) })
    }
}

/// A P-256 or P-384 key whose signature is made by `sign`.
fn ecdsa(
    curve: &'static EcdsaSigningAlgorithm,
    algorithm: Algorithm,
    sign: impl Fn(&EcdsaKeyPair, &[u8]) -> Vec<u8> + Send + Sync + 'static,
) -> Made {
    let key = EcdsaKeyPair::generate(curve).unwrap();
    Made {
        algorithm,
        spki: key.public_key().as_der().unwrap().as_ref().to_vec(),
        sign: Box::new(move |message| sign(&key, message)),
    }
}

fn p256(sign: impl Fn(&EcdsaKeyPair, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Made {
    ecdsa(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        Algorithm::EcdsaP256Sha256,
        sign,
    )
}

fn signed(key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    let signature = key.sign(&SystemRandom::new(), message).unwrap();
    signature.as_ref().to_vec()
}

/// Signs a digest as if it were that of the message.
fn signed_digest(key: &EcdsaKeyPair, digest: &digest::Digest) -> Vec<u8> {
    key.sign_digest(digest).unwrap().as_ref().to_vec()
}

fn rsa(padding: &'static dyn signature::RsaEncoding) -> Made {
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    Made {
        algorithm: Algorithm::RsaPkcs1Sha256,
        spki: key.public_key().as_der().unwrap().as_ref().to_vec(),
        sign: Box::new(move |message| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(padding, &SystemRandom::new(), message, &mut signature)
                .unwrap();
            signature
        }),
    }
}

async fn finding(signer: &dyn Signer) -> Finding {
    let report = inspect(signer).await;
    assert!(!report.conforms());
    let finding = report.findings()[0].clone();
    assert!(report.to_string().contains(&finding.to_string()));
    finding
}

#[tokio::test]
async fn accepts_signers_of_each_kind() {
    signer_conformance(&p256(signed)).await;
    signer_conformance(&ecdsa(
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        Algorithm::EcdsaP384Sha384,
        signed,
    ))
    .await;
    signer_conformance(&rsa(&RSA_PKCS1_SHA256)).await;
    let key = Ed25519KeyPair::generate().unwrap();
    signer_conformance(&Made {
        algorithm: Algorithm::Ed25519,
        spki: key.public_key().as_der().unwrap().as_ref().to_vec(),
        sign: Box::new(move |message| key.sign(message).as_ref().to_vec()),
    })
    .await;
    signer_conformance(&SlowSigner::new(p256(signed), Duration::from_millis(5))).await;
}

#[tokio::test]
#[should_panic(expected = "does not conform")]
async fn panics_with_the_report() {
    signer_conformance(&FailingSigner::new(p256(signed), ErrorKind::Denied)).await;
}

#[tokio::test]
async fn finds_a_message_that_was_hashed_twice() {
    let signer = p256(|key, message| {
        let once = digest::digest(&digest::SHA256, message);
        signed(key, once.as_ref())
    });
    assert_eq!(finding(&signer).await, Finding::HashedTwice { message: 0 });
}

#[tokio::test]
async fn finds_a_message_that_was_taken_for_a_digest() {
    let signer =
        p256(
            |key, message| match digest::Digest::import_less_safe(message, &digest::SHA256) {
                Ok(digest) => signed_digest(key, &digest),
                Err(_other_length) => signed(key, message),
            },
        );
    assert_eq!(finding(&signer).await, Finding::NotHashed { message: 32 });
}

#[tokio::test]
async fn finds_a_wrong_hash_and_a_wrong_padding() {
    let hints = [
        (rsa(&RSA_PKCS1_SHA512), "it was made with SHA-512"),
        (rsa(&RSA_PSS_SHA256), "it is padded as RSA-PSS"),
    ];
    for (signer, hint) in hints {
        assert_eq!(
            finding(&signer).await,
            Finding::WrongSignature {
                message: 0,
                hint: Some(hint)
            }
        );
    }
}

#[tokio::test]
async fn finds_a_signature_that_is_not_der() {
    let side_by_side = ecdsa(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        Algorithm::EcdsaP256Sha256,
        signed,
    );
    assert!(matches!(
        finding(&side_by_side).await,
        Finding::SignatureEncoding { .. }
    ));
    let trailing = p256(|key, message| [&signed(key, message)[..], &[0]].concat());
    assert!(matches!(
        finding(&trailing).await,
        Finding::WrongSignature { .. } | Finding::SignatureEncoding { .. }
    ));
}

#[tokio::test]
async fn finds_a_signature_of_another_key() {
    let signer = WrongKeySigner::new(p256(signed), p256(signed));
    assert_eq!(
        finding(&signer).await,
        Finding::WrongSignature {
            message: 0,
            hint: None
        }
    );
}

#[tokio::test]
async fn finds_a_key_for_another_algorithm() {
    let signer = ecdsa(
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        Algorithm::EcdsaP256Sha256,
        signed,
    );
    let Finding::AlgorithmOfAnotherKey { key } = finding(&signer).await else {
        panic!("another finding");
    };
    assert!(key.contains("1.3.132.0.34"), "{key}");
}

#[tokio::test]
async fn finds_a_key_that_is_not_one() {
    let mut signer = p256(signed);
    signer.spki.push(0);
    assert!(matches!(
        finding(&signer).await,
        Finding::PublicKeyMalformed { .. }
    ));
}

#[tokio::test]
async fn finds_a_signer_that_refuses_and_repeats_its_words() {
    let signer = FailingSigner::new(p256(signed), ErrorKind::Throttled);
    let Finding::Refuses { error, .. } = finding(&signer).await else {
        panic!("another finding");
    };
    assert_eq!(
        error,
        "the key service asked for fewer requests: told to fail"
    );
}

#[tokio::test]
async fn finds_a_signer_that_hangs() {
    let signer = SlowSigner::new(p256(signed), Duration::from_secs(60));
    let limit = Duration::from_millis(50);
    let report = inspect_within(&signer, limit).await;
    assert_eq!(report.findings(), [Finding::Hangs { limit, message: 0 }]);
}

/// Shows another key each time.
#[derive(Debug)]
struct Turning([Made; 2], AtomicUsize);

impl Signer for Turning {
    fn algorithm(&self) -> Algorithm {
        self.0[0].algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.0[self.1.fetch_add(1, Ordering::SeqCst) % 2].public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.0[0].sign(message)
    }
}

#[tokio::test]
async fn finds_a_public_key_that_changes() {
    let signer = Turning([p256(signed), p256(signed)], AtomicUsize::new(0));
    assert_eq!(finding(&signer).await, Finding::PublicKeyChanges);
}

#[tokio::test]
async fn finds_a_signer_that_does_not_survive_a_lost_interest() {
    let signer = SpoiltByDrop(p256(signed), AtomicUsize::new(0));
    assert_eq!(finding(&signer).await, Finding::SpoiledByCancellation);
}

/// Refuses for good once a signature was dropped before it was made.
#[derive(Debug)]
struct SpoiltByDrop(Made, AtomicUsize);

impl Signer for SpoiltByDrop {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.0.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        struct Open<'a>(&'a AtomicUsize, bool);
        impl Drop for Open<'_> {
            fn drop(&mut self) {
                if !self.1 {
                    self.0.store(1, Ordering::SeqCst);
                }
            }
        }
        Box::pin(async {
            let mut open = Open(&self.1, false);
            tokio::task::yield_now().await;
            if self.1.load(Ordering::SeqCst) == 1 {
                return Err(Error::new(ErrorKind::Unavailable, "one was never finished"));
            }
            let signature = self.0.sign(message).await;
            open.1 = true;
            signature
        })
    }
}

#[tokio::test]
async fn accepts_a_signature_that_is_always_the_same_for_a_message() {
    // As RFC 6979 makes them: what may not repeat is the nonce of another message.
    use std::{collections::HashMap, sync::Mutex};
    let made = Mutex::new(HashMap::<Vec<u8>, Vec<u8>>::new());
    let signer = p256(move |key, message| {
        let mut made = made.lock().unwrap();
        made.entry(message.to_vec())
            .or_insert_with(|| signed(key, message))
            .clone()
    });
    signer_conformance(&signer).await;
}

/// Signs with the same nonce each time: each signature is good, any two give the key away.
#[tokio::test]
async fn finds_a_nonce_that_is_used_twice() {
    use p256::{NonZeroScalar, PublicKey, pkcs8::EncodePublicKey as _};
    let scalar = |byte| NonZeroScalar::try_from(&[byte; 32][..]).unwrap();
    let (key, nonce) = (scalar(1), scalar(2));
    let public = PublicKey::from_secret_scalar(&key);
    let signer = Made {
        algorithm: Algorithm::EcdsaP256Sha256,
        spki: public.to_public_key_der().unwrap().as_bytes().to_vec(),
        sign: Box::new(move |message| {
            let digest = digest::digest(&digest::SHA256, message);
            let (signature, _) =
                ecdsa::hazmat::sign_prehashed(&key, &nonce, digest.as_ref()).unwrap();
            signature.to_der().as_bytes().to_vec()
        }),
    };
    assert_eq!(finding(&signer).await, Finding::NonceReused);
}
