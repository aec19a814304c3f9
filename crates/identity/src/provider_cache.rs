use core::{fmt, num::NonZeroUsize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fulcio_oidc_verify::Provider;
use lru::LruCache;

/// The providers of meta issuers, made when a token of theirs comes.
///
/// A stranger's token can name any issuer that matches a pattern. So providers that have verified
/// a token are kept apart from those that have not, and made-up ones never push a real one out.
pub(crate) struct ProviderCache(Mutex<Halves>);

struct Halves {
    /// Those of an earlier configuration, whose knowledge is still good.
    earlier: HashMap<String, Arc<Provider>>,
    proven: LruCache<String, Arc<Provider>>,
    untried: LruCache<String, Arc<Provider>>,
}

impl ProviderCache {
    /// How many providers are kept in each half.
    pub(crate) const CAPACITY: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");

    pub(crate) fn new() -> Self {
        Self(Mutex::new(Halves {
            earlier: HashMap::new(),
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
        let mut made = make();
        if let Some(earlier) = halves.earlier.remove(issuer) {
            made.resume(&earlier);
        }
        let made = Arc::new(made);
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

    /// Has providers that are made from now on go on with what these have fetched.
    pub(crate) fn resume(&self, earlier: Vec<Arc<Provider>>) {
        let earlier = earlier.into_iter();
        self.halves().earlier = earlier
            .map(|provider| (provider.issuer().to_owned(), provider))
            .collect();
    }

    /// The providers that have verified a token.
    pub(crate) fn proven(&self) -> Vec<Arc<Provider>> {
        let halves = self.halves();
        halves
            .proven
            .iter()
            .map(|(_, provider)| Arc::clone(provider))
            .collect()
    }

    /// Those, and those of an earlier configuration that nobody has asked for since.
    pub(crate) fn worth_keeping(&self) -> Vec<Arc<Provider>> {
        let mut kept = self.proven();
        kept.extend(self.halves().earlier.values().cloned());
        kept.truncate(Self::CAPACITY.get());
        kept
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

    #[test]
    fn what_is_kept_over_reloads_does_not_grow() {
        let mut cache = ProviderCache::new();
        for round in 0..5 {
            for n in 0..100 {
                let issuer = format!("{round}-{n}");
                let provider = cache.provider(&issuer, || made(&issuer));
                cache.prove(&issuer, provider);
            }
            let next = ProviderCache::new();
            next.resume(cache.worth_keeping());
            cache = next;
        }
        assert!(cache.worth_keeping().len() <= ProviderCache::CAPACITY.get());
    }
}
