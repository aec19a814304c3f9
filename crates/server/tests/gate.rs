//! Who gets in when too much is asked, seen by real clients.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fulcio_api::Peer;
use fulcio_server_core::{
    Gate, Limits, Listener, Metrics, Mount, Mounted, Router, Shutdown, TimedBody, TrustedProxies,
};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::{net::TcpSocket, runtime::Runtime, sync::watch};

/// Reads the body and says who has sent it; below `/wait` only when it is told to.
#[derive(Debug)]
struct Work {
    released: watch::Sender<bool>,
    waiting: AtomicUsize,
}

#[derive(Debug)]
struct Shared(Arc<Work>);

impl Mount for Shared {
    fn handle(&self, path: &str, request: Request<TimedBody>) -> Mounted {
        let waits = path == "wait";
        let work = Arc::clone(&self.0);
        Box::pin(async move {
            let Some(Peer(peer)) = request.extensions().get().copied() else {
                return Response::new(Full::from("nobody"));
            };
            let read = request.into_body().collect().await;
            if waits {
                work.waiting.fetch_add(1, Ordering::SeqCst);
                let mut released = work.released.subscribe();
                released.wait_for(|released| *released).await.unwrap();
                work.waiting.fetch_sub(1, Ordering::SeqCst);
            }
            let length = read.map_or(0, |body| body.to_bytes().len());
            Response::new(Full::from(format!("{peer} {length}")))
        })
    }
}

struct Server {
    runtime: Runtime,
    address: SocketAddr,
    work: Arc<Work>,
    metrics: Metrics,
}

fn start(gate: impl FnOnce(Gate) -> Gate) -> Server {
    let runtime = Runtime::new().unwrap();
    let work = Arc::new(Work {
        released: watch::Sender::new(false),
        waiting: AtomicUsize::new(0),
    });
    let metrics = Metrics::new().unwrap();
    let gate = Arc::new(gate(Gate::new()).counting_in(metrics.api()));
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    let listener = runtime.block_on(Listener::bind(any)).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], listener.address().port()));
    let router = Router::new()
        .with_mount("/", Shared(Arc::clone(&work)))
        .with_gate(Arc::clone(&gate));
    let listener = listener.with_gate(gate);
    runtime.spawn(listener.serve(router, Limits::default(), Shutdown::default()));
    Server {
        runtime,
        address,
        work,
        metrics,
    }
}

impl Server {
    /// A connection from `127.0.0.host`.
    fn connect(&self, host: u8) -> TcpStream {
        self.runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket
                .bind(SocketAddr::from(([127, 0, 0, host], 0)))
                .unwrap();
            let stream = socket.connect(self.address).await.unwrap();
            let stream = stream.into_std().unwrap();
            stream.set_nonblocking(false).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(30)))
                .unwrap();
            stream
        })
    }

    fn ask(&self, host: u8, path: &str) -> TcpStream {
        let mut stream = self.connect(host);
        send(&mut stream, path, "");
        stream
    }

    /// Asks and waits until the request is being answered.
    fn hold(&self, host: u8) -> TcpStream {
        let before = self.work.waiting.load(Ordering::SeqCst);
        let stream = self.ask(host, "/wait");
        let begun = Instant::now();
        while self.work.waiting.load(Ordering::SeqCst) == before {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it was not let in"
            );
            thread::sleep(Duration::from_millis(1));
        }
        stream
    }

    fn release(&self) {
        self.work.released.send_replace(true);
    }

    fn refused(&self, reason: &str) -> String {
        let page = self.runtime.block_on(async {
            let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
            let address = listener.address();
            let router = Router::new().with_mount("/", self.metrics.page());
            tokio::spawn(listener.serve(router, Limits::default(), Shutdown::default()));
            address
        });
        let mut stream = TcpStream::connect(page).unwrap();
        send(&mut stream, "/", "");
        let label = format!("fulcio_refusals_total{{reason=\"{reason}\"}} ");
        let text = answer(stream);
        let (_, rest) = text.split_once(&label).unwrap();
        rest.lines().next().unwrap().to_owned()
    }
}

fn send(stream: &mut TcpStream, path: &str, headers: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
}

/// All that is answered; what came before the connection broke, where it breaks.
fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    drop(stream.read_to_end(&mut text));
    String::from_utf8(text).unwrap()
}

