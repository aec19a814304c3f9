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
    signer::{Case, FailingSigner, Finding, Report, SlowSigner, Suite, Verdict, WrongKeySigner},
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

fn ed25519() -> Made {
    let key = Ed25519KeyPair::generate().unwrap();
    Made {
        algorithm: Algorithm::Ed25519,
        spki: key.public_key().as_der().unwrap().as_ref().to_vec(),
        sign: Box::new(move |message| key.sign(message).as_ref().to_vec()),
    }
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

/// What is wrong first, and in which case.
fn first(report: &Report) -> (Case, Finding) {
    assert!(!report.conforms());
    let failed = report.cases().find_map(|(case, verdict)| match verdict {
        Verdict::Failed(findings) => Some((case, findings[0].clone())),
        _ => None,
    });
    let (case, finding) = failed.unwrap();
    assert_eq!(report.findings().next(), Some(&finding));
    let text = report.to_string();
    assert!(text.contains(&finding.to_string()), "{text}");
    (case, finding)
}

async fn finding(signer: &dyn Signer) -> (Case, Finding) {
    first(&Suite::new().inspect(signer).await)
}

#[track_caller]
fn verdict(report: &Report, wanted: Case) -> &Verdict {
    let mut cases = report.cases();
    cases.find(|(case, _)| *case == wanted).unwrap().1
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
    signer_conformance(&ed25519()).await;
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
    assert_eq!(
        finding(&signer).await,
        (Case::KnownAnswers, Finding::HashedTwice { message: 0 })
    );
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
    assert_eq!(
        finding(&signer).await,
        (Case::KnownAnswers, Finding::NotHashed { message: 32 })
    );
}

#[tokio::test]
async fn finds_a_wrong_hash_and_a_wrong_padding() {
    let hints = [
        (rsa(&RSA_PKCS1_SHA512), "it was made with SHA-512"),
        (rsa(&RSA_PSS_SHA256), "it is padded as RSA-PSS"),
    ];
    for (signer, hint) in hints {
        assert_eq!(
            finding(&signer).await.1,
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
    let report = Suite::new().inspect(&side_by_side).await;
    let (case, found) = first(&report);
    assert_eq!(case, Case::Der);
    assert!(matches!(found, Finding::SignatureEncoding { .. }));
    let trailing = p256(|key, message| [&signed(key, message)[..], &[0]].concat());
    assert!(matches!(
        finding(&trailing).await.1,
        Finding::WrongSignature { .. } | Finding::SignatureEncoding { .. }
    ));
}

#[tokio::test]
async fn finds_a_signature_of_another_key() {
    let signer = WrongKeySigner::new(p256(signed), p256(signed));
    assert_eq!(
        finding(&signer).await.1,
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
    let (Case::PublicKey, Finding::AlgorithmOfAnotherKey { key }) = finding(&signer).await else {
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
        (Case::PublicKey, Finding::PublicKeyMalformed { .. })
    ));
}

#[tokio::test]
async fn finds_a_signer_that_refuses_and_repeats_its_words() {
    let signer = FailingSigner::new(p256(signed), ErrorKind::Throttled);
    let (Case::KnownAnswers, Finding::Refuses { error, .. }) = finding(&signer).await else {
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
    let report = Suite::new().deadline(limit).inspect(&signer).await;
    let hangs = Finding::Hangs { limit, message: 0 };
    assert_eq!(first(&report), (Case::KnownAnswers, hangs));
    // It is not asked again and again.
    assert_eq!(report.findings().count(), 1);
    let not_come_to = Verdict::NotApplicable("what comes before it failed");
    assert_eq!(*verdict(&report, Case::Concurrency), not_come_to);
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
    assert_eq!(
        finding(&signer).await,
        (Case::Constancy, Finding::PublicKeyChanges)
    );
}

#[tokio::test]
async fn finds_a_signer_that_does_not_survive_a_lost_interest() {
    let signer = SpoiltByDrop(p256(signed), AtomicUsize::new(0));
    assert_eq!(
        finding(&signer).await,
        (Case::Cancellation, Finding::SpoiledByCancellation)
    );
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
    assert_eq!(finding(&signer).await, (Case::Nonce, Finding::NonceReused));
}

#[tokio::test]
async fn finds_an_algorithm_that_changes() {
    /// Says so rightly at first only.
    #[derive(Debug)]
    struct Wavering(Made, AtomicUsize);
    impl Signer for Wavering {
        fn algorithm(&self) -> Algorithm {
            match self.1.fetch_add(1, Ordering::SeqCst) {
                0 => self.0.algorithm(),
                _ => Algorithm::Ed25519,
            }
        }
        fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
            self.0.sign(message)
        }
    }
    let signer = Wavering(p256(signed), AtomicUsize::new(0));
    assert_eq!(
        finding(&signer).await,
        (Case::Constancy, Finding::AlgorithmChanges)
    );
}

/// Mixes up the answers to those who ask at the same time.
#[tokio::test]
async fn finds_a_signer_that_answers_the_wrong_one_of_many() {
    #[derive(Debug)]
    struct MixedUp(Made, std::sync::Mutex<Vec<u8>>);
    impl Signer for MixedUp {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }
        fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
            Box::pin(async {
                *self.1.lock().unwrap() = message.to_vec();
                tokio::task::yield_now().await;
                let last = self.1.lock().unwrap().clone();
                self.0.sign(&last).await
            })
        }
    }
    let signer = MixedUp(p256(signed), Default::default());
    let (case, finding) = finding(&signer).await;
    assert_eq!(case, Case::Concurrency);
    assert!(matches!(finding, Finding::WrongSignature { .. }));
}

/// Each signature is right, and made with another nonce, which Ed25519 does not do.
#[tokio::test]
async fn finds_an_answer_that_changes() {
    use ed25519_dalek::{
        Sha512, SigningKey,
        hazmat::{ExpandedSecretKey, raw_sign},
        pkcs8::EncodePublicKey as _,
    };
    let secret = [7; 32];
    let public = SigningKey::from_bytes(&secret).verifying_key();
    let made = AtomicUsize::new(0);
    let signer = Made {
        algorithm: Algorithm::Ed25519,
        spki: public.to_public_key_der().unwrap().as_bytes().to_vec(),
        sign: Box::new(move |message| {
            let mut expanded = ExpandedSecretKey::from(&secret);
            expanded.hash_prefix[0] ^= u8::try_from(made.fetch_add(1, Ordering::SeqCst)).unwrap();
            raw_sign::<Sha512>(&expanded, message, &public).to_vec()
        }),
    };
    assert_eq!(
        finding(&signer).await,
        (Case::SameAnswer, Finding::AnswerChanges)
    );
}

#[tokio::test]
async fn lists_each_case_with_how_it_ended() {
    let report = Suite::new().inspect(&p256(signed)).await;
    assert!(report.conforms());
    assert!(report.cases().map(|(case, _)| case).eq(Case::ALL));
    for case in [Case::Der, Case::Nonce, Case::Concurrency, Case::Constancy] {
        assert_eq!(*verdict(&report, case), Verdict::Passed);
    }
    for case in [Case::SameAnswer, Case::Limits, Case::WrongKey] {
        assert!(matches!(verdict(&report, case), Verdict::NotApplicable(_)));
    }
    let text = report.to_string();
    assert!(text.contains("known answers   passed"), "{text}");
    assert!(
        text.contains("same answer     not applicable: ECDSA"),
        "{text}"
    );

    let report = Suite::new().inspect(&rsa(&RSA_PKCS1_SHA256)).await;
    assert_eq!(*verdict(&report, Case::SameAnswer), Verdict::Passed);
    assert!(matches!(
        verdict(&report, Case::Der),
        Verdict::NotApplicable(_)
    ));
}

/// Signs messages of some lengths only, and refuses the others in a way of its own.
#[derive(Debug)]
struct Limited(Made, core::ops::RangeInclusive<usize>, ErrorKind);

impl Signer for Limited {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.0.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        if self.1.contains(&message.len()) {
            return self.0.sign(message);
        }
        Box::pin(async { Err(Error::new(self.2, "too short or too long")) })
    }
}

