use core::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{net::SocketAddr, sync::Arc};

use fulcio_api::{ApiMetrics, Peer};
use fulcio_issuance::Refusal;
use http::Request;
use tokio::sync::Semaphore;

use crate::{
    TimedBody, TrustedProxies,
    body::{Allowance, LargeBodies},
    client_key::ClientKey,
    holders::{Held, Holders},
};

/// Who gets in: how many connections there may be and how many requests at once, of all and of each client.
///
/// All listeners and routers that share it share its places. Requests are turned away before their bodies are read, so
/// that what they need does not grow with what is asked. They are shed fairly: a client may take a place as long as it
/// holds fewer than are free. So one client alone gets half of them and two a third each, and whoever holds none is let
/// in unless every single place is taken.
///
/// A client is an address, or a /64 of IPv6. Supervisors (`/healthz`, `/readyz`, gRPC health) need no place.
pub struct Gate {
    proxies: TrustedProxies,
    connections: Arc<Semaphore>,
    per_client: usize,
    connected: Arc<Holders>,
    places: usize,
    requests: Arc<Holders>,
    large_bodies: LargeBodies,
    metrics: Option<Arc<ApiMetrics>>,
    is_shedding: AtomicBool,
}

/// A request that has been let in. Its places are free again when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    _connection: Option<Held>,
    _request: Option<Held>,
    body: Option<Allowance>,
}

impl Gate {
    /// How many connections there may be, unless another number is given.
    pub const CONNECTIONS: usize = 10_000;

    /// How many requests may be answered at once, unless another number is given.
    pub const REQUESTS: usize = 4096;

    /// How many bytes of a body need no place among the large ones.
    pub const SMALL_BODY: usize = 64 << 10;

    /// How many bodies may be large at once.
    pub const LARGE_BODIES: usize = 64;

    /// No limit for each client, nobody is a proxy, and the numbers above for all together.
    #[must_use]
    pub fn new() -> Self {
        Self {
            proxies: TrustedProxies::default(),
            connections: Arc::new(Semaphore::new(Self::CONNECTIONS)),
            per_client: 0,
            connected: Arc::default(),
            places: Self::REQUESTS,
            requests: Arc::default(),
            large_bodies: LargeBodies::new(Self::LARGE_BODIES),
            metrics: None,
            is_shedding: AtomicBool::new(false),
        }
    }

