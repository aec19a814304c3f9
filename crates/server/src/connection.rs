use core::{convert::Infallible, error::Error as StdError, pin::pin, time::Duration};
use std::{net::SocketAddr, sync::Arc};

use fulcio_api::Peer;
use http::{HeaderValue, Request, Response, Version, header};
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
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt as _};

use crate::{
    Limits, Shutdown, TimedBody,
    pace::{Overdue, Pace},
    paced_stream::PacedStream,
    router::MOST_HEADERS,
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
        .header_read_timeout(None::<Duration>)
        .max_headers(MOST_HEADERS)
        // A longer head is answered with 431.
        .max_buf_size(LONGEST_HEAD as usize);
    protocols
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(LONGEST_HEAD)
        // A client that opens streams only to reset them is disconnected (CVE-2023-44487, CVE-2024-2758 and their
        // kin): after so many that were not yet taken up, and so many that broke the rules.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        // What a client may send before somebody reads it, and what is kept for one that does not read.
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        // Idle connections are closed by `Pace`; this finds out which clients are gone whose requests are in flight.
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    protocols
}

/// How long a client whose request may be on its way is waited for when the server stops. In HTTP/1 nothing can be said
/// to it before.
const LINGER: Duration = Duration::from_millis(500);

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const MAX_STREAMS: u32 = 250;
const LONGEST_HEAD: u32 = 64 << 10;
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
const SEND_BUFFER: usize = 256 << 10;

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
            () = async {
                self.shutdown.begun().await;
                sleep(LINGER).await;
            } => return,
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
            let is_http1 = request.version() < Version::HTTP_2;
            let mut request = request.map(|body| TimedBody::new(body, limits.body));
            request.extensions_mut().insert(Peer(peer));
            let answer = service.clone().oneshot(request);
            async move {
                let mut response = answer.await?;
                if is_http1 && unanswered.is_last() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
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
                // What has arrived is read before anybody is found to be late.
                biased;
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error, "a connection ended early");
                    }
                    return;
                }
                () = &mut stop, if !stopping => {
                    stopping = true;
                    pace.stopping(LINGER.min(limits.grace));
                    continue;
                }
                overdue = pace.overdue() => overdue,
            };
            match overdue {
                Overdue::Stop => {
                    pace.stopped();
                    connection.as_mut().graceful_shutdown();
                }
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