#[tokio::test]
async fn takes_a_signer_with_limits_that_are_documented() {
    let suite = Suite::new().shortest_message(1).longest_message(4096);
    let limited = Limited(ed25519(), 1..=4096, ErrorKind::Invalid);
    let report = suite.inspect(&limited).await;
    assert!(report.conforms(), "{report}");
    assert_eq!(*verdict(&report, Case::Limits), Verdict::Passed);
    // Nobody documented them.
    let (case, _refuses) = finding(&limited).await;
    assert_eq!(case, Case::KnownAnswers);
    // Very narrow ones are no hindrance.
    let suite = Suite::new().shortest_message(33).longest_message(40);
    let report = suite
        .inspect(&Limited(p256(signed), 33..=40, ErrorKind::Invalid))
        .await;
    assert!(report.conforms(), "{report}");
}

#[tokio::test]
async fn finds_limits_that_are_not_kept_or_not_clear() {
    let suite = Suite::new().shortest_message(1).longest_message(4096);
    let expected = ErrorKind::Invalid;
    assert_eq!(
        first(&suite.inspect(&ed25519()).await),
        (Case::Limits, Finding::SignsNonetheless { expected })
    );
    let unclear = Limited(ed25519(), 1..=4096, ErrorKind::Unavailable);
    let (case, finding) = first(&suite.inspect(&unclear).await);
    assert_eq!(case, Case::Limits);
    let Finding::OtherKind { found, error, .. } = finding else {
        panic!("{finding}");
    };
    assert_eq!(found, ErrorKind::Unavailable);
    assert!(error.ends_with("too short or too long"), "{error}");
}

