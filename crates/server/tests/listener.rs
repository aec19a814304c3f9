//! What clients of a listener see: slow ones, many at once, and those that are there when it stops.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    convert::Infallible,
    future::Future,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    pin::Pin,
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use fulcio_server_core::{Limits, ListenError, Listener, Shutdown, TimedBody};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::{runtime::Runtime, task::JoinHandle};
use tower::Service;

/// Reads the body, waits for as long as the path says in milliseconds, and says how long the body was.
#[derive(Clone)]
struct Counting;

impl Service<Request<TimedBody>> for Counting {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<TimedBody>) -> Self::Future {
        Box::pin(async move {
            let wait = request
                .uri()
                .path()
                .trim_start_matches('/')
                .parse()
                .unwrap_or(0);
            let (status, text) = match request.into_body().collect().await {
                Ok(body) => (StatusCode::OK, body.to_bytes().len().to_string()),
                Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let mut response = Response::new(Full::from(text));
            *response.status_mut() = status;
            Ok(response)
        })
    }
}

struct Running {
    runtime: Runtime,
    address: SocketAddr,
    shutdown: Shutdown,
    server: JoinHandle<()>,
}

fn start(limits: Limits) -> Running {
    let runtime = Runtime::new().unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = runtime.block_on(Listener::bind(loopback)).unwrap();
    let address = listener.address();
    let shutdown = Shutdown::default();
    let server = runtime.spawn(listener.serve(Counting, limits, shutdown.clone()));
    Running {
        runtime,
        address,
        shutdown,
        server,
    }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    fn stop(self) {
        self.shutdown.begin();
        self.runtime.block_on(self.server).unwrap();
    }
}

fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_body_that_drips_is_cut_off() {
    let server = start(Limits {
        body: Duration::from_millis(300),
        ..Limits::default()
    });
    let mut stream = server.connect();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n",
        )
        .unwrap();
    let mut dripping = stream.try_clone().unwrap();
    let drip = thread::spawn(move || {
        while dripping.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let begun = Instant::now();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 400");
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(stream);
    drip.join().unwrap();
    server.stop();
}

#[test]
fn a_connection_that_sends_no_request_is_closed() {
    let server = start(Limits {
        idle: Duration::from_millis(200),
        ..Limits::default()
    });
    let mut stream = server.connect();
    stream.write_all(b"GET / HT").unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.stop();
}

#[test]
fn more_connections_than_places_wait_for_one() {
    let server = start(Limits {
        connections: 1,
        ..Limits::default()
    });
    let held = server.connect();
    let mut waiting = server.connect();
    waiting
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .unwrap();
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut byte = [0];
    assert!(waiting.read(&mut byte).is_err(), "it was served at once");

    drop(held);
    waiting
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert!(answer(waiting).starts_with("HTTP/1.1 200"));
    server.stop();
}

#[test]
fn what_is_in_flight_is_finished_and_nothing_new_is_taken() {
    let server = start(Limits::default());
    let mut stream = server.connect();
    stream
        .write_all(b"GET /500 HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    let address = server.address;
    server.shutdown.begin();
    let answered = thread::spawn(move || answer(stream));
    server.stop();
    assert!(answered.join().unwrap().starts_with("HTTP/1.1 200"));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let server = start(Limits {
        grace: Duration::from_millis(200),
        ..Limits::default()
    });
    let mut stream = server.connect();
    stream
        .write_all(b"GET /60000 HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_busy_port_is_an_error_that_says_so() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap();
    let runtime = Runtime::new().unwrap();
    let error = runtime.block_on(Listener::bind(address)).unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }));
    assert!(
        error
            .to_string()
            .starts_with(&format!("{address} is in use"))
    );
}
