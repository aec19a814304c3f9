use core::fmt;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    Error, Fetch, ProviderObserver, UnverifiedToken, VerifiedToken, candidate::Verdict,
    known::Known,
};

/// One issuer: what it has published, kept, and fetched again when need be.
///
/// Nothing is fetched before the first token. A token that a kept key verifies never waits. One
/// that no kept key verifies asks for the key set again; all such tokens share that one fetch, and
/// after it, as after every fetch that failed, such tokens are refused at once for
/// [`COOL_DOWN`](Self::COOL_DOWN). What is older than [`MAX_AGE`](Self::MAX_AGE) is fetched again,
/// discovery document included, behind the back of the tokens that it still verifies.
///
/// Fetches run in tasks of their own, so it does not matter whether the tokens that asked for them
/// are still there. All methods need a tokio runtime with its timer.
pub struct Provider {
    issuer: Arc<str>,
    audience: String,
    fetch: Arc<dyn Fetch>,
    observer: Option<Arc<dyn ProviderObserver>>,
    cache: Arc<Mutex<Cache>>,
}

/// What is known of the issuer, and what is being done about it.
#[derive(Debug, Default)]
struct Cache {
    known: Option<Arc<Known>>,
    /// Ends when the fetch does.
    flight: Option<watch::Receiver<()>>,
    /// Why the last fetch failed, if it did.
    failure: Option<Error>,
    resting_until: Option<Instant>,
}

/// Why a fetch is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    Age,
    First,
    UnknownKey,
}

impl Provider {
    /// How long tokens that no kept key verifies are refused at once after a fetch.
    pub const COOL_DOWN: Duration = Duration::from_secs(10);

    /// How long discovery and key set may take together.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// How old discovery document and keys may get before they are fetched again.
    pub const MAX_AGE: Duration = Duration::from_secs(60 * 60);

