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
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{runtime::Runtime, task::JoinHandle};
use tower::Service;

/// Reads the body, waits for as long as the path says in milliseconds, and says how long the body was, with as many
/// zeros before it as the query says.
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
            let zeros = request.uri().query().and_then(|query| query.parse().ok());
            let zeros = "0".repeat(zeros.unwrap_or(0));
            let (status, text) = match request.into_body().collect().await {
                Ok(body) => (StatusCode::OK, body.to_bytes().len().to_string()),
                Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let mut response = Response::new(Full::from(zeros + &text));
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
fn a_connection_that_falls_silent_is_closed() {
    let limits = Limits {
        idle: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = start(limits);
    let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    for sent in ["", "P", "GET / HT", request, "PRI * HTTP/2.0\r\n\r\nS"] {
        let mut stream = server.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let begun = Instant::now();
        let said = answer(stream);
        assert_eq!(said.starts_with("HTTP/1.1 200"), sent == request, "{said}");
        assert!(begun.elapsed() >= limits.idle / 2, "{sent}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{sent}");
    }
    server.stop();
}

/// The body of one answer out of many.
fn next_answer(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let (_, length) = head.split_once("content-length: ").unwrap();
    let (length, _) = length.split_once("\r\n").unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn it_does_not_matter_where_a_client_rests() {
    let server = start(Limits::default());
    let post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde";
    let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    // Within heads and bodies, between requests, and where one is sent with the beginning of another.
    let requests = [post, get, post, post].concat();
    for step in [1, 7, 30, 65, 90, 1000] {
        let mut stream = server.connect();
        stream.set_nodelay(true).unwrap();
        let mut sending = stream.try_clone().unwrap();
        let pieces: Vec<_> = requests
            .as_bytes()
            .chunks(step)
            .map(<[u8]>::to_vec)
            .collect();
        let pause = if step == 1 { 2 } else { 60 };
        let sender = thread::spawn(move || {
            for piece in pieces {
                sending.write_all(&piece).unwrap();
                thread::sleep(Duration::from_millis(pause));
            }
        });
        let answers = [(); 4].map(|()| next_answer(&mut stream));
        assert_eq!(answers, ["5", "0", "5", "5"], "{step}");
        sender.join().unwrap();
        // After all of it, too.
        thread::sleep(Duration::from_millis(100));
        stream.write_all(get.as_bytes()).unwrap();
        assert_eq!(next_answer(&mut stream), "0");
    }
    server.stop();
}

#[test]
fn a_client_that_reads_late_gets_all_of_an_answer() {
    let server = start(Limits::default());
    let mut stream = server.connect();
    for _ in 0..3 {
        let request = b"GET /?20000000 HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(request).unwrap();
        thread::sleep(Duration::from_millis(150));
        assert_eq!(next_answer(&mut stream).len(), 20_000_001);
        thread::sleep(Duration::from_millis(100));
    }
    server.stop();
}

#[test]
fn a_client_at_rest_is_told_of_the_stop() {
    let server = start(Limits::default());
    let mut stream = server.connect();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    assert_eq!(next_answer(&mut stream), "0");
    thread::sleep(Duration::from_millis(200));
    server.shutdown.begin();
    assert_eq!(answer(stream), "");
    server.stop();
}

#[test]
fn a_head_that_drips_is_cut_off() {
    let limits = Limits {
        head: Duration::from_millis(400),
        ..Limits::default()
    };
    let server = start(limits);
    let settings = "\0\0\0\u{4}\0\0\0\0\0";
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    // A request for / of https, whose head does not end with its first frame.
    let open_head = "\0\0\u{1}\u{1}\0\0\0\0\u{1}\u{4}";
    let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let slow =
        "GET / HTTP/1.1\r\nx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let more = "\0\0\0\t\0\0\0\0\u{1}";
    for (at_once, dripping) in [
        (String::new(), slow.to_owned()),
        (request.to_owned(), slow.to_owned()),
        (String::new(), preface.to_owned()),
        (format!("{preface}{settings}"), settings.to_owned()),
        (format!("{preface}{settings}{open_head}"), more.repeat(8)),
    ] {
        let mut stream = server.connect();
        stream.write_all(at_once.as_bytes()).unwrap();
        let mut slowly = stream.try_clone().unwrap();
        let drip = thread::spawn(move || {
            for byte in dripping.as_bytes() {
                if slowly.write_all(&[*byte]).is_err() {
                    break;
                }
                // A frame of nine bytes then takes twice as long as it may.
                thread::sleep(Duration::from_millis(100));
            }
        });
        let begun = Instant::now();
        // It may be reset, because not all that it sent was read.
        drop(stream.read_to_end(&mut Vec::new()));
        let took = begun.elapsed();
        assert!(took >= limits.head / 2, "{took:?} {at_once}");
        assert!(took < Duration::from_secs(5), "{took:?} {at_once}");
        drip.join().unwrap();
    }
    server.stop();
}

#[test]
fn a_connection_may_idle_for_longer_than_a_head_takes() {
    let server = start(Limits {
        head: Duration::from_millis(100),
        ..Limits::default()
    });
    let mut stream = server.connect();
    for _ in 0..2 {
        thread::sleep(Duration::from_millis(500));
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        let mut rest = [0; 1024];
        assert!(stream.read(&mut rest).unwrap() > 0);
    }
    server.stop();
}

#[test]
fn the_longest_duration_is_no_limit() {
    let server = start(Limits {
        handshake: Duration::MAX,
        head: Duration::MAX,
        body: Duration::MAX,
        idle: Duration::MAX,
        ..Limits::default()
    });
    let mut stream = server.connect();
    stream
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\n\r\n")
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    stream.write_all(b"a").unwrap();
    assert!(answer(stream).starts_with("HTTP/1.1 200"));
    server.runtime.block_on(async {
        let (mut sender, _connection) = http2_client(server.address).await;
        let request = Request::get("http://a/0").body(Empty::new());
        sender.send_request(request.unwrap()).await.unwrap();
    });
    server.stop();
}

#[test]
fn neither_a_slow_body_nor_a_slow_answer_is_idleness() {
    let server = start(Limits {
        head: Duration::from_millis(400),
        idle: Duration::from_millis(400),
        ..Limits::default()
    });
    let mut stream = server.connect();
    stream
        .write_all(
            b"POST /900 HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\n",
        )
        .unwrap();
    for part in [b"aa".as_slice(), b"aa", b"a"] {
        thread::sleep(Duration::from_millis(500));
        stream.write_all(part).unwrap();
    }
    assert!(answer(stream).starts_with("HTTP/1.1 200"));
    server.stop();
}

/// A client of HTTP/2 that keeps its connection busy with pings, whether there are requests or not.
async fn http2_client(
    address: SocketAddr,
) -> (
    http2::SendRequest<Empty<Bytes>>,
    JoinHandle<Result<(), hyper::Error>>,
) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_millis(30))
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    (sender, tokio::spawn(connection))
}

#[test]
fn http2_without_requests_ends_in_order_and_may_idle_for_longer_than_a_head_takes() {
    let limits = Limits {
        head: Duration::from_millis(200),
        idle: Duration::from_secs(2),
        ..Limits::default()
    };
    let server = start(limits);
    let address = server.address;
    server.runtime.block_on(async move {
        let (mut sender, connection) = http2_client(address).await;
        for path in ["/0", "/2500"] {
            tokio::time::sleep(limits.idle / 3).await;
            let request = Request::get(format!("http://a{path}")).body(Empty::new());
            let response = sender.send_request(request.unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
        }
        let begun = Instant::now();
        let ended = tokio::time::timeout(Duration::from_secs(10), connection).await;
        ended.expect("it was not closed").unwrap().unwrap();
        assert!(begun.elapsed() >= limits.idle / 2);
    });
    server.stop();
}

#[test]
fn http2_is_told_of_the_stop_and_what_it_has_asked_is_answered() {
    let server = start(Limits::default());
    let (address, shutdown) = (server.address, server.shutdown.clone());
    server.runtime.block_on(async move {
        let (mut sender, connection) = http2_client(address).await;
        let mut answers = Vec::new();
        for _ in 0..20 {
            let request = Request::get("http://a/700").body(Empty::new());
            answers.push(tokio::spawn(sender.send_request(request.unwrap())));
        }
        // When the first one is answered, all have been taken up.
        let request = Request::get("http://a/0").body(Empty::new());
        sender.send_request(request.unwrap()).await.unwrap();
        shutdown.begin();
        for answer in answers {
            assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
        }
        let ended = tokio::time::timeout(Duration::from_secs(10), connection).await;
        ended.expect("it was not closed").unwrap().unwrap();
    });
    server.stop();
}

#[test]
fn who_has_just_connected_when_it_stops_may_still_ask() {
    let server = start(Limits::default());
    let connected = [server.connect(), server.connect()];
    server.shutdown.begin();
    let begun = Instant::now();
    for mut stream in connected {
        let sent = stream.write_all(b"GET /0 HTTP/1.1\r\nhost: a\r\n\r\n");
        if begun.elapsed() > Duration::from_millis(300) {
            // This machine is too slow to ask in time.
            break;
        }
        sent.unwrap();
        let answered = answer(stream);
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
        assert!(answered.contains("connection: close"), "{answered}");
    }
    server.stop();
}

#[test]
fn a_request_that_has_begun_when_it_stops_is_answered() {
    let server = start(Limits::default());
    let mut stream = server.connect();
    stream.write_all(b"GET /0 HTTP/1.1\r\nhost").unwrap();
    thread::sleep(Duration::from_secs(1));
    server.shutdown.begin();
    thread::sleep(Duration::from_millis(200));
    stream.write_all(b": a\r\n\r\n").unwrap();
    assert!(answer(stream).starts_with("HTTP/1.1 200"));
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
