use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{
    row::{Row, Scene},
    stage::{Stage, Watched},
    tcp,
};
use crate::common::{Server, half, in_shell, rest, serving, signing_request, wait_until};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("a client connects and says nothing", silent),
    Scene::new("a client stops in the middle of a head", half_a_head),
    Scene::new("a client stops in the middle of a body", half_a_body),
    Scene::new("a client sends requests and never reads an answer", unread),
    Scene::new("a client goes away before its answer is there", gone),
    Scene::new("more connections than `--max-connections`", crowded),
    Scene::new(
        "more connections than `--max-connections-per-address`",
        crowd_of_one,
    ),
    Scene::new("no more files may be opened", no_descriptors),
    Scene::heavy("9,900 connections that say nothing", ten_thousand),
];

const QUICK: [&str; 2] = ["--ct-log-url=", "--idle-connection-timeout=1s"];
const NOTHING: &str = "nothing: others get their certificates meanwhile";

/// Waits for the end of a connection, and tells what came before it, and that it took no longer.
#[track_caller]
fn ends(stream: TcpStream, begun: Instant, seconds: u64) -> String {
    let text = rest(stream);
    assert!(
        begun.elapsed() < Duration::from_secs(seconds),
        "{:?}",
        begun.elapsed()
    );
    let status = text.split(' ').nth(1).map(str::to_owned);
    let message = text
        .split_once("\"message\":\"")
        .and_then(|(_, rest)| rest.split('"').next());
    match (status, message) {
        (Some(status), Some(message)) => {
            format!("{status}, `{message}`, and the end of the connection within {seconds} s")
        }
        (Some(status), None) => {
            format!("{status} and the end of the connection within {seconds} s")
        }
        (None, _) => format!("the end of the connection within {seconds} s"),
    }
}

/// A client that sends this and no more.
fn sends(bytes: &[u8]) -> Row {
    let stage = Stage::set();
    let server = stage.serve(&QUICK);
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.server.http()).unwrap();
    stream.write_all(bytes).unwrap();
    server.issues();
    Row {
        client: format!(
            "{} (`--idle-connection-timeout=1s`)",
            ends(stream, begun, 10)
        ),
        operator: server.becomes(200, ""),
        lost: NOTHING.to_owned(),
    }
}

fn silent() -> Row {
    sends(b"")
}

fn half_a_head() -> Row {
    sends(b"POST /api/v2/signingCert HTTP/1.1\r\nHost:")
}

fn half_a_body() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    let begun = Instant::now();
    let stream = half(&server.server, &signing_request(&stage.idp).to_string());
    server.issues();
    Row {
        client: ends(stream, begun, 20),
        operator: format!(
            "{}; {}",
            server.becomes(200, ""),
            server.counted(&["fulcio_refusals_total{"])
        ),
        lost: NOTHING.to_owned(),
    }
}

fn unread() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&QUICK);
    let mut stream = TcpStream::connect(server.server.http()).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let begun = Instant::now();
    let requests = "GET /api/v2/trustBundle HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    let ended = wait_until("the server to hang up", || {
        match stream.write(requests.as_bytes()) {
            Err(error)
                if [ErrorKind::WouldBlock, ErrorKind::Interrupted].contains(&error.kind()) =>
            {
                None
            }
            Err(error) => Some(error.kind()),
            Ok(_) => None,
        }
    });
    assert!(
        [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&ended),
        "{ended}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    server.issues();
    Row {
        client: "the connection is cut within 20 s (`--idle-connection-timeout=1s`)".to_owned(),
        operator: server.becomes(200, ""),
        lost: NOTHING.to_owned(),
    }
}

