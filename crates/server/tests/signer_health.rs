//! What readiness says of the issuing key, by test signatures.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fulcio_api::Part;
use fulcio_cert_builder::{CaChain, CaTemplate, SerialNumber};
use fulcio_issuance::{Clock as _, IssuingKey, SystemClock, ca_certificate};
use fulcio_server_core::{Probe as _, SignerFault, SignerHealth};
use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use fulcio_signer_file::EphemeralSigner;
use pki_types::SubjectPublicKeyInfoDer;
use tokio::time::sleep;

/// Signs as it is told to, and remembers what.
#[derive(Clone, Debug)]
struct Moody {
    key: Arc<EphemeralSigner>,
    other: Arc<EphemeralSigner>,
    mood: Arc<Mutex<Mood>>,
    signed: Arc<Mutex<Vec<Vec<u8>>>>,
    count: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, Debug)]
enum Mood {
    Fails,
    Good,
    Hangs,
    SignsWithAnother,
}

impl Moody {
    fn new() -> Self {
        let key = || Arc::new(EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap());
        Self {
            key: key(),
            other: key(),
            mood: Arc::new(Mutex::new(Mood::Good)),
            signed: Arc::default(),
            count: Arc::default(),
        }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    async fn issuing_key(&self) -> Arc<IssuingKey> {
        let now = SystemClock.now();
        let serial = SerialNumber::from_random([1; 20]);
        let root = ca_certificate(&CaTemplate::ephemeral(), &*self.key, None, serial, now).await;
        let chain = CaChain::new(vec![root.unwrap()], now).unwrap();
        Arc::new(IssuingKey::new(chain, Box::new(self.clone())).unwrap())
    }
}

impl Signer for Moody {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.key.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.signed.lock().unwrap().push(message.to_vec());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Good => self.key.sign(message),
            Mood::SignsWithAnother => self.other.sign(message),
            Mood::Hangs => Box::pin(std::future::pending()),
            Mood::Fails => Box::pin(async { Err(Error::new(ErrorKind::Denied, "at 10.1.2.3")) }),
        }
    }
}

const EVERY: Duration = Duration::from_secs(60);
const LITTLE: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn what_the_last_test_signature_said_is_told_until_the_next() {
    let signer = Moody::new();
    let health = SignerHealth::tested(signer.issuing_key().await, EVERY).await;
    let health = health.unwrap();
    tokio::spawn(health.keep_testing());
    for _ in 0..10 {
        assert_eq!(health.part(), Part::ready("signer"));
    }
    // Asking costs no signature.
    assert_eq!(signer.count(), 1);

    let at_fault = |fault: &'static str| Part::at_fault("signer", fault);
    for (mood, fault) in [
        (Mood::Fails, "the issuing key does not sign"),
        (
            Mood::SignsWithAnother,
            "another key than that of the chain signs",
        ),
        (
            Mood::Hangs,
            "the issuing key made no test signature in time",
        ),
    ] {
        signer.is(mood);
        sleep(EVERY + SignerHealth::DEADLINE + LITTLE).await;
        assert_eq!(health.part(), at_fault(fault));
        let before = signer.count();
        signer.is(Mood::Good);
        sleep(SignerHealth::AFTER_FAILURE + SignerHealth::DEADLINE + LITTLE).await;
        assert_eq!(health.part(), Part::ready("signer"));
        assert!(signer.count() > before);
    }

    // Nothing that was signed can be taken for a certificate, and all of it is the same.
    let signed = signer.signed.lock().unwrap().clone();
    assert!(signed.iter().all(|message| message == &signed[0]));
    assert_ne!(signed[0][0], 0x30);
    assert!(signed[0].is_ascii());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_to_sign_first_is_refused_with_the_cause() {
    let signer = Moody::new();
    let key = signer.issuing_key().await;
    signer.is(Mood::Fails);
    let refused = SignerHealth::tested(Arc::clone(&key), EVERY).await;
    let error = refused.unwrap_err();
    assert!(matches!(&error, SignerFault::Sign(cause) if cause.kind() == ErrorKind::Denied));
    signer.is(Mood::Hangs);
    let refused = SignerHealth::tested(key, EVERY).await;
    assert!(matches!(refused.unwrap_err(), SignerFault::Deadline));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_not_ready_before_its_first_test_signature() {
    let signer = Moody::new();
    signer.is(Mood::Hangs);
    let health = SignerHealth::untested(signer.issuing_key().await, EVERY);
    let at_fault = |fault: &'static str| Part::at_fault("signer", fault);
    let untested = at_fault("the issuing key has not made a test signature yet");
    sleep(2 * EVERY).await;
    assert_eq!((health.part(), signer.count()), (untested.clone(), 0));
    tokio::spawn(health.keep_testing());
    sleep(LITTLE).await;
    assert_eq!((health.part(), signer.count()), (untested, 1));
    sleep(SignerHealth::DEADLINE).await;
    let late = at_fault("the issuing key made no test signature in time");
    assert_eq!(health.part(), late);

    let signer = Moody::new();
    let health = SignerHealth::untested(signer.issuing_key().await, EVERY);
    signer.is(Mood::Fails);
    tokio::spawn(health.keep_testing());
    sleep(LITTLE).await;
    // What anybody may read says nothing of where the key is.
    assert_eq!(health.part(), at_fault("the issuing key does not sign"));
    signer.is(Mood::Good);
    sleep(SignerHealth::AFTER_FAILURE).await;
    assert_eq!(health.part(), Part::ready("signer"));
}

#[tokio::test(start_paused = true)]
async fn an_old_test_signature_says_nothing() {
    let signer = Moody::new();
    let health = SignerHealth::tested(signer.issuing_key().await, EVERY).await;
    let health = health.unwrap();
    // Nobody makes the next ones.
    sleep(2 * EVERY + LITTLE).await;
    assert_eq!(health.part(), Part::ready("signer"));
    sleep(2 * SignerHealth::DEADLINE).await;
    let fault = "the last test signature is too long ago";
    assert_eq!(health.part(), Part::at_fault("signer", fault));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_in_use_any_more_makes_no_test_signatures() {
    let signer = Moody::new();
    let health = SignerHealth::tested(signer.issuing_key().await, EVERY).await;
    let health = health.unwrap();
    let testing = tokio::spawn(health.keep_testing());
    drop(health);
    testing.await.unwrap();
    assert_eq!(signer.count(), 1);
}
