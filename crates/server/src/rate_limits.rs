use core::{fmt, hash::Hash};
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use fulcio_challenge::ProvenKey;
use fulcio_issuance::{Admission, Admitting, Denied, RequestContext};
use fulcio_principal::{Extension, Identity};
use governor::{
    RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use lru::LruCache;

use crate::{Rate, client_key::ClientKey};

/// How often certificates may be asked for: by one address, for one identity, by one issuer's tokens.
///
/// Each has a token bucket, in the memory of this process alone. An address counts each request, before its token is
/// looked at; an identity and an issuer count what is authenticated and proven, before anything is signed. A client of
/// IPv6 is a /64. Requests without a known peer have no address.
#[derive(Debug, Default)]
pub struct RateLimits {
    addresses: Option<Buckets<ClientKey>>,
    identities: Option<Buckets<String>>,
    issuers: Option<Buckets<String>>,
}

impl RateLimits {
    /// How many buckets of each kind are kept. Of more, those that were not used for longest are forgotten, which
    /// makes them full.
    pub const KEPT: usize = 100_000;

    /// No limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits each address, or each /64 of IPv6.
    #[must_use]
    pub fn for_each_address(mut self, rate: Rate) -> Self {
        self.addresses = Some(Buckets::new(rate));
        self
    }

    /// Limits each name in a certificate, by the issuer that vouches for it.
    #[must_use]
    pub fn for_each_identity(mut self, rate: Rate) -> Self {
        self.identities = Some(Buckets::new(rate));
        self
    }

    /// Limits each issuer, by the name that it has in certificates.
    #[must_use]
    pub fn for_each_issuer(mut self, rate: Rate) -> Self {
        self.issuers = Some(Buckets::new(rate));
        self
    }

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_none() && self.identities.is_none() && self.issuers.is_none()
    }

    fn admit_identity(&self, identity: &Identity) -> Result<(), Denied> {
        let principal = identity.principal();
        let issuer = principal
            .extensions
            .value(Extension::IssuerV2)
            .unwrap_or_default();
        if let Some(identities) = &self.identities {
            // The number keeps apart what two texts in a row would not.
            let key = format!("{} {issuer} {}", issuer.len(), principal.subject.value());
            identities.take(key)?;
        }
        match &self.issuers {
            Some(issuers) => issuers.take(issuer.to_owned()),
            None => Ok(()),
        }
    }
}

impl Admission for RateLimits {
    fn admit_request(&self, context: &RequestContext) -> Result<(), Denied> {
        match (&self.addresses, context.peer) {
            (Some(addresses), Some(peer)) => addresses.take(ClientKey::from(peer.ip())),
            _ => Ok(()),
        }
    }

    fn admit<'a>(
        &'a self,
        identity: &'a Identity,
        _key: &'a ProvenKey,
        _context: &'a RequestContext,
    ) -> Admitting<'a> {
        let admitted = self.admit_identity(identity);
        Box::pin(async { admitted })
    }
}

/// One bucket for each key.
struct Buckets<K: Hash + Eq> {
    rate: Rate,
    buckets: Mutex<LruCache<K, Bucket>>,
}

/// GCRA (ITU-T I.371 annex A), which holds a whole bucket in one number.
type Bucket = RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Instant>>;

impl<K: Hash + Eq> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: Mutex::new(LruCache::unbounded()),
        }
    }

    /// Takes one token out of the bucket of `key`, or tells when there will be one.
    fn take(&self, key: K) -> Result<(), Denied> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || RateLimiter::direct_with_clock(self.rate.quota(), RuntimeClock);
        let taken = buckets.get_or_insert(key, made).check();
        if buckets.len() > RateLimits::KEPT {
            buckets.pop_lru();
        }
        taken.map_err(|early| Denied::RateLimit(early.wait_time_from(RuntimeClock.now())))
    }
}

impl<K: Hash + Eq> fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Buckets").field(&self.rate).finish()
    }
}

/// The clock of the runtime's timers.
#[derive(Clone, Debug)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::net::{IpAddr, Ipv6Addr};

    use proptest::{collection::vec, prelude::*};
    use tokio::{runtime::Builder, time::advance};

    use super::*;

    fn buckets<K: Hash + Eq>(rate: &str) -> Buckets<K> {
        Buckets::new(rate.parse().unwrap())
    }

    /// Runs in a runtime whose time passes when it is told to.
    fn in_time<T>(future: impl Future<Output = T>) -> T {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(future)
    }

    /// A bucket as the books have it: tokens come in at a rate, and as many stay as fit.
    struct Model {
        tokens: f64,
        burst: f64,
        per_second: f64,
    }

    impl Model {
        fn pass(&mut self, seconds: f64) {
            self.tokens = (self.tokens + seconds * self.per_second).min(self.burst);
        }

        fn take(&mut self) -> bool {
            let has = self.tokens >= 1.0;
            if has {
                self.tokens -= 1.0;
            }
            has
        }
    }

    proptest! {
        #[test]
        fn a_bucket_gives_what_a_token_bucket_gives(
            count in 1_u32..50,
            burst in 1_u32..20,
            // Never so near to the moment of a token that rounding decides.
            steps in vec((0_u64..400, 1_usize..10), 1..40),
        ) {
            in_time(async {
                let buckets = buckets(&format!("{count}/s:{burst}"));
                let mut model = Model {
                    tokens: burst.into(),
                    burst: burst.into(),
                    per_second: count.into(),
                };
                for (milliseconds, takes) in steps {
                    let time = Duration::from_micros(milliseconds * 1000 + 7);
                    advance(time).await;
                    model.pass(time.as_secs_f64());
                    for _ in 0..takes {
                        let near = (model.tokens - 1.0).abs() < 1e-6;
                        let given = buckets.take(0);
                        if near {
                            // Nanoseconds decide; the books follow.
                            model.tokens = if given.is_ok() { 0.0 } else { model.tokens };
                        } else {
                            prop_assert_eq!(given.is_ok(), model.take());
                        }
                        if let Err(Denied::RateLimit(wait)) = given {
                            let needed = (1.0 - model.tokens) / model.per_second;
                            prop_assert!((wait.as_secs_f64() - needed).abs() < 1e-4, "{wait:?} {needed}");
                        }
                    }
                }
                Ok(())
            })?;
        }
    }

    #[test]
    fn strangers_cannot_make_it_keep_more_than_so_many() {
        in_time(async {
            let buckets = buckets("1/h");
            let address = |number: u128| IpAddr::from(Ipv6Addr::from_bits(number << 64));
            let count = RateLimits::KEPT as u128 + 1000;
            for number in 0..count {
                assert_eq!(buckets.take(ClientKey::from(address(number))), Ok(()));
            }
            assert_eq!(buckets.buckets.lock().unwrap().len(), RateLimits::KEPT);
            // The last ones are still empty.
            assert!(buckets.take(ClientKey::from(address(count - 1))).is_err());
        });
    }
}
