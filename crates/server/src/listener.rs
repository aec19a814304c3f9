use core::{convert::Infallible, future::pending, pin::pin, time::Duration};
use std::{io, net::SocketAddr, sync::Arc};

use http::{Request, Response};
use http_body::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tower::Service;

use crate::{
    Limits, TimedBody, Tls,
    connection::{Connection, protocols},
    tls::Current,
};

/// A port that is bound and not yet served.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
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
        })
    }

    /// Speaks TLS, and nothing else.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
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
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn core::error::Error + Send + Sync>>,
    {
        let Self {
            listener,
            address,
            tls,
        } = self;
        let places = Arc::new(Semaphore::new(limits.connections));
        let tls_now = tls.as_ref().map(Tls::current);
        let protocols = Arc::new(protocols());
        // Closed when the last connection has let go of it.
        let open = watch::Sender::new(());
        let mut reloading = pin!(async {
            match tls {
                Some(tls) => tls.reload().await,
                None => pending().await,
            }
        });
        let mut stop = pin!(shutdown.begun());
        loop {
            let (stream, peer, place) = tokio::select! {
                () = &mut stop => break,
                never = &mut reloading => match never {},
                accepted = accept(&listener, &places) => accepted,
            };
            let held = (place, open.subscribe());
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
        }
        drop(listener);
        if timeout(limits.grace, open.closed()).await.is_err() {
            tracing::warn!(
                %address,
                "requests were still in flight when the time to finish them was over"
            );
        }
    }
}

/// The next connection that there is a place for.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // Nobody closes the semaphore.
            pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "the connection was gone at once");
                    continue;
                }
                // A socket for both kinds of address has ::ffff:127.0.0.1 where 127.0.0.1 is meant.
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                return (stream, peer, place);
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

const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
