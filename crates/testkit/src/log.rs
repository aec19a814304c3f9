//! A transparency log in memory, which can be told to misbehave.

use core::{fmt, time::Duration};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use fulcio_ct_client::{
    AcceptedRoots, DigitallySigned, Entry, Error, Failure, FetchingRoots, LogKey, RemoteLog,
    SctError, SignatureScheme, SignedCertificateTimestamp, Submission, Submitting, TransparencyLog,
};
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

/// A log in memory with a P-256 key of its own.
///
/// It signs real timestamps over whatever it is given, remembers the certificates, and answers
/// as it is told to.
pub struct FakeLog {
    key_pair: EcdsaKeyPair,
    key: LogKey,
    timestamp: u64,
    extensions: Vec<u8>,
    behaviour: Mutex<Behaviour>,
    asked: AtomicUsize,
    probed: AtomicUsize,
    roots: Option<Vec<CertificateDer<'static>>>,
    taken: Mutex<Vec<CertificateDer<'static>>>,
}

/// What a [`FakeLog`] does with the next submissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Answers with a timestamp whose signature is of another key.
    AnotherKey,
    /// Answers with a good timestamp for another certificate.
    AnotherCertificate,
    /// Never answers.
    Hang,
    /// Takes the certificate and promises to publish it.
    #[default]
    Promise,
    /// Does so after this time.
    PromiseAfter(Duration),
    /// Refuses, as a log does that does not know the root.
    Refuse,
    /// Fails as a log does whose time has run out.
    Unavailable,
}

impl FakeLog {
    /// The time in its promises, in milliseconds since the Unix epoch: 2026-01-01T00:00:00Z.
    pub const TIMESTAMP: u64 = 1_767_225_600_000;

    /// A log with a fresh key, which promises.
    ///
    /// # Panics
    /// The machine gives no random numbers.
    #[must_use]
    pub fn new() -> Self {
        let key_pair = fresh_key();
        let key = LogKey::from_spki(spki(&key_pair)).expect("a P-256 key is a log's key");
        Self {
            key_pair,
            key,
            timestamp: Self::TIMESTAMP,
            extensions: Vec::new(),
            behaviour: Mutex::default(),
            asked: AtomicUsize::new(0),
            probed: AtomicUsize::new(0),
            roots: None,
            taken: Mutex::default(),
        }
    }

    /// Promises at this time instead, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: u64) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// Puts these bytes into the extensions of its promises, as a static-ct log puts the index.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Vec<u8>) -> Self {
        self.extensions = extensions;
        self
    }

    /// Says that it accepts these roots; without this it does not tell.
    #[must_use]
    pub fn with_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Behaves like this from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *lock(&self.behaviour) = behaviour;
    }

    /// The key that its promises verify with.
    #[must_use]
    pub fn key(&self) -> &LogKey {
        &self.key
    }

    /// How often it was asked, whatever it answered.
    #[must_use]
    pub fn submissions(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How often it was asked for its roots.
    #[must_use]
    pub fn probes(&self) -> usize {
        self.probed.load(Ordering::SeqCst)
    }

    /// The certificates and precertificates that it promised to publish, in order.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        lock(&self.taken).clone()
    }

    /// Signs for `entry`, without counting it.
    ///
    /// # Errors
    /// The entry cannot be written down.
    ///
    /// # Panics
    /// The machine gives no random numbers.
    pub fn promise(&self, entry: &Entry<'_>) -> Result<SignedCertificateTimestamp, SctError> {
        self.promise_with(entry, &self.key_pair)
    }

    fn promise_with(
        &self,
        entry: &Entry<'_>,
        key_pair: &EcdsaKeyPair,
    ) -> Result<SignedCertificateTimestamp, SctError> {
        let message = entry.to_be_signed(self.timestamp, &self.extensions)?;
        let signature = key_pair
            .sign(&SystemRandom::new(), &message)
            .expect("the machine gives random numbers");
        SignedCertificateTimestamp::new(
            self.key.id(),
            self.timestamp,
            self.extensions.clone(),
            DigitallySigned {
                scheme: SignatureScheme::ECDSA_SHA256,
                signature: signature.as_ref().to_vec(),
            },
        )
    }

    async fn answer(
        &self,
        submission: Submission<'_>,
    ) -> Result<SignedCertificateTimestamp, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let behaviour = self.behaviour();
        let entry = &submission.entry;
        if let Behaviour::PromiseAfter(delay) = behaviour {
            tokio::time::sleep(delay).await;
        }
        match behaviour {
            Behaviour::AnotherCertificate => self.promise(&Entry::Certificate(b"another")),
            Behaviour::AnotherKey => self.promise_with(entry, &fresh_key()),
            Behaviour::Hang => core::future::pending().await,
            Behaviour::Promise | Behaviour::PromiseAfter(_) => {
                self.promise(entry).inspect(|_promise| {
                    lock(&self.taken).push(submission.certificate.clone().into_owned());
                })
            }
            Behaviour::Refuse => {
                return Err(Error::backend(Failure::Refused, "told to refuse"));
            }
            Behaviour::Unavailable => return Err(unavailable()),
        }
        .map_err(|source| Error::backend(Failure::Refused, source))
    }

    fn behaviour(&self) -> Behaviour {
        *lock(&self.behaviour)
    }
}

impl Default for FakeLog {
    fn default() -> Self {
        Self::new()
    }
}

impl TransparencyLog for FakeLog {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(self.answer(submission))
    }
}

/// It tells its roots unless it hangs or is unavailable.
impl RemoteLog for FakeLog {
    fn roots(&self) -> FetchingRoots<'_> {
        self.probed.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            match self.behaviour() {
                Behaviour::Hang => core::future::pending().await,
                Behaviour::Unavailable => Err(unavailable()),
                _ => Ok(self.roots.clone().map(AcceptedRoots::new)),
            }
        })
    }
}

fn unavailable() -> Error {
    Error::backend(Failure::Unavailable, "told to be unavailable")
}

impl fmt::Debug for FakeLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeLog")
            .field("key", &self.key)
            .field("behaviour", &self.behaviour)
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

fn fresh_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
        .expect("the machine gives random numbers")
}

fn spki(key_pair: &EcdsaKeyPair) -> SubjectPublicKeyInfoDer<'static> {
    let der = key_pair
        .public_key()
        .as_der()
        .expect("a P-256 key can be written down");
    SubjectPublicKeyInfoDer::from(der.as_ref().to_vec())
}

/// A thread that panicked while it held the lock left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
