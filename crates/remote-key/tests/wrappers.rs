//! Timeout, retry and verification around signers that misbehave, on a clock that does not wait.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::{
    error::Error as StdError,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use fulcio_remote_key::{Error as Cause, Patience, Retry, Spent, Timeout, Verified};
use fulcio_signer::{Algorithm, Error, ErrorKind, Signer, Signing};
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::{
    signer::{FailingSigner, SlowSigner, WrongKeySigner},
    signer_conformance,
};
use pki_types::SubjectPublicKeyInfoDer;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(5);

fn key() -> EphemeralSigner {
    EphemeralSigner::generate(Algorithm::EcdsaP384Sha384).unwrap()
}

/// Fails in one way for a number of times, then signs.
#[derive(Debug)]
struct Recovering {
    inner: EphemeralSigner,
    fails: u32,
    kind: ErrorKind,
    retry_after: Option<Duration>,
    tries: AtomicU32,
}

impl Recovering {
    fn new(fails: u32, kind: ErrorKind) -> Self {
        Self {
            inner: key(),
            fails,
            kind,
            retry_after: None,
            tries: AtomicU32::new(0),
        }
    }
}

impl Signer for Recovering {
    fn algorithm(&self) -> Algorithm {
        self.inner.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.inner.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        if self.tries.fetch_add(1, Ordering::Relaxed) >= self.fails {
            return self.inner.sign(message);
        }
        let error = Error::new(self.kind, "told to fail").with_retry_after(self.retry_after);
        Box::pin(async { Err(error) })
    }
}

/// How often a signer was tried, how long it took, and how it ended.
async fn retried(inner: Recovering) -> (u32, Duration, Result<(), Error>) {
    let tries = |signer: &Recovering| signer.tries.load(Ordering::Relaxed);
    let inner = std::sync::Arc::new(inner);
    let signer = Retry::new(Shared(inner.clone()), Patience::new(LIMIT));
    let start = Instant::now();
    let answer = signer.sign(b"message").await.map(drop);
    (tries(&inner), start.elapsed(), answer)
}

#[derive(Debug)]
struct Shared(std::sync::Arc<Recovering>);

impl Signer for Shared {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.0.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.0.sign(message)
    }
}

fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[tokio::test(start_paused = true)]
async fn all_of_them_together_conform() {
    for algorithm in [
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
        Algorithm::EcdsaP521Sha512,
        Algorithm::Ed25519,
        Algorithm::RsaPkcs1Sha256,
    ] {
        let inner = EphemeralSigner::generate(algorithm).unwrap();
        let retry = Retry::new(Timeout::new(inner, LIMIT), Patience::new(LIMIT));
        signer_conformance(&Verified::new(retry).unwrap()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_try_is_unavailable_and_says_how_long_it_had() {
    let slow = SlowSigner::new(key(), Duration::from_secs(60));
    let start = Instant::now();
    let error = Timeout::new(slow, LIMIT)
        .sign(b"message")
        .await
        .unwrap_err();
    assert_eq!(start.elapsed(), LIMIT);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        causes(&error).contains("within 5000 ms"),
        "{}",
        causes(&error)
    );
}

#[tokio::test(start_paused = true)]
async fn a_quick_answer_passes_a_timeout() {
    let slow = SlowSigner::new(key(), Duration::from_secs(4));
    Timeout::new(slow, LIMIT).sign(b"message").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tries_again_what_may_get_better() {
    for kind in [ErrorKind::Throttled, ErrorKind::Unavailable] {
        let (tries, took, answer) = retried(Recovering::new(3, kind)).await;
        answer.unwrap();
        assert_eq!(tries, 4);
        // Steps of 100, 200 and 400 ms, each at least half of it.
        let waited = Duration::from_millis(350)..=Duration::from_millis(710);
        assert!(waited.contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn never_tries_again_what_stays_as_it_is() {
    for kind in [ErrorKind::Denied, ErrorKind::Invalid, ErrorKind::WrongKey] {
        let (tries, took, answer) = retried(Recovering::new(1, kind)).await;
        assert_eq!(answer.unwrap_err().kind(), kind);
        assert_eq!((tries, took), (1, Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_service_asks() {
    let mut throttled = Recovering::new(1, ErrorKind::Throttled);
    throttled.retry_after = Some(Duration::from_secs(3));
    let (tries, took, answer) = retried(throttled).await;
    answer.unwrap();
    assert_eq!(tries, 2);
    assert!(took >= Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn fails_at_once_when_the_service_asks_for_more_time_than_there_is() {
    let mut throttled = Recovering::new(1, ErrorKind::Throttled);
    throttled.retry_after = Some(Duration::from_secs(60));
    let (tries, took, answer) = retried(throttled).await;
    let error = answer.unwrap_err();
    assert_eq!((tries, took), (1, Duration::ZERO));
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn gives_up_in_time_and_keeps_the_last_cause() {
    let (tries, took, answer) = retried(Recovering::new(u32::MAX, ErrorKind::Unavailable)).await;
    let error = answer.unwrap_err();
    assert!(took <= LIMIT, "{took:?}");
    assert!((5..20).contains(&tries), "{tries}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let text = causes(&error);
    assert!(text.contains("within 5000 ms"), "{text}");
    assert!(text.ends_with("told to fail"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn drops_a_try_that_outlives_the_patience() {
    let slow = SlowSigner::new(key(), Duration::from_secs(60));
    let start = Instant::now();
    let error = Retry::new(slow, Patience::new(LIMIT))
        .sign(b"message")
        .await
        .unwrap_err();
    assert_eq!(start.elapsed(), LIMIT);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let spent = error.source().unwrap().downcast_ref::<Spent<Error>>();
    assert!(
        matches!(spent, Some(Spent::Late { last: None, .. })),
        "{spent:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_try_does_not_use_up_the_patience() {
    /// Hangs for the first time only.
    #[derive(Debug)]
    struct HangsOnce(EphemeralSigner, AtomicU32);
    impl Signer for HangsOnce {
        fn algorithm(&self) -> Algorithm {
            self.0.algorithm()
        }
        fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
            if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
                return Box::pin(core::future::pending());
            }
            self.0.sign(message)
        }
    }
    let each_try = Timeout::new(HangsOnce(key(), AtomicU32::new(0)), Duration::from_secs(1));
    let signer = Retry::new(each_try, Patience::new(LIMIT));
    signer.sign(b"message").await.unwrap();
}

#[tokio::test]
async fn the_signature_of_another_key_is_never_given_out() {
    for algorithm in [
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
        Algorithm::EcdsaP521Sha512,
        Algorithm::Ed25519,
        Algorithm::RsaPkcs1Sha256,
    ] {
        let made = || EphemeralSigner::generate(algorithm).unwrap();
        let signer = Verified::new(WrongKeySigner::new(made(), made())).unwrap();
        let error = signer.sign(b"message").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
        let cause = error.source().unwrap().downcast_ref::<Cause>();
        assert!(matches!(cause, Some(Cause::Unverified)), "{cause:?}");
    }
}

#[tokio::test]
async fn a_failure_passes_verification_as_it_is() {
    for kind in [ErrorKind::Denied, ErrorKind::Throttled] {
        let signer = Verified::new(FailingSigner::new(key(), kind)).unwrap();
        assert_eq!(signer.sign(b"message").await.unwrap_err().kind(), kind);
    }
}

#[test]
fn refuses_to_verify_for_a_signer_whose_algorithm_is_not_its_keys() {
    #[derive(Debug)]
    struct Confused(EphemeralSigner);
    impl Signer for Confused {
        fn algorithm(&self) -> Algorithm {
            Algorithm::EcdsaP256Sha256
        }
        fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
            self.0.sign(message)
        }
    }
    let error = Verified::new(Confused(key())).unwrap_err();
    assert!(
        matches!(error, Cause::AlgorithmOfAnotherKey { .. }),
        "{error:?}"
    );
}