fn gone() -> Row {
    let stage = Stage::set();
    let url = format!("--ct-log-url=http://{}/test", tcp::silent());
    let server = stage.serve(&[&url, "--ct-log-timeout=5s"]);
    let body = signing_request(&stage.idp).to_string();
    let mut stream = half(&server.server, &body);
    stream
        .write_all(&body.as_bytes()[body.len() / 2..])
        .unwrap();
    wait_until("the request to be at the log", || {
        let signed = "fulcio_stage_seconds_count{stage=\"sign-precertificate\"}";
        (server.value(signed) == 1).then_some(())
    });
    drop(stream);
    wait_until("its end", || {
        (server.value("fulcio_requests_in_flight") == 0).then_some(())
    });
    let operator = server.counted(&[
        "fulcio_log_submissions_total{",
        "fulcio_precertificates_unused_total",
    ]);
    server.issued_nothing();
    Row {
        client: "nothing".to_owned(),
        operator: format!("{}; {operator}", server.becomes(200, "")),
        lost: "nothing: no certificate left, and the precertificate is counted as unused"
            .to_owned(),
    }
}

fn crowded() -> Row {
    let stage = Stage::set();
    // Whoever asks `/readyz` needs a connection too.
    let server = stage.serve(&[
        "--ct-log-url=",
        "--max-connections=3",
        "--idle-connection-timeout=2s",
    ]);
    let idle: Vec<_> = (0..3)
        .map(|_| TcpStream::connect(server.server.http()).unwrap())
        .collect();
    let client = server.ask().within(20);
    drop(idle);
    Row {
        client: format!("{client} as soon as one of the others has ended; until then it waits"),
        operator: server.becomes(200, ""),
        lost: "nothing".to_owned(),
    }
}

/// A connection on which there was an answer.
fn answered(server: &Watched<'_>) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(server.server.http()).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        .ok()?;
    let read = stream.read(&mut [0; 1]).ok()?;
    (read == 1).then_some(stream)
}

fn crowd_of_one() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url=", "--max-connections-per-address=2"]);
    // That of whoever asked for readiness may still count.
    let kept = [(); 2].map(|()| wait_until("a place", || answered(&server)));
    let begun = Instant::now();
    let third = TcpStream::connect(server.server.http()).unwrap();
    let client = ends(third, begun, 5);
    drop(kept);
    wait_until("a place", || answered(&server));
    server.issues();
    Row {
        client: format!("{client}, at once"),
        operator: server.becomes(200, ""),
        lost: "nothing: with one of them gone, the next one gets its certificate".to_owned(),
    }
}

fn no_descriptors() -> Row {
    let stage = Stage::set();
    let flags = stage.flags(&["--ct-log-url=", "--idle-connection-timeout=2s"]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let serving = serving(&flags, "127.0.0.2");
    let command = in_shell("ulimit -n 60 && exec \"$@\"", &serving);
    let server = stage.watch(Server::spawn(command, 3));
    server.becomes(200, "");
    let warned = server.said(
        "fewer files may be open than --max-connections needs",
        &["limit"],
    );
    server.issues();
    let idle: Vec<_> = (0..80)
        .map(|_| TcpStream::connect(server.server.http()).unwrap())
        .collect();
    let said = server.said("no connection was accepted", &["error"]);
    let client = server.ask().within(20);
    drop(idle);
    server.becomes(200, "");
    Row {
        client: format!(
            "{client} when idle connections have ended (`--idle-connection-timeout=2s`); until then it waits"
        ),
        operator: format!("at the start {warned}; then {said}"),
        lost: "nothing".to_owned(),
    }
}

fn ten_thousand() -> Row {
    let count = 9_900;
    rlimit::increase_nofile_limit(count + 1000).unwrap();
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url=", "--idle-connection-timeout=10m"]);
    server.issues();
    let before = server.memory();
    let idle: Vec<_> = (0..count)
        .map(|_| TcpStream::connect(server.server.http()).unwrap())
        .collect();
    for _ in 0..100 {
        server.issues();
    }
    let client = server.ask().within(10);
    let more = server.memory() - before;
    assert!(more < 400 << 10, "{more} KiB");
    let operator = server.becomes(200, "");
    let begun = Instant::now();
    server.server.signal("TERM");
    let ended = server.server.finish();
    assert!(ended.success() && begun.elapsed() < Duration::from_secs(30));
    drop(idle);
    Row {
        client,
        operator: format!(
            "{operator}; less than 400 MiB more memory; SIGTERM ends it within 30 s with 0"
        ),
        lost: "nothing: 101 of 101 requests got their certificates".to_owned(),
    }
}
