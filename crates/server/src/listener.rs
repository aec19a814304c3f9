use core::{convert::Infallible, future::pending, iter, pin::pin, time::Duration};
use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
};

use http::{Request, Response};
use http_body::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tower::Service;

use crate::{
    Gate, Limits, TimedBody, Tls, connection::Connection, protocols::Protocols, tls::Current,
};

/// A port that is bound and not yet served.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
    gate: Option<Arc<Gate>>,
}

/// Why a port could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another program listens there.
    #[error("{address} is in use by another program; stop it, or choose another host or port")]
    InUse {
        /// What was to be bound.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error("cannot listen on {address}: {source}")]
    Refused {
        /// What was to be bound.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Tells listeners to stop; it is shared by all of them.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Sender<bool>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Shutdown {
    /// Tells all listeners to accept nothing more and to finish what is in flight.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits until [`begin`](Self::begin) has been called.
    pub async fn begun(&self) {
        let mut begun = self.0.subscribe();
        // An error would mean that the sender is gone, and it is in `self`.
        drop(begun.wait_for(|begun| *begun).await);
    }
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    /// The address is in use, or the system refuses it.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse { address, source },
            _ => ListenError::Refused { address, source },
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self {
            listener,
            address,
            tls: None,
            gate: None,
        })
    }

    /// Speaks TLS, and nothing else.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Has no places for connections of its own, but those of `gate`.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Where it listens; the port is the real one where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves HTTP/1.1 and HTTP/2 on every connection until `shutdown` begins, then finishes the
    /// requests in flight, for as long as the limits grant. The peer's address is in the
    /// extensions of each request.
    pub async fn serve<S, B>(self, service: S, limits: Limits, shutdown: Shutdown)
    where
        S: Service<Request<TimedBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: Body + Unpin + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn core::error::Error + Send + Sync>>,
    {
        let Self {
            listener,
            address,
            tls,
            gate,
        } = self;
        let places = match &gate {
            Some(gate) => Arc::clone(gate.connections()),
            None => Arc::new(Semaphore::new(limits.connections)),
        };
        let tls_now = tls.as_ref().map(Tls::current);
        let protocols = Arc::new(Protocols::new());
        // Closed when the last connection has let go of it.
        let open = watch::Sender::new(());
        let mut reloading = pin!(async {
            match tls {
                Some(tls) => tls.reload().await,
                None => pending().await,
            }
        });
        let take_up = |(stream, peer, place): Accepted| {
            let of_client = match gate.as_ref().map(|gate| gate.connect(peer.ip())) {
                None => None,
                Some(Ok(held)) => held,
                Some(Err(_crowded)) => {
                    tracing::debug!(%peer, "a connection was closed: its client has too many");
                    return;
                }
            };
            let held = (place, of_client, open.subscribe());
            let tls = tls_now.as_ref().map(Current::acceptor);
            let connection = Connection {
                peer,
                limits,
                shutdown: shutdown.clone(),
                protocols: Arc::clone(&protocols),
            };
            let service = service.clone();
            tokio::spawn(async move {
                connection.serve(stream, tls, service).await;
                drop(held);
            });
        };
        let mut stop = pin!(shutdown.begun());
        let mut next = None;
        loop {
            tokio::select! {
                () = &mut stop => break,
                never = &mut reloading => match never {},
                accepted = accept(&listener, &places, &mut next) => take_up(accepted),
            }
        }
        // Clients whose connections the system has accepted already may have sent a request.
        if let Some((stream, peer)) = next {
            take_up((stream, peer, Arc::clone(&places).try_acquire_owned().ok()));
        }
        match listener.into_std() {
            Ok(listener) => iter::from_fn(|| waiting(&listener, &places)).for_each(take_up),
            Err(error) => tracing::debug!(%address, %error, "the port was gone at once"),
        }
        if timeout(limits.grace, open.closed()).await.is_err() {
            tracing::warn!(
                %address,
                connections = open.receiver_count(),
                "requests were still in flight when the time to finish them was over"
            );
        }
    }
}

/// A connection, who made it, and its place. The last one before the end may have none.
type Accepted = (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>);

/// The next connection that there is a place for. Until there is one, it is the `next`.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    next: &mut Option<(TcpStream, SocketAddr)>,
) -> Accepted {
    loop {
        if next.is_none() {
            *next = Some(connected(listener).await);
        }
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // Nobody closes the semaphore.
            pending::<()>().await;
            continue;
        };
        if let Some((stream, peer)) = next.take() {
            return (stream, peer, Some(place));
        }
    }
}

async fn connected(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Some(peer) = greet(&stream, peer) {
                    return (stream, peer);
                }
            }
            Err(error) => {
                // Out of descriptors, most likely: wait for some to come back.
                let address = listener.local_addr().ok();
                tracing::error!(?address, %error, "no connection was accepted");
                sleep(AFTER_FAILED_ACCEPT).await;
            }
        }
    }
}

/// Prepares a connection; none if it is gone already.
fn greet(stream: &TcpStream, peer: SocketAddr) -> Option<SocketAddr> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "the connection was gone at once");
        return None;
    }
    // A socket for both kinds of address has ::ffff:127.0.0.1 where 127.0.0.1 is meant.
    Some(SocketAddr::new(peer.ip().to_canonical(), peer.port()))
}

/// A connection that the system has accepted and that nobody has taken up yet, if there is a place for it.
fn waiting(listener: &StdListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    loop {
        let place = Arc::clone(places).try_acquire_owned().ok()?;
        let (stream, peer) = listener.accept().ok()?;
        let nonblocking = stream.set_nonblocking(true);
        if let Ok(stream) = nonblocking.and_then(|()| TcpStream::from_std(stream))
            && let Some(peer) = greet(&stream, peer)
        {
            return Some((stream, peer, Some(place)));
        }
    }
}

const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
