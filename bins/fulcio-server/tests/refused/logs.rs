use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use fulcio_ct_client::Entry;
use pem_rfc7468::LineEnding;

use super::{
    super::common::{IdpServer, NOBODY, Server},
    signing::{KeyPair, Row, SigningRequest},
};

/// A log that answers every submission with the same bytes, or with nothing at all.
struct FakeLog {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl FakeLog {
    fn answering(answer: Option<impl Into<String>>) -> Self {
        let answer: Option<String> = answer.map(Into::into);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, stopped) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (count, stop) = (Arc::clone(&asked), Arc::clone(&stopped));
        let listener = thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                match &answer {
                    Some(answer) => drop(answer_once(&mut stream, answer)),
                    None => silent.push(stream),
                }
            }
        });
        Self {
            address,
            asked,
            stopped,
            listener: Some(listener),
        }
    }

    /// How often it was asked: once for its roots, and then for each certificate.
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for FakeLog {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

/// Reads one request, body and all, and answers it.
fn answer_once(stream: &mut TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let expected = head.to_lowercase().lines().find_map(|line| {
            let length = line.strip_prefix("content-length: ")?;
            length.parse::<usize>().ok()
        });
        if length == 0 || expected.is_none_or(|expected| body.len() >= expected) {
            break;
        }
    }
    stream.write_all(answer.as_bytes())
}

const ALICE: &str = "alice@example.com";
const PATIENCE: Duration = Duration::from_millis(1000);

/// Has a server with this log refuse a request in each way, and returns the longest wait.
#[track_caller]
fn refused(log: SocketAddr, row: Row<'_>) -> Duration {
    refused_with(log, &[], row)
}

#[track_caller]
fn refused_with(log: SocketAddr, flags: &[&str], row: Row<'_>) -> Duration {
    let idp = IdpServer::start();
    let folder = tempfile::tempdir().unwrap();
    let config = format!("--config-path={}", idp.write_config(folder.path()));
    let url = format!("--ct-log-url=http://{log}/test");
    let timeout = format!("--ct-log-timeout={}ms", PATIENCE.as_millis());
    let mut all = vec!["--ca=ephemeralca", &config, &url, &timeout];
    all.extend(flags);
    let server = Server::start_on_one_port(&all);
    let request = SigningRequest {
        token: idp.token(ALICE),
        key: Some(KeyPair::p256().proof_over(ALICE)),
    };
    let begun = Instant::now();
    request.is_refused("log", &server, row);
    // There are four ways to ask.
    let each = begun.elapsed() / 4;
    let metrics = server.metrics();
    assert!(metrics.contains("fulcio_new_certs 0"), "{metrics}");
    let unused = "fulcio_precertificates_unused_total 4";
    assert!(metrics.contains(unused), "{metrics}");
    each
}

const MESSAGE: &str = "Error entering certificate in CTL";

#[test]
fn says_at_once_that_a_log_refused() {
    for answer in [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops",
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let log = FakeLog::answering(Some(answer));
        let each = refused(log.address, Row::internal(MESSAGE));
        assert!(each < PATIENCE, "{answer:?} took {each:?}");
        assert_eq!(log.asked(), 5, "{answer:?}");
    }
}

#[test]
fn says_in_time_that_a_log_is_silent() {
    let log = FakeLog::answering(None::<String>);
    let each = refused(log.address, Row::unavailable(MESSAGE, "5"));
    assert!((PATIENCE..2 * PATIENCE).contains(&each), "{each:?}");
}

#[test]
fn says_in_time_that_a_log_is_not_there() {
    let each = refused(NOBODY.parse().unwrap(), Row::unavailable(MESSAGE, "5"));
    assert!(each < 2 * PATIENCE, "{each:?}");
}

#[test]
fn passes_on_how_long_a_log_wants_to_be_left_alone() {
    let log = FakeLog::answering(Some(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 42\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n",
    ));
    let each = refused(log.address, Row::unavailable(MESSAGE, "42"));
    assert!(each < PATIENCE, "{each:?}");
    assert_eq!(log.asked(), 5);
}

#[test]
fn says_in_time_that_a_log_is_busy_and_does_not_say_for_how_long() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let log = FakeLog::answering(Some(format!(
            "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )));
        let each = refused(log.address, Row::unavailable(MESSAGE, "5"));
        assert!(each < 2 * PATIENCE, "{status} took {each:?}");
        assert!(log.asked() > 5, "{status}");
    }
}

#[test]
fn uses_no_timestamp_that_is_not_for_the_certificate() {
    let signer = fulcio_testkit::log::FakeLog::new();
    let another = Entry::Certificate(b"another");
    let timestamp = signer.promise(&another).unwrap().to_json();
    let log = FakeLog::answering(Some(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{timestamp}",
        timestamp.len()
    )));
    let folder = tempfile::tempdir().unwrap();
    // For another certificate, and then of another log.
    for key in [signer.key(), fulcio_testkit::log::FakeLog::new().key()] {
        let pem = pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, key.spki()).unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, pem).unwrap();
        let flag = format!("--ct-log-public-key-path={}", path.display());
        let each = refused_with(log.address, &[&flag], Row::internal(MESSAGE));
        assert!(each < PATIENCE, "{each:?}");
    }
}
