use core::time::Duration;

use fulcio_signer::{ErrorKind, Signer};

use super::{Case, Finding, Report, inspection::Inspection};

/// Checks that a signer does what [`Signer`] asks of it.
///
/// Wants a Tokio runtime with a timer. It makes some thirty signatures, sixteen of them at
/// the same time. [`Suite`] tells more, and takes signers with limits.
///
/// # Panics
/// The signer does not conform; the text lists every case, and everything that is wrong.
pub async fn signer_conformance(signer: &dyn Signer) {
    let report = Suite::new().inspect(signer).await;
    assert!(report.conforms(), "{report}");
}

/// The suite, with what is documented of a signer.
///
/// [`inspect`](Self::inspect) looks at a signer whose service works. The other three look at one
/// whose service was just made to misbehave; their reports are [added](Report::and) to that of the
/// first.
///
/// ```
/// use core::time::Duration;
///
/// use fulcio_remote_key::{Timeout, Verified};
/// use fulcio_signer::{Algorithm, ErrorKind};
/// use fulcio_signer_file::EphemeralSigner;
/// use fulcio_testkit::signer::{FailingSigner, SlowSigner, Suite, WrongKeySigner};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = || EphemeralSigner::generate(Algorithm::EcdsaP256Sha256);
/// let suite = Suite::new().deadline(Duration::from_secs(10));
///
/// let replaced = Verified::new(WrongKeySigner::new(key()?, key()?))?;
/// let hanging = SlowSigner::new(key()?, Duration::from_secs(3600));
/// let hanging = Timeout::new(hanging, Duration::from_millis(50));
/// let throttled = FailingSigner::new(key()?, ErrorKind::Throttled);
///
/// let report = suite
///     .inspect(&key()?)
///     .await
///     .and(suite.wrong_key(&replaced).await)
///     .and(suite.slow(&hanging).await)
///     .and(suite.failing(&throttled, ErrorKind::Throttled).await);
/// println!("{report}");
/// assert!(report.conforms());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    pub(super) limit: Duration,
    pub(super) longest: Option<usize>,
    pub(super) shortest: usize,
}

impl Suite {
    /// For a signer that takes every message; a signature, or sixteen at once, may take 30 seconds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            limit: DEADLINE,
            longest: None,
            shortest: 0,
        }
    }

    /// Gives a signature, and sixteen at once, another time.
    #[must_use]
    pub fn deadline(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Does not ask for signatures over more bytes, except to see that they are refused.
    #[must_use]
    pub fn longest_message(self, bytes: usize) -> Self {
        let longest = Some(bytes);
        Self { longest, ..self }
    }

    /// Does not ask for signatures over fewer bytes, except to see that they are refused.
    #[must_use]
    pub fn shortest_message(self, bytes: usize) -> Self {
        Self {
            shortest: bytes,
            ..self
        }
    }

    /// Looks at a signer whose service works.
    pub async fn inspect(&self, signer: &dyn Signer) -> Report {
        Inspection::of(signer, *self).await
    }

    /// Looks at a signer whose service signs with another key than the one it shows: that must
    /// be [`ErrorKind::WrongKey`], and no signature.
    pub async fn wrong_key(&self, signer: &dyn Signer) -> Report {
        self.provoked(Case::WrongKey, signer, ErrorKind::WrongKey)
            .await
    }

    /// Looks at a signer whose service never answers: that must be [`ErrorKind::Unavailable`],
    /// before the suite's own [deadline](Self::deadline).
    pub async fn slow(&self, signer: &dyn Signer) -> Report {
        self.provoked(Case::Slow, signer, ErrorKind::Unavailable)
            .await
    }

    /// Looks at a signer whose service fails in a way that must be an error of this kind.
    pub async fn failing(&self, signer: &dyn Signer, expected: ErrorKind) -> Report {
        self.provoked(Case::Failing, signer, expected).await
    }

    async fn provoked(&self, case: Case, signer: &dyn Signer, expected: ErrorKind) -> Report {
        let mut report = Report::new(signer.algorithm(), "its service was made to misbehave");
        let message = self.message(100, 0);
        match tokio::time::timeout(self.limit, signer.sign(&message)).await {
            Err(_elapsed) => report.fail(case, Finding::hangs(self.limit, &message)),
            Ok(Ok(_signature)) => report.fail(case, Finding::SignsNonetheless { expected }),
            Ok(Err(error)) if error.kind() != expected => {
                report.fail(case, Finding::other_kind(expected, &error));
            }
            Ok(Err(_as_it_must_be)) => report.pass(case),
        }
        report
    }

    /// Bytes that differ by length and seed, as many as asked for within the limits.
    pub(super) fn message(&self, length: usize, seed: u8) -> Vec<u8> {
        let longest = self.longest.unwrap_or(usize::MAX);
        message(length.max(self.shortest).min(longest), seed)
    }
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes that differ by length and seed.
pub(super) fn message(length: usize, seed: u8) -> Vec<u8> {
    (0_u8..251)
        .cycle()
        .map(|byte| byte ^ seed)
        .take(length)
        .collect()
}

const DEADLINE: Duration = Duration::from_secs(30);
