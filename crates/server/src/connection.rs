use core::{convert::Infallible, error::Error as StdError, pin::pin, time::Duration};
use std::{net::SocketAddr, sync::Arc};

use fulcio_api::Peer;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt as _};

use crate::{
    Limits, Shutdown, TimedBody,
    pace::{Overdue, Pace},
    paced_stream::PacedStream,
};

/// One client that is connected to a listener.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) shutdown: Shutdown,
    pub(crate) protocols: Arc<Protocols>,
}

/// How HTTP/1.1 and HTTP/2 are spoken.
pub(crate) type Protocols = auto::Builder<TokioExecutor>;

pub(crate) fn protocols() -> Protocols {
    let mut protocols = Protocols::new(TokioExecutor::new());
    protocols
        .http1()
        .timer(TokioTimer::new())
        // `Pace` knows when a head has begun.
        .header_read_timeout(None::<Duration>);
    protocols
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        // Idle connections are closed by `Pace`; this finds out which clients are gone whose requests are in flight.
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    protocols
}

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const MAX_STREAMS: u32 = 250;
const MAX_HEADERS: u32 = 64 << 10;

impl Connection {
    /// Serves it until it ends, in TLS if there is an acceptor.
    pub(crate) async fn serve<S, B>(self, stream: TcpStream, tls: Option<TlsAcceptor>, service: S)
    where
        S: Service<Request<TimedBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let peer = self.peer;
        let Some(tls) = tls else {
            return self.speak(stream, service).await;
        };
        let shaken = tokio::select! {
            shaken = timeout(self.limits.handshake, tls.accept(stream)) => shaken,
            () = self.shutdown.begun() => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.speak(stream, service).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "there is no TLS with this client"),
            Err(_) => tracing::debug!(%peer, "the handshake of TLS took too long"),
        }
    }

    async fn speak<T, S, B>(self, stream: T, service: S)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<TimedBody>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let Self {
            peer,
            limits,
            shutdown,
            protocols,
        } = self;
        let pace = Pace::new(&limits);
        let noted = pace.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let unanswered = noted.request();
            let mut request = request.map(|body| TimedBody::new(body, limits.body));
            request.extensions_mut().insert(Peer(peer));
            let answer = service.clone().oneshot(request);
            async move {
                let response = answer.await?;
                // The answer is complete when its body is dropped, and what its adapter holds with it.
                Ok::<_, Infallible>(response.map(|body| {
                    body.map_err(move |error| {
                        let _unanswered = &unanswered;
                        error
                    })
                }))
            }
        });
        let stream = TokioIo::new(PacedStream::new(stream, pace.clone()));
        let mut connection = pin!(protocols.serve_connection(stream, answer));
        let mut stop = pin!(shutdown.begun());
        let mut stopping = false;
        let mut closing = false;
        loop {
            let overdue = tokio::select! {
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error, "a connection ended early");
                    }
                    return;
                }
                () = &mut stop, if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                overdue = pace.overdue() => overdue,
            };
            match overdue {
                // HTTP/2 tells the client first, so that no request is lost that it is sending.
                Overdue::Request if !closing => {
                    closing = true;
                    connection.as_mut().graceful_shutdown();
                    pace.closing();
                }
                Overdue::Request => return,
                Overdue::Head => {
                    tracing::debug!(%peer, "the head of a request took too long");
                    return;
                }
            }
        }
    }
}
