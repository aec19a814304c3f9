use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::process::ExitStatusExt as _,
    sync::Mutex,
    thread,
    time::Duration,
};

use fulcio_audit_log::{Expectation, files_of, verify};

use super::{
    row::{Row, Scene},
    stage::{Stage, Watched},
    tcp,
};
use crate::common::{
    Server, get, in_shell, limit_memory, rest, serving, signing_request, wait_until, whole,
};

pub(super) const SCENES: &[Scene] = &[
    Scene::new(
        "more requests at once than `--max-concurrent-requests`",
        shed,
    ),
    Scene::new(
        "500 requests wait at once for a log that takes connections and says nothing",
        burst,
    ),
    Scene::heavy(
        "200 bodies of 4 MiB at once, with 2 GiB of address space (`ulimit -v`)",
        large_bodies,
    ),
    Scene::heavy("the same with 64 MiB left: memory runs out", no_memory),
];

fn shed() -> Row {
    let stage = Stage::set();
    let url = format!("--ct-log-url=http://{}/test", tcp::silent());
    let server = stage.serve(&[&url, "--ct-log-timeout=4s", "--max-concurrent-requests=2"]);
    let target = server.server.url("/api/v2/signingCert");
    let body = signing_request(&stage.idp);
    let first = thread::spawn(move || crate::common::post_json(&target, &body).status);
    wait_until("the first to be served", || {
        (server.value("fulcio_requests_in_flight") == 1).then_some(())
    });
    let client = server.ask().within(3);
    let operator = format!(
        "{}; {}; {}",
        server.becomes(200, ""),
        server.said("requests are turned away", &[]),
        server.counted(&["fulcio_refusals_total{"])
    );
    assert_eq!(first.join().unwrap(), 503, "the log is silent");
    wait_until("the place", || {
        (server.value("fulcio_requests_in_flight") == 0).then_some(())
    });
    assert_eq!(
        server.ask().answer.json()["message"],
        "Error entering certificate in CTL"
    );
    Row {
        client: format!("{client} without waiting"),
        operator,
        lost: "nothing: the one before is served, and with its place free the next one".to_owned(),
    }
}

fn burst() -> Row {
    let stage = Stage::set();
    let url = format!("--ct-log-url=http://{}/test", tcp::silent());
    let server = stage.serve(&[&url, "--ct-log-timeout=8s"]);
    let body = signing_request(&stage.idp).to_string();
    let before = server.memory();
    let waiting: Vec<_> = (0..500).map(|_| whole(&server.server, &body)).collect();
    wait_until("all requests to wait", || {
        (server.value("fulcio_requests_in_flight") == 500).then_some(())
    });
    let needed = server.memory() - before;
    for stream in waiting {
        let answer = rest(stream);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains("Error entering certificate in CTL"),
            "{answer}"
        );
    }
    // What is free is given back while the server works, and it works when it is asked.
    wait_until("memory to be given back", || {
        server.ask();
        (server.memory().saturating_sub(before) < needed / 2).then_some(())
    });
    Row {
        client: "503, code 14, `Error entering certificate in CTL`, for each".to_owned(),
        operator: format!(
            "{}; more than half of the memory that they needed is given back",
            server.becomes(503, "ct-log")
        ),
        lost: "nothing: no certificate was signed".to_owned(),
    }
}

/// A server with an embedded log and an audit trail, started by a line of a shell.
fn started_by<'a>(stage: &'a Stage, script: &str) -> Watched<'a> {
    let flags = stage.flags(&LOGS);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let server = stage.watch(Server::spawn(
        in_shell(script, &serving(&flags, "127.0.0.2")),
        3,
    ));
    server.becomes(200, "");
    server
}

const LOGS: [&str; 4] = [
    "--ct-log-url=embedded:@log",
    "--ct-log-origin=log.example.com",
    "--audit-log=@audit.jsonl",
    "--audit-log-node=ca-1",
];