    /// Allows so many connections in all; further ones wait in the kernel's queue. What is beyond the 2^61 that can be
    /// counted is no limit.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        let countable = connections.min(Semaphore::MAX_PERMITS);
        self.connections = Arc::new(Semaphore::new(countable));
        self
    }

    /// Allows each client so many connections, 0 for any number; further ones are closed at once. Behind a trusted proxy
    /// it is requests at once that are counted.
    #[must_use]
    pub fn with_connections_per_client(mut self, connections: usize) -> Self {
        self.per_client = connections;
        self
    }

    /// Answers so many requests at once, 0 for any number.
    #[must_use]
    pub fn with_requests(mut self, requests: usize) -> Self {
        self.places = requests;
        self
    }

    /// Believes these proxies.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Counts those that are turned away.
    #[must_use]
    pub fn counting_in(mut self, metrics: Arc<ApiMetrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    pub(crate) fn metrics(&self) -> Option<&ApiMetrics> {
        self.metrics.as_deref()
    }

    /// The places for connections.
    pub(crate) fn connections(&self) -> &Arc<Semaphore> {
        &self.connections
    }

    /// A place for a connection among those of its client, where these are limited.
    ///
    /// # Errors
    /// It has too many.
    pub(crate) fn connect(&self, peer: IpAddr) -> Result<Option<Held>, Refusal> {
        if self.per_client == 0 || self.proxies.contains(peer) {
            return Ok(None);
        }
        self.one_more(peer).map(Some)
    }

    /// Lets a request in, and notes in it who has sent it.
    ///
    /// # Errors
    /// What it is turned away with.
    pub(crate) fn enter(&self, request: &mut Request<TimedBody>) -> Result<Entered, Refusal> {
        let peer = request.extensions().get::<Peer>().map(|Peer(peer)| *peer);
        let client = peer.map(|peer| self.client(peer, request));
        let path = request.uri().path();
        if matches!(path, "/healthz" | "/readyz") || path.starts_with("/grpc.health.v1.Health/") {
            return Ok(Entered::default());
        }
        let mut entered = Entered::default();
        if let (Some(peer), Some(client)) = (peer, client) {
            if self.per_client != 0 && self.proxies.contains(peer.ip()) {
                entered._connection = Some(self.one_more(client.ip())?);
            }
            entered._request = self.place(client.ip())?;
        }
        entered.body = self.large_bodies.allow(request.body_mut())?;
        Ok(entered)
    }

    fn client(&self, peer: SocketAddr, request: &mut Request<TimedBody>) -> SocketAddr {
        if self.proxies.is_empty() {
            return peer;
        }
        let client = self.proxies.client(peer, request.headers());
        request.extensions_mut().insert(Peer(client));
        client
    }

    fn one_more(&self, client: IpAddr) -> Result<Held, Refusal> {
        let few = |held, _all| held < self.per_client;
        let held = self.connected.take(ClientKey::from(client), few);
        held.ok_or(Refusal::RateLimited { retry_after: SOON })
    }

    fn place(&self, client: IpAddr) -> Result<Option<Held>, Refusal> {
        if self.places == 0 {
            return Ok(None);
        }
        let mut taken = 0;
        let place = self.requests.take(ClientKey::from(client), |held, all| {
            taken = all;
            held < self.places.saturating_sub(all)
        });
        let is_shedding = place.is_none() || taken > self.places / 4;
        if self.is_shedding.load(Ordering::Relaxed) && !is_shedding {
            self.is_shedding.store(false, Ordering::Relaxed);
            tracing::info!("no more requests are turned away");
        } else if place.is_none() && !self.is_shedding.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                in_flight = taken,
                places = self.places,
                "requests are turned away: there is no place for more of this client at once"
            );
        }
        place
            .map(Some)
            .ok_or(Refusal::Overloaded { retry_after: SOON })
    }
}

/// When to ask again.
const SOON: Duration = Duration::from_secs(1);

impl Entered {
    /// Whether the body turned out to be a large one for which there was no place.
    pub(crate) fn has_outgrown(&self) -> Option<Refusal> {
        let outgrown = self.body.as_ref().is_some_and(Allowance::is_outgrown);
        outgrown.then_some(Refusal::Overloaded { retry_after: SOON })
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("proxies", &self.proxies)
            .field("per_client", &self.per_client)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    fn address(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    proptest! {
        #[test]
        fn nobody_is_kept_out_by_others_while_there_is_a_place(
            places in 1_usize..40,
            steps in vec((0_u8..6, any::<bool>(), any::<Index>()), 0..300),
        ) {
            let gate = Gate::new().with_requests(places);
            let mut taken: Vec<(u8, Held)> = Vec::new();
            for (number, asks, which) in steps {
                if !asks && !taken.is_empty() {
                    taken.swap_remove(which.index(taken.len()));
                    continue;
                }
                let mut held = HashMap::new();
                for (holder, _) in &taken {
                    *held.entry(*holder).or_insert(0) += 1;
                }
                let own = held.get(&number).copied().unwrap_or(0);
                let free = places - taken.len();
                let place = gate.place(address(number));
                prop_assert_eq!(place.is_ok(), own < free);
                taken.extend(place.unwrap_or(None).map(|place| (number, place)));
                prop_assert!(taken.len() <= places);
            }
        }

        #[test]
        fn who_takes_all_it_can_leaves_something_for_the_next(
            clients in 1_u8..10,
            places in 100_usize..500,
        ) {
            let gate = Gate::new().with_requests(places);
            let mut held = vec![0; clients.into()];
            let mut taken = Vec::new();
            let mut goes_on = true;
            while goes_on {
                goes_on = false;
                // Each in turn.
                for (number, held) in (0..clients).zip(&mut held) {
                    if let Ok(place) = gate.place(address(number)) {
                        taken.extend(place);
                        *held += 1;
                        goes_on = true;
                    }
                }
            }
            let share = places / (usize::from(clients) + 1);
            prop_assert!(held.iter().all(|held| (share..=share + 1).contains(held)), "{held:?}");
            prop_assert!(gate.place(address(99)).is_ok());
        }
    }
}