    /// The provider whose tokens have `issuer` as their `iss`, for `audience`.
    pub fn new(
        issuer: impl Into<Arc<str>>,
        audience: impl Into<String>,
        fetch: Arc<dyn Fetch>,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            fetch,
            observer: None,
            cache: Arc::default(),
        }
    }

    /// Tells `observer` of every fetch from now on.
    pub fn observe(&mut self, observer: Arc<dyn ProviderObserver>) {
        self.observer = Some(observer);
    }

    /// Goes on with what `earlier` has fetched, if it is of the same issuer: what is known, what is
    /// being fetched, and until when nothing is.
    pub fn resume(&mut self, earlier: &Self) {
        if self.issuer == earlier.issuer {
            self.cache = Arc::clone(&earlier.cache);
        }
    }

    /// Why the last fetch failed; `None` where it did not, and where none has ended yet.
    #[must_use]
    pub fn last_failure(&self) -> Option<Error> {
        self.cache().failure.clone()
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom its tokens must be meant for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Checks `token` at the time `now`, with the rules of [`UnverifiedToken::verify`].
    ///
    /// A token of another issuer, for another audience or out of its time causes no fetch.
    ///
    /// # Errors
    ///
    /// Those of [`UnverifiedToken::verify`], and those for which [`Error::is_provider_failure`] is
    /// true when the issuer has to be asked and gives no useful answer.
    pub async fn verify(
        &self,
        token: UnverifiedToken<'_>,
        now: SystemTime,
    ) -> Result<VerifiedToken, Error> {
        let candidate = token.claiming(&self.issuer, &self.audience, now)?;
        let Some(known) = self.cache().known.clone() else {
            let known = self.newer_than(None, Occasion::First).await?;
            return known.judge(candidate).accepted();
        };
        let old = known.is_older_than(Self::MAX_AGE);
        let candidate = match known.judge(candidate) {
            Verdict::Signed(token) => {
                if old {
                    self.refresh(&known);
                }
                return token.read();
            }
            Verdict::Unpermitted(candidate) if !old => {
                return Err(Error::Algorithm(candidate.algorithm()));
            }
            Verdict::Unknown(candidate) | Verdict::Unpermitted(candidate) => candidate,
        };
        let newer = self.newer_than(Some(&known), Occasion::UnknownKey).await?;
        newer.judge(candidate).accepted()
    }

    /// What the issuer says after `seen`: at once when somebody has fetched since, else when the
    /// fetch under way or a new one has ended.
    async fn newer_than(
        &self,
        seen: Option<&Arc<Known>>,
        occasion: Occasion,
    ) -> Result<Arc<Known>, Error> {
        let mut flight = {
            let mut cache = self.cache();
            match (cache.newer_than(seen), &cache.flight) {
                (Some(newer), _) => return Ok(newer),
                (None, Some(flight)) => flight.clone(),
                (None, None) if cache.is_resting() => return Err(cache.refusal()),
                (None, None) => self.start(&mut cache, occasion),
            }
        };
        // Nothing is ever sent: the sender goes when the fetch has ended.
        let _closed = flight.changed().await;
        let cache = self.cache();
        cache.newer_than(seen).ok_or_else(|| cache.refusal())
    }

    /// Has `seen` replaced while nobody waits.
    fn refresh(&self, seen: &Arc<Known>) {
        let mut cache = self.cache();
        if cache.newer_than(Some(seen)).is_none() && cache.flight.is_none() && !cache.is_resting() {
            self.start(&mut cache, Occasion::Age);
        }
    }

    fn start(&self, cache: &mut Cache, occasion: Occasion) -> watch::Receiver<()> {
        let (ended, flight) = watch::channel(());
        cache.flight = Some(flight.clone());
        let known = cache.known.clone();
        let landing = Landing {
            issuer: Arc::clone(&self.issuer),
            occasion,
            outcome: None,
            begun: Instant::now(),
            observer: self.observer.clone(),
            cache: Arc::clone(&self.cache),
            _ended: ended,
        };
        let fetch = Arc::clone(&self.fetch);
        tokio::spawn(async move {
            let known = known.filter(|known| !known.is_older_than(Self::MAX_AGE));
            let fetched = Known::fetch(&landing.issuer, known.as_deref(), &*fetch);
            let outcome = timeout(Self::DEADLINE, fetched).await;
            landing.with(outcome.unwrap_or(Err(Error::Timeout)));
        });
        flight
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        lock(&self.cache)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Cache {
    fn newer_than(&self, seen: Option<&Arc<Known>>) -> Option<Arc<Known>> {
        let known = self.known.as_ref()?;
        match seen {
            Some(seen) if Arc::ptr_eq(seen, known) => None,
            _ => Some(Arc::clone(known)),
        }
    }

    fn is_resting(&self) -> bool {
        self.resting_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// What a token hears that no kept key verifies.
    fn refusal(&self) -> Error {
        self.failure.clone().unwrap_or(Error::Signature)
    }
}

/// Enters the end of a fetch into the cache, whichever way its task ends.
struct Landing {
    issuer: Arc<str>,
    occasion: Occasion,
    outcome: Option<Result<Known, Error>>,
    begun: Instant,
    observer: Option<Arc<dyn ProviderObserver>>,
    cache: Arc<Mutex<Cache>>,
    _ended: watch::Sender<()>,
}

impl Landing {
    fn with(mut self, outcome: Result<Known, Error>) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or(Err(Error::Abandoned));
        if let Some(observer) = &self.observer {
            observer.fetched(outcome.as_ref().map(|_known| ()), self.begun.elapsed());
        }
        let mut cache = lock(&self.cache);
        cache.flight = None;
        cache.resting_until = (outcome.is_err() || self.occasion == Occasion::UnknownKey)
            .then(|| Instant::now() + Provider::COOL_DOWN);
        match outcome {
            Ok(known) => {
                cache.known = Some(Arc::new(known));
                cache.failure = None;
            }
            Err(failure) => {
                tracing::warn!(
                    issuer = &*self.issuer,
                    reason = failure.reason(),
                    error = &failure as &dyn core::error::Error,
                    "the identity provider gave no keys",
                );
                cache.failure = Some(failure);
            }
        }
    }
}

/// Every change of the cache is complete before anything can panic, so a poisoned lock is usable.
fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