#[tokio::test]
async fn takes_signers_that_say_what_is_wrong_with_their_service() {
    use fulcio_remote_key::{Timeout, Verified};
    let suite = Suite::new();
    let wrong_key = WrongKeySigner::new(p256(signed), p256(signed));
    let hanging = SlowSigner::new(p256(signed), Duration::from_secs(3600));
    let report = suite
        .inspect(&p256(signed))
        .await
        .and(suite.wrong_key(&Verified::new(wrong_key).unwrap()).await)
        .and(
            suite
                .slow(&Timeout::new(hanging, Duration::from_millis(20)))
                .await,
        )
        .and(
            suite
                .failing(
                    &FailingSigner::new(p256(signed), ErrorKind::Throttled),
                    ErrorKind::Throttled,
                )
                .await,
        );
    assert!(report.conforms(), "{report}");
    for case in [
        Case::KnownAnswers,
        Case::WrongKey,
        Case::Slow,
        Case::Failing,
    ] {
        assert_eq!(*verdict(&report, case), Verdict::Passed);
    }
}

#[tokio::test]
async fn finds_signers_that_do_not_say_what_is_wrong_with_their_service() {
    let limit = Duration::from_millis(50);
    let suite = Suite::new().deadline(limit);
    let wrong_key = WrongKeySigner::new(p256(signed), p256(signed));
    let expected = ErrorKind::WrongKey;
    assert_eq!(
        first(&suite.wrong_key(&wrong_key).await),
        (Case::WrongKey, Finding::SignsNonetheless { expected })
    );
    let hanging = SlowSigner::new(p256(signed), Duration::from_secs(3600));
    let message = 100;
    assert_eq!(
        first(&suite.slow(&hanging).await),
        (Case::Slow, Finding::Hangs { limit, message })
    );
    let denied = FailingSigner::new(p256(signed), ErrorKind::Denied);
    let report = suite.failing(&denied, ErrorKind::Throttled).await;
    let (case, finding) = first(&report);
    assert_eq!(case, Case::Failing);
    assert!(matches!(finding, Finding::OtherKind { .. }), "{finding}");
    // What was found once is not forgotten.
    let well = suite.failing(&denied, ErrorKind::Denied).await;
    assert!(well.conforms());
    assert!(!report.clone().and(well.clone()).conforms());
    assert!(!well.and(report).conforms());
}

/// With a key of small order, one signature is right for every message; the stricter one of two
/// implementations takes none of such a key.
#[tokio::test]
async fn finds_a_signature_that_not_every_implementation_takes() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let ed25519 = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
    let mut signature = [0; 64];
    // The base point, and once.
    signature[..32].fill(0x66);
    signature[0] = 0x58;
    signature[32] = 1;
    let signer = Made {
        algorithm: Algorithm::Ed25519,
        spki: [&ed25519[..], &neutral].concat(),
        sign: Box::new(move |_any| signature.to_vec()),
    };
    assert_eq!(
        finding(&signer).await,
        (Case::KnownAnswers, Finding::TwoOpinions { message: 0 })
    );
}
