//! A log behind HTTP that does as it is told, whatever that is.

use core::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    body::{Body, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Barrier,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A status, perhaps `Retry-After`, and a body.
    Say(u16, Option<&'static str>, Bytes),
    /// A body without an end.
    Endless(u16),
    Hang,
    /// The head of an answer and half of the body that it announces.
    HangUp,
    /// The same, and nothing more for as long as the other side waits.
    Half,
    /// This, once as many requests wait for it as the barrier wants.
    Together(Arc<Barrier>, Bytes),
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Say(status, None, Bytes::from_static(b"no such thing"))
    }

    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self::Say(200, None, body.into())
    }
}

/// One request as it came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) chain: Vec<Vec<u8>>,
}

#[derive(Default)]
struct State {
    answers: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers like this in turn, the last one again and again.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, answers)
    }

    pub(crate) fn on(listener: TcpListener, answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::secure(listener, None, answers)
    }

    pub(crate) fn secure(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Self {
        let state = Arc::new(State {
            answers: Mutex::new(answers.into_iter().collect()),
            ..State::default()
        });
        let address = listener.local_addr().unwrap();
        let served = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                let state = Arc::clone(&served);
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/test", self.address)
    }

    /// Answers like this from now on.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.state.answers.lock().unwrap() = answers.into_iter().collect();
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.seen.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many connections have not ended.
    pub(crate) fn open(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one connection, which may be a TLS one.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: Arc<State>) {
    state.connections.fetch_add(1, Ordering::SeqCst);
    state.open.fetch_add(1, Ordering::SeqCst);
    let served = Arc::clone(&state);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(request, &state).await) }
    });
    // A client that gives up in the middle is what some tests are about.
    let _ended = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    served.open.fetch_sub(1, Ordering::SeqCst);
}

async fn respond(request: Request<Incoming>, state: &State) -> Response<BoxBody<Bytes, io::Error>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let chain = if head.method == Method::GET {
        Vec::new()
    } else {
        submitted(&body)
    };
    state.seen.lock().unwrap().push(Seen {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        chain,
    });
    let answer = {
        let mut answers = state.answers.lock().unwrap();
        match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        }
    };
    let mut retry_after = None;
    let (status, body) = match answer {
        Answer::Say(status, header, body) => {
            retry_after = header;
            (
                status,
                Full::new(body).map_err(|never| match never {}).boxed(),
            )
        }
        Answer::Together(barrier, body) => {
            barrier.wait().await;
            (200, Full::new(body).map_err(|never| match never {}).boxed())
        }
        Answer::Endless(status) => (status, Spaces::then(Next::More).boxed()),
        Answer::Half => (200, Spaces::then(Next::Silence).boxed()),
        Answer::Hang => core::future::pending().await,
        Answer::HangUp => (200, Spaces::then(Next::End).boxed()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap();
    if let Some(value) = retry_after {
        let value = value.parse().unwrap();
        response.headers_mut().insert("retry-after", value);
    }
    response
}

/// The certificates in the body of a submission.
fn submitted(body: &[u8]) -> Vec<Vec<u8>> {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| STANDARD.decode(item.as_str().unwrap()).unwrap())
        .collect()
}

/// White space, and what comes behind it.
struct Spaces {
    sent: bool,
    next: Next,
}

/// What comes behind the first part of a body.
enum Next {
    /// The server hangs up.
    End,
    More,
    /// Not even the end.
    Silence,
}

impl Spaces {
    fn then(next: Next) -> Self {
        Self { sent: false, next }
    }
}

impl Body for Spaces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let spaces = Frame::data(Bytes::from_static(&[b' '; 4096]));
        match (core::mem::replace(&mut self.sent, true), &self.next) {
            (false, _) | (true, Next::More) => Poll::Ready(Some(Ok(spaces))),
            (true, Next::End) => Poll::Ready(Some(Err(io::Error::other("hung up")))),
            (true, Next::Silence) => Poll::Pending,
        }
    }
}
