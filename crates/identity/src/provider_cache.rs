use core::{fmt, num::NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fulcio_oidc_verify::Provider;
use lru::LruCache;

/// The providers of meta issuers, made when a token of theirs comes.
///
/// A stranger's token can name any issuer that matches a pattern. So providers that have verified
/// a token are kept apart from those that have not, and made-up ones never push a real one out.
pub(crate) struct ProviderCache(Mutex<Halves>);

struct Halves {
    proven: LruCache<String, Arc<Provider>>,
    untried: LruCache<String, Arc<Provider>>,
}

impl ProviderCache {
    /// How many providers are kept in each half.
    pub(crate) const CAPACITY: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");

    pub(crate) fn new() -> Self {
        Self(Mutex::new(Halves {
            proven: LruCache::new(Self::CAPACITY),
            untried: LruCache::new(Self::CAPACITY),
        }))
    }

    /// The provider of `issuer`, made by `make` if there is none.
    pub(crate) fn provider(&self, issuer: &str, make: impl FnOnce() -> Provider) -> Arc<Provider> {
        let mut halves = self.halves();
        if let Some(proven) = halves.proven.get(issuer) {
            return Arc::clone(proven);
        }
        if let Some(untried) = halves.untried.get(issuer) {
            return Arc::clone(untried);
        }
        let made = Arc::new(make());
        halves.untried.put(issuer.to_owned(), Arc::clone(&made));
        made
    }

    /// Notes that `provider` has verified a token of `issuer`.
    pub(crate) fn prove(&self, issuer: &str, provider: Arc<Provider>) {
        let mut halves = self.halves();
        if !halves.proven.contains(issuer) {
            halves.untried.pop(issuer);
            halves.proven.put(issuer.to_owned(), provider);
        }
    }

    // A panic elsewhere leaves both maps whole.
    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ProviderCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let halves = self.halves();
        f.debug_struct("ProviderCache")
            .field("proven", &halves.proven.len())
            .field("untried", &halves.untried.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use fulcio_oidc_verify::{Fetch, FetchError, Fetching};

    use super::*;

    #[derive(Debug)]
    struct NoFetch;

    impl Fetch for NoFetch {
        fn fetch<'a>(&'a self, _url: &'a str) -> Fetching<'a> {
            Box::pin(async { Err(FetchError::Status(404)) })
        }
    }

    fn made(issuer: &str) -> Provider {
        Provider::new(issuer, "sigstore", Arc::new(NoFetch))
    }

    #[test]
    fn made_up_issuers_do_not_push_out_one_that_has_verified_a_token() {
        let cache = ProviderCache::new();
        let real = cache.provider("real", || made("real"));
        cache.prove("real", Arc::clone(&real));
        for n in 0..1000 {
            let issuer = format!("made-up-{n}");
            cache.provider(&issuer, || made(&issuer));
        }
        let again = cache.provider("real", || panic!("the real one is gone"));
        assert!(Arc::ptr_eq(&real, &again));
        assert_eq!(cache.halves().untried.len(), ProviderCache::CAPACITY.get());
    }

    #[test]
    fn the_proven_ones_are_bounded_too() {
        let cache = ProviderCache::new();
        for n in 0..1000 {
            let issuer = format!("real-{n}");
            let provider = cache.provider(&issuer, || made(&issuer));
            cache.prove(&issuer, provider);
        }
        assert_eq!(cache.halves().proven.len(), ProviderCache::CAPACITY.get());
        assert_eq!(cache.halves().untried.len(), 0);
    }

    #[test]
    fn one_issuer_has_one_provider() {
        let cache = ProviderCache::new();
        let first = cache.provider("one", || made("one"));
        let second = cache.provider("one", || panic!("made twice"));
        assert!(Arc::ptr_eq(&first, &second));
    }
}
