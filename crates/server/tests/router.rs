//! What one port serves, and to whom.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use fulcio_ct_client::{Entry, Submission, TransparencyLog as _};
use fulcio_ct_log::{EmbeddedLog, Options};
use fulcio_server_core::{Limits, Listener, LogFiles, Metrics, Router, Shutdown};
use tokio::runtime::Runtime;

fn request(address: SocketAddr, head: &str) -> String {
    exchange(
        address,
        &format!("{head} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    )
}

fn exchange(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn serve(runtime: &Runtime, router: Router) -> SocketAddr {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = runtime.block_on(Listener::bind(loopback)).unwrap();
    let address = listener.address();
    runtime.spawn(listener.serve(router, Limits::default(), Shutdown::default()));
    address
}

#[test]
fn metrics_have_fulcios_names() {
    let runtime = Runtime::new().unwrap();
    let metrics = Metrics::new().unwrap();
    let address = serve(&runtime, Router::new().with_mount("/", metrics.page()));
    let page = request(address, "GET /whatever");
    for name in [
        "fulcio_build_info{build_date=",
        "fulcio_new_certs 0",
        "http_requests_total{code=\"200\",method=\"get\"} 0",
        "grpc_server_started_total{",
    ] {
        assert!(page.contains(name), "{name} is not in\n{page}");
    }
}

#[test]
fn a_log_can_be_read_and_nothing_can_be_submitted_to_it() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let now = || std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let options = Options::new(now).with_origin("log.example.com");
    let log = Arc::new(EmbeddedLog::open(folder.path(), options).unwrap());
    let certificate = b"certificate".to_vec().into();
    let submission = Submission {
        entry: Entry::Certificate(b"certificate"),
        certificate: &certificate,
        issuers: &[],
    };
    runtime.block_on(log.submit(submission)).unwrap();
    runtime.block_on(log.published(1)).unwrap();
    let router = Router::new().with_mount("/ct-log/", LogFiles::new(Arc::clone(&log)));
    let address = serve(&runtime, router);

    let checkpoint = request(address, "GET /ct-log/checkpoint");
    assert!(checkpoint.starts_with("HTTP/1.1 200"));
    assert!(checkpoint.contains("log.example.com\n1\n"));
    assert!(checkpoint.contains("cache-control: no-store"));
    let tile = request(address, "GET /ct-log/tile/0/000.p/1");
    assert!(tile.contains("immutable"));
    for (head, status) in [
        ("GET /ct-log/key.pem", "404"),
        ("GET /ct-log/../key.pem", "404"),
        ("GET /ct-log/..%2fkey.pem", "404"),
        ("POST /ct-log/ct/v1/add-chain", "405"),
        ("GET /elsewhere", "404"),
    ] {
        let answer = request(address, head);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{head}: {answer}"
        );
    }
    runtime.block_on(log.close()).unwrap();
}

#[test]
fn what_http_does_not_allow_is_refused_before_anything_else() {
    let runtime = Runtime::new().unwrap();
    let metrics = Metrics::new().unwrap();
    let address = serve(&runtime, Router::new().with_mount("/", metrics.page()));
    for (line, headers, status, text) in [
        ("GET / HTTP/1.1", "host: a.example:80\r\n", 200, None),
        ("GET / HTTP/1.1", "host: [::1]:80\r\n", 200, None),
        ("GET / HTTP/1.1", "host:\r\n", 200, None),
        ("GET /?%zz HTTP/1.1", "host: a\r\n", 200, None),
        ("GET / HTTP/1.0", "", 200, None),
        (
            "GET / HTTP/1.1",
            "host: a\r\nexpect: 100-Continue\r\n",
            200,
            None,
        ),
        ("OPTIONS * HTTP/1.1", "host: a\r\n", 200, Some("")),
        (
            "GET / HTTP/1.1",
            "",
            400,
            Some("400 Bad Request: missing required Host header"),
        ),
        (
            "GET / HTTP/1.1",
            "host: a b\r\n",
            400,
            Some("400 Bad Request: malformed Host header"),
        ),
        (
            "GET / HTTP/1.1",
            "host: a\r\nhost: a\r\n",
            400,
            Some("400 Bad Request"),
        ),
        (
            "GET /%zz HTTP/1.1",
            "host: a\r\n",
            400,
            Some("400 Bad Request"),
        ),
        (
            "GET /% HTTP/1.1",
            "host: a\r\n",
            400,
            Some("400 Bad Request"),
        ),
        (
            "GET / HTTP/1.1",
            "host: a\r\nexpect: nonsense\r\n",
            417,
            Some(""),
        ),
    ] {
        let answer = exchange(
            address,
            &format!("{line}\r\n{headers}connection: close\r\n\r\n"),
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let found = head.split(' ').nth(1).unwrap();
        assert_eq!(found, status.to_string(), "{line} {headers}");
        if let Some(text) = text {
            assert_eq!(body, text, "{line} {headers}");
        }
    }
}
