use core::{
    convert::Infallible,
    error::Error as StdError,
    pin::{Pin, pin},
    time::Duration,
};
use std::{net::SocketAddr, sync::Arc};

use fulcio_api::Peer;
use http::{HeaderValue, Request, Response, Version, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulConnection};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt as _};

use crate::{
    Limits, Shutdown, TimedBody,
    pace::{Overdue, Pace},
    paced_stream::PacedStream,
    protocols::Protocols,
    short_frames::ShortFrames,
};

/// One client that is connected to a listener.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    pub(crate) limits: Limits,
    pub(crate) shutdown: Shutdown,
    pub(crate) protocols: Arc<Protocols>,
}

/// What answers the requests of a connection: any service that [`Listener::serve`](crate::Listener::serve) takes.
pub(crate) trait Answering:
    Service<
        Request<TimedBody>,
        Response = Response<Self::Content>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static
{
    /// The body of an answer.
    type Content: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>>
        + Unpin
        + Send
        + 'static;
}

impl<S, B> Answering for S
where
    S: Service<Request<TimedBody>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Unpin + Send + 'static,
{
    type Content = B;
}

/// A connection with what is known of it.
struct Line<T> {
    stream: PacedStream<T>,
    pace: Pace,
    /// Whether it is known that the server stops.
    stopping: bool,
}

/// How a conversation ended.
enum End {
    /// The connection did.
    Gone,
    /// Everything has been answered, and nothing was asked for a while.
    Rest,
}

/// How long a client whose request may be on its way is waited for when the server stops. In HTTP/1 nothing can be said
/// to it before.
const LINGER: Duration = Duration::from_millis(500);

impl Connection {
    /// Serves it until it ends, in TLS if there is an acceptor.
    pub(crate) async fn serve<S: Answering>(
        self,
        stream: TcpStream,
        tls: Option<TlsAcceptor>,
        service: S,
    ) {
        match tls {
            None => self.speak(stream, service).await,
            // It is much larger, and most listeners do without.
            Some(tls) => Box::pin(self.speak_tls(stream, tls, service)).await,
        }
    }

    async fn speak_tls<S: Answering>(self, stream: TcpStream, tls: TlsAcceptor, service: S) {
        let peer = self.peer;
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

    /// Waits for the client and converses with it in turn, so that one that has nothing to ask needs little memory.
    async fn speak<T, S>(self, stream: T, service: S)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Answering,
    {
        let pace = Pace::new(&self.limits);
        let mut line = Line {
            stream: PacedStream::new(stream, pace.clone()),
            pace,
            stopping: false,
        };
        loop {
            let has_begun = line.stream.is_ahead();
            if !has_begun && !self.hears(&mut line).await {
                // An error says that the client was faster.
                let _ended = timeout(LINGER, line.stream.shutdown()).await;
                return;
            }
            // A client that has begun the next request is not waited for in rest.
            match Box::pin(self.converse(line, service.clone(), !has_begun)).await {
                Some(rested) => line = rested,
                None => return,
            }
        }
    }

    /// Waits until the client says something, and it is clear in which protocol; false when it is time to end instead.
    async fn hears<T>(&self, line: &mut Line<T>) -> bool
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let peer = self.peer;
        let mut stop = pin!(self.shutdown.begun());
        line.pace.may_rest(false);
        loop {
            tokio::select! {
                // What has arrived is read before anybody is found to be late.
                biased;
                heard = line.stream.read_ahead() => match heard {
                    Ok(0) => return false,
                    Ok(_) if line.pace.is_http2().is_some() => return true,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%peer, %error, "a connection ended early");
                        return false;
                    }
                },
                () = &mut stop, if !line.stopping => {
                    line.stopping = true;
                    line.pace.stopping(LINGER.min(self.limits.grace));
                }
                overdue = line.pace.overdue() => {
                    if overdue == Overdue::Head {
                        tracing::debug!(%peer, "the head of a request took too long");
                    }
                    return false;
                }
            }
        }
    }

    /// Answers what the client asks, until it rests, if it `may_rest`, or the connection ends.
    async fn converse<T, S>(&self, line: Line<T>, service: S, may_rest: bool) -> Option<Line<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Answering,
    {
        let Line {
            stream,
            pace,
            mut stopping,
        } = line;
        let (peer, time_of_body, noted) = (self.peer, self.limits.body, pace.clone());
        let answer = service_fn(move |request: Request<Incoming>| {
            let unanswered = noted.request();
            let is_http1 = request.version() < Version::HTTP_2;
            let mut request = request.map(|body| TimedBody::new(body, time_of_body));
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
                    let body = if is_http1 {
                        ShortFrames::uncut(body)
                    } else {
                        ShortFrames::of(body)
                    };
                    body.map_err(move |error| {
                        let _unanswered = &unanswered;
                        error
                    })
                }))
            }
        });
        let stream = TokioIo::new(stream);
        if pace.is_http2() == Some(true) {
            let connection = pin!(self.protocols.http2.serve_connection(stream, answer));
            self.attend(connection, &pace, &mut stopping, false).await;
            return None;
        }
        let mut connection = self.protocols.http1.serve_connection(stream, answer);
        let attended = Pin::new(&mut connection);
        match self.attend(attended, &pace, &mut stopping, may_rest).await {
            End::Gone => None,
            End::Rest => {
                // Nothing is lost: `Pace` has seen that all is answered and sent.
                let parts = connection.into_parts();
                let mut stream = parts.io.into_inner();
                stream.put_back(&parts.read_buf);
                Some(Line {
                    stream,
                    pace,
                    stopping,
                })
            }
        }
    }

    /// Lets a connection go on, and ends it in time.
    async fn attend<C>(
        &self,
        mut connection: Pin<&mut C>,
        pace: &Pace,
        stopping: &mut bool,
        may_rest: bool,
    ) -> End
    where
        C: GracefulConnection<Error = hyper::Error>,
    {
        let (peer, limits) = (self.peer, &self.limits);
        let mut stop = pin!(self.shutdown.begun());
        let mut closing = false;
        pace.may_rest(may_rest);
        loop {
            let overdue = tokio::select! {
                // What has arrived is read before anybody is found to be late.
                biased;
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "a connection ended early");
                    }
                    return End::Gone;
                }
                () = &mut stop, if !*stopping => {
                    *stopping = true;
                    pace.stopping(LINGER.min(limits.grace));
                    continue;
                }
                overdue = pace.overdue() => overdue,
            };
            match overdue {
                Overdue::Rest => return End::Rest,
                Overdue::Stop => {
                    pace.stopped();
                    connection.as_mut().graceful_shutdown();
                }
                // HTTP/2 tells the client first, so that no request is lost that it is sending.
                Overdue::Request if !closing => {
                    closing = true;
                    pace.may_rest(false);
                    connection.as_mut().graceful_shutdown();
                    pace.closing();
                }
                Overdue::Request => return End::Gone,
                Overdue::Head => {
                    tracing::debug!(%peer, "the head of a request took too long");
                    return End::Gone;
                }
            }
        }
    }
}
