use core::{convert::Infallible, pin::pin, time::Duration};
use std::{io, net::SocketAddr, sync::Arc};

use fulcio_api::Peer;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tower::{Service, ServiceExt as _};

use crate::{Limits, TimedBody};

/// A port that is bound and not yet served.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
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
        Ok(Self { listener, address })
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
        let connections = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(limits.connections));
        let builder = Arc::new(builder(limits));
        let mut stop = pin!(shutdown.begun());
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.accept(&places) => accepted,
            };
            let (stream, peer, place) = accepted;
            let service = service
                .clone()
                .map_request(move |request: Request<Incoming>| {
                    let mut request = request.map(|body| TimedBody::new(body, limits.body));
                    request.extensions_mut().insert(Peer(peer));
                    request
                });
            let builder = Arc::clone(&builder);
            let watcher = connections.watcher();
            tokio::spawn(async move {
                let connection = builder
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
                if let Err(error) = watcher.watch(connection.into_owned()).await {
                    tracing::debug!(%peer, error, "a connection ended early");
                }
                drop(place);
            });
        }
        drop(self.listener);
        if timeout(limits.grace, connections.shutdown()).await.is_err() {
            tracing::warn!(
                address = %self.address,
                "requests were still in flight when the time to finish them was over"
            );
        }
    }

    /// The next connection that there is a place for.
    async fn accept(
        &self,
        places: &Arc<Semaphore>,
    ) -> (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit) {
        loop {
            let Ok(place) = Arc::clone(places).acquire_owned().await else {
                // Nobody closes the semaphore.
                core::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%peer, %error, "the connection was gone at once");
                        continue;
                    }
                    return (stream, peer, place);
                }
                Err(error) => {
                    // Out of descriptors, most likely: wait for some to come back.
                    tracing::error!(address = %self.address, %error, "no connection was accepted");
                    sleep(AFTER_FAILED_ACCEPT).await;
                }
            }
        }
    }
}

const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

fn builder(limits: Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // hyper counts this from the end of the answer before, so it bounds idleness as well.
        .header_read_timeout(limits.idle);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.idle);
    builder
}

const MAX_STREAMS: u32 = 250;
const MAX_HEADERS: u32 = 64 << 10;