/// Sends a body of 4 MiB on each of 200 connections; the statuses and messages that come back.
fn flood(address: SocketAddr) -> Vec<String> {
    let token = "a".repeat((4 << 20) - 100);
    let body = format!("{{\"credentials\":{{\"oidcIdentityToken\":\"{token}\"}}}}");
    let head = format!(
        "POST /api/v2/signingCert HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = head + &body;
    let told = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                let Ok(mut stream) = TcpStream::connect(address) else {
                    return;
                };
                stream
                    .set_read_timeout(Some(Duration::from_secs(60)))
                    .unwrap();
                // A server that does not want the body closes the connection behind its answer.
                drop(stream.write_all(request.as_bytes()));
                let mut answer = Vec::new();
                drop(stream.read_to_end(&mut answer));
                let answer = String::from_utf8(answer).unwrap();
                let status = answer
                    .split(' ')
                    .nth(1)
                    .unwrap_or("the end of the connection");
                let message = answer
                    .split_once("\"message\":\"")
                    .and_then(|(_, rest)| rest.split('"').next());
                let message = message.map_or_else(String::new, |message| format!(", `{message}`"));
                told.lock().unwrap().push(format!("{status}{message}"));
            });
        }
    });
    let mut told = told.into_inner().unwrap();
    told.sort();
    told
}

fn large_bodies() -> Row {
    let stage = Stage::set();
    let server = started_by(&stage, "ulimit -v 2097152 && exec \"$@\"");
    server.issues();
    let mut told = flood(server.server.http());
    let busy = "503, `the server is busy, try again`".to_owned();
    let known = [
        "400, `There was an error processing the identity token`",
        "400, `unexpected EOF`",
        "the end of the connection",
        &busy,
    ];
    told.dedup();
    assert!(
        told.iter().all(|told| known.contains(&told.as_str())),
        "{told:?}"
    );
    assert!(told.contains(&busy), "{told:?}");
    let operator = server.becomes(200, "");
    let memory = super::process::status(server.server.id(), "VmHWM");
    assert!(memory < 1024 << 10, "{memory} KiB");
    let client = server.ask().within(10);
    assert!(server.value("fulcio_refusals_total{reason=\"overloaded\"}") > 0);
    assert!(server.server.terminate().success());
    Row {
        client: format!(
            "64 are read, and refused as they hold no token; the others: {busy}; behind them: {client}"
        ),
        operator: format!(
            "{operator}; `fulcio_refusals_total{{reason=\"overloaded\"}}` grows; at most 1 GiB of memory"
        ),
        lost: "nothing: the server goes on".to_owned(),
    }
}

fn no_memory() -> Row {
    let stage = Stage::set();
    // Else the allocator has the addresses of a GiB in hand from the start.
    let server = started_by(&stage, "export MIMALLOC_ARENA_RESERVE=0 && exec \"$@\"");
    for _ in 0..3 {
        server.issues();
    }
    let kibibytes = super::process::status(server.server.id(), "VmSize") + (64 << 10);
    limit_memory(&server.server, kibibytes << 10);
    drop(flood(server.server.http()));
    let ended = server.server.finish();
    assert_eq!(ended.status.signal(), Some(6), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("memory allocation of "),
        "{}",
        ended.stderr
    );
    let server = stage.serve(&LOGS);
    server.issues();
    wait_until("all certificates to be in the log", || {
        let checkpoint = get(&server.server.url("/ct-log/checkpoint")).text();
        checkpoint.starts_with("log.example.com\n4\n").then_some(())
    });
    assert!(server.server.terminate().success());
    let files = files_of(&stage.ca.folder().join("audit.jsonl")).unwrap();
    let verified = verify(&files, &Expectation::default()).unwrap();
    assert_eq!(verified.findings, []);
    Row {
        client: "503 or the end of the connection".to_owned(),
        operator: "the process ends by SIGABRT and says `memory allocation of N bytes failed`; the next start goes on with the \
                   same tree and the same chain of records"
            .to_owned(),
        lost: "what was in flight; every certificate that had left is in the log, and the trail verifies".to_owned(),
    }
}