#[track_caller]
fn assert_busy(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    assert!(
        answer.ends_with(r#"{"code":14,"message":"the server is busy, try again","details":[]}"#),
        "{answer}"
    );
}

#[test]
fn one_client_gets_half_of_the_places_and_others_are_still_let_in() {
    let server = start(|gate| gate.with_requests(8));
    let mut held: Vec<_> = (0..4).map(|_| server.hold(1)).collect();
    assert_busy(&answer(server.ask(1, "/wait")));
    assert_busy(&answer(server.ask(1, "/")));
    // Four places are free: another client gets two of them, and the next ones one each.
    held.extend([server.hold(2), server.hold(2)]);
    assert_busy(&answer(server.ask(2, "/")));
    held.extend([server.hold(3), server.hold(4)]);
    // Now all are taken, and even so supervisors hear that the server lives.
    assert_busy(&answer(server.ask(5, "/")));
    assert!(answer(server.ask(5, "/healthz")).starts_with("HTTP/1.1 200"));
    assert_eq!(server.refused("overloaded"), "4");

    server.release();
    for stream in held {
        assert!(answer(stream).starts_with("HTTP/1.1 200"));
    }
    assert!(answer(server.ask(1, "/")).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_client_that_goes_away_leaves_its_place() {
    let server = start(|gate| gate.with_requests(2));
    for _ in 0..5 {
        let held = server.hold(1);
        assert_busy(&answer(server.ask(1, "/")));
        drop(held);
        let begun = Instant::now();
        while server.work.waiting.load(Ordering::SeqCst) > 0 && begun.elapsed().as_secs() < 30 {
            if answer(server.ask(1, "/")).starts_with("HTTP/1.1 200") {
                break;
            }
        }
        assert!(answer(server.ask(1, "/")).starts_with("HTTP/1.1 200"));
        server.work.waiting.store(0, Ordering::SeqCst);
    }
}

#[test]
fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let proxies = TrustedProxies::parse(["127.0.0.9"]).unwrap();
    let server = start(|gate| {
        gate.with_trusted_proxies(proxies)
            .with_connections_per_client(2)
    });
    let via = |client: &str, path: &str| {
        let mut stream = server.connect(9);
        send(&mut stream, path, &format!("x-forwarded-for: {client}\r\n"));
        stream
    };
    assert!(answer(via("6.6.6.6, 192.0.2.1", "/")).ends_with("192.0.2.1:0 0"));
    let waiting = |count| {
        let begun = Instant::now();
        while server.work.waiting.load(Ordering::SeqCst) < count {
            assert!(begun.elapsed() < Duration::from_secs(30));
            thread::sleep(Duration::from_millis(1));
        }
    };
    let held = [via("192.0.2.1", "/wait"), via("192.0.2.1", "/wait")];
    waiting(2);
    let third = answer(via("192.0.2.1", "/"));
    assert!(third.starts_with("HTTP/1.1 429"), "{third}");
    assert!(third.contains("retry-after: 1\r\n"), "{third}");
    let other = answer(via("192.0.2.2", "/"));
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
    server.release();
    for stream in held {
        assert!(answer(stream).ends_with("192.0.2.1:0 0"));
    }
}

#[test]
fn a_client_has_as_many_connections_as_it_may_and_no_more() {
    let server = start(|gate| gate.with_connections_per_client(3));
    let held: Vec<_> = (0..3).map(|_| server.hold(1)).collect();
    assert_eq!(answer(server.connect(1)), "");
    assert!(answer(server.ask(2, "/")).starts_with("HTTP/1.1 200"));
    server.release();
    drop(held);
    let begun = Instant::now();
    while !answer(server.ask(1, "/")).starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}

/// A body of this length, in chunks, so that nobody is told how long it is; or not even begun.
fn chunked(length: usize) -> Vec<u8> {
    let head =
        "POST /wait HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(length));
    (head.to_owned() + &body).into_bytes()
}

#[test]
fn so_many_bodies_are_large_at_once_and_small_ones_go_by() {
    let server = start(|gate| gate);
    let large = chunked(Gate::SMALL_BODY + 1);
    let mut held = Vec::new();
    for _ in 0..Gate::LARGE_BODIES {
        let before = server.work.waiting.load(Ordering::SeqCst);
        let mut stream = server.connect(1);
        stream.write_all(&large).unwrap();
        while server.work.waiting.load(Ordering::SeqCst) == before {
            thread::sleep(Duration::from_millis(1));
        }
        held.push(stream);
    }
    // One more that says so at once is not even read.
    let mut announced = server.connect(2);
    let length = Gate::SMALL_BODY + 1;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    announced.write_all(head.as_bytes()).unwrap();
    assert_busy(&answer(announced));
    // Of one that does not, no more is read than a small body has.
    let mut stream = server.connect(2);
    let text = String::from_utf8(large).unwrap().replacen("/wait", "/", 1);
    stream.write_all(text.as_bytes()).unwrap();
    assert_busy(&answer(stream));
    let mut small = server.connect(2);
    let text = String::from_utf8(chunked(Gate::SMALL_BODY))
        .unwrap()
        .replacen("/wait", "/", 1);
    small.write_all(text.as_bytes()).unwrap();
    let answered = answer(small);
    assert!(
        answered.ends_with(&format!(" {}", Gate::SMALL_BODY)),
        "{answered}"
    );

    server.release();
    for stream in held {
        let answered = answer(stream);
        assert!(
            answered.ends_with(&format!(" {}", Gate::SMALL_BODY + 1)),
            "{answered}"
        );
    }
}

#[test]
fn a_head_has_at_most_a_hundred_lines_and_sixty_four_kibibytes() {
    let server = start(|gate| gate);
    let status = |lines: usize, length: usize| {
        let headers: String = (0..lines)
            .map(|line| format!("x-{line}: {}\r\n", "a".repeat(length)))
            .collect();
        let mut stream = server.connect(1);
        send(&mut stream, "/", &headers);
        answer(stream).lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(status(98, 10), "HTTP/1.1 200 OK");
    assert_eq!(
        status(99, 10),
        "HTTP/1.1 431 Request Header Fields Too Large"
    );
    assert_eq!(status(1, 60_000), "HTTP/1.1 200 OK");
    assert_eq!(
        status(1, 70_000),
        "HTTP/1.1 431 Request Header Fields Too Large"
    );
}

#[test]
fn connections_are_counted_over_all_ports_that_share_a_gate() {
    let runtime = Runtime::new().unwrap();
    let gate = Arc::new(Gate::new().with_connections(1));
    let metrics = Metrics::new().unwrap();
    let mut ports = (0..2).map(|_| {
        let listener = runtime
            .block_on(Listener::bind(([127, 0, 0, 1], 0).into()))
            .unwrap();
        let address = listener.address();
        let router = Router::new().with_mount("/", metrics.page());
        let listener = listener.with_gate(Arc::clone(&gate));
        runtime.spawn(listener.serve(router, Limits::default(), Shutdown::default()));
        address
    });
    let (one, other) = (ports.next().unwrap(), ports.next().unwrap());
    let mut held = TcpStream::connect(one).unwrap();
    held.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    assert_eq!(held.read(&mut [0]).unwrap(), 1);
    let mut waiting = TcpStream::connect(other).unwrap();
    send(&mut waiting, "/", "");
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(waiting.read(&mut [0]).is_err(), "it was served at once");
    drop(held);
    waiting
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    assert!(answer(waiting).starts_with("HTTP/1.1 200"));
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;

/// `GET http://a/wait`, in HPACK.
const HEAD: &[u8] = b"\x82\x86\x41\x01a\x04\x05/wait";

#[test]
fn a_client_that_opens_requests_to_reset_them_is_sent_away() {
    let server = start(|gate| gate);
    let mut stream = server.connect(1);
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    let mut reading = stream.try_clone().unwrap();
    let read = thread::spawn(move || {
        let mut bytes = Vec::new();
        let ended = reading.read_to_end(&mut bytes);
        (bytes, ended.map_err(|error| error.kind()))
    });
    let cancel = 8_u32.to_be_bytes();
    for number in 0..20_000 {
        let both = [
            frame(HEADERS, 5, 2 * number + 1, HEAD),
            frame(RESET, 0, 2 * number + 1, &cancel),
        ];
        if stream.write_all(&both.concat()).is_err() {
            break;
        }
    }
    let (bytes, ended) = read.join().unwrap();
    // Else nothing came for half a minute.
    assert!(
        matches!(ended, Ok(_) | Err(ErrorKind::ConnectionReset)),
        "{ended:?}"
    );
    let mut rest = bytes.as_slice();
    let mut codes = Vec::new();
    while let Some((head, after)) = rest.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, after)) = after.split_at_checked(length) else {
            break;
        };
        if head[3] == GO_AWAY {
            codes.push(payload[7]);
        }
        rest = after;
    }
    // ENHANCE_YOUR_CALM (RFC 9113 section 7), if it was still read before the connection broke.
    assert!(codes.iter().all(|code| *code == 11), "{codes:?}");
    assert!(answer(server.ask(2, "/")).starts_with("HTTP/1.1 200"));
}
