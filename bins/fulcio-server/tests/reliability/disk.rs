use std::{fs, time::Duration};

use fulcio_audit_log::{Expectation, files_of, verify};

use super::{
    row::{Row, Scene},
    stage::{Stage, Watched},
};
use crate::common::{
    Process, Server, a_little_more, free_port, get, in_shell, limit_files, limited, program,
    wait_until,
};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("the disk of the embedded log is full", embedded_log),
    Scene::new("the disk of the audit trail is full", audit_trail),
    Scene::new("the same with `--audit-fail-open`", fail_open),
    Scene::new("the disk that log lines are written to is full", log_lines),
    Scene::new("whoever reads the log lines is gone", broken_pipe),
];

/// A server whose files can be kept from growing.
fn serve<'a>(stage: &'a Stage, flags: &[&str]) -> Watched<'a> {
    let flags = stage.flags(flags);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let server = stage.watch(Server::spawn(limited(&flags), 3));
    server.becomes(200, "");
    server
}

fn entries(server: &Watched<'_>) -> u64 {
    let checkpoint = get(&server.server.url("/ct-log/checkpoint")).text();
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

fn embedded_log() -> Row {
    let stage = Stage::set();
    let flags = [
        "--ct-log-url=embedded:@log",
        "--ct-log-origin=log.example.com",
    ];
    let server = serve(&stage, &flags);
    server.issues();
    wait_until("the checkpoint", || (entries(&server) == 1).then_some(()));
    let journal = fs::read_dir(stage.ca.folder().join("log")).unwrap();
    let largest = journal
        .map(|file| file.unwrap())
        .filter(|file| file.file_type().unwrap().is_file())
        .max_by_key(|file| file.metadata().unwrap().len());
    limit_files(&server.server, a_little_more(&largest.unwrap().path()));
    let client = server.ask().within(6);
    let operator = format!(
        "{}; {}; {}",
        server.becomes(503, "ct-log"),
        server.said("the log has stopped", &["cause"]),
        server.refusal()
    );
    assert_eq!(server.ask().answer.status / 100, 5);
    // What is published is still served.
    assert_eq!((entries(&server), server.value("fulcio_new_certs")), (1, 1));
    limit_files(&server.server, None);
    let ended = server.server.terminate();
    let operator = format!(
        "{operator}; exit code {} when it is told to stop, `{}`",
        ended.status.code().unwrap(),
        ended.stderr.lines().last().unwrap().replace('`', "'")
    );
    let server = serve(&stage, &flags);
    server.issues();
    wait_until("both certificates to be in the log", || {
        (entries(&server) >= 2).then_some(())
    });
    Row {
        client,
        operator,
        lost: "nothing: what is published is served; after room was made and the server restarted, the tree goes on"
            .to_owned(),
    }
}

fn audit_flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let audit = [
        "--ct-log-url=",
        "--audit-log=@audit.jsonl",
        "--audit-log-node=ca-1",
    ];
    [&audit[..], more].concat()
}

/// Fills the disk, asks, and makes room again. Returns what the client saw, what the operator saw, and the
/// number of decisions that the trail says are lost.
fn fill(stage: &Stage, flags: &[&str], status: u16, line: &str) -> (String, String, u64) {
    let server = serve(stage, &audit_flags(flags));
    server.issues();
    limit_files(
        &server.server,
        a_little_more(&stage.ca.folder().join("audit.jsonl")),
    );
    let client = server.ask().within(5);
    let operator = format!(
        "{}; {}; {}",
        server.becomes(status, "audit-log: "),
        server.said(line, &["cause"]),
        server.counted(&["fulcio_audit_failures_total{", "fulcio_refusals_total{"])
    );
    limit_files(&server.server, None);
    wait_until("the trail to be written again", || {
        server.issues();
        (server.value("fulcio_audit_writable") == 1).then_some(())
    });
    let issued = server.value("fulcio_new_certs");
    assert!(server.server.terminate().success());
    let files = files_of(&stage.ca.folder().join("audit.jsonl")).unwrap();
    let verified = verify(&files, &Expectation::default()).unwrap();
    assert_eq!(verified.findings, []);
    assert!(verified.is_stopped);
    let text: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let recorded = u64::try_from(text.matches("\"type\":\"issued\"").count()).unwrap();
    // Those that left without a record, where that was asked for.
    let unrecorded = issued - recorded;
    assert!(unrecorded <= verified.lost, "{unrecorded} of {issued}");
    (client, operator, unrecorded)
}

fn audit_trail() -> Row {
    let stage = Stage::set();
    let line = "the audit log cannot be written";
    let (client, operator, unrecorded) = fill(&stage, &["--audit-log-sync"], 503, line);
    assert_eq!(unrecorded, 0);
    Row {
        client,
        operator,
        lost: "nothing: every certificate that left is in the trail, which verifies, and which tells how many refusals \
               it does not have; with room on the disk it goes on"
            .to_owned(),
    }
}

fn fail_open() -> Row {
    let stage = Stage::set();
    let line = "an answer leaves without a record in the audit log";
    let (client, operator, unrecorded) = fill(&stage, &["--audit-fail-open"], 200, line);
    assert_eq!(unrecorded, 1);
    Row {
        client,
        operator,
        lost: "the record of that certificate, as was asked for; the trail verifies and tells how many records are lost"
            .to_owned(),
    }
}

/// A server whose log lines go where this script sends them, on a port that is known beforehand.
fn unheard(script: &str, what: &str) -> Row {
    let stage = Stage::set();
    let port = free_port();
    let ports = [format!("--port={port}"), format!("--grpc-port={port}")];
    let mut flags = vec!["serve".to_owned()];
    flags.extend(stage.flags(&["--ct-log-url=", "--log_type=dev", "--host=127.0.0.1"]));
    flags.retain(|flag| flag != "--log_type=prod");
    flags.extend(ports);
    flags.extend([
        "--grpc-host=127.0.0.1".to_owned(),
        "--metrics-port=0".to_owned(),
    ]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let mut process = Process::start(in_shell(script, &program(&flags)));
    let url = format!("http://127.0.0.1:{port}");
    wait_until("a server that cannot say that it listens", || {
        process.assert_running();
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    wait_until("readiness", || {
        (get(&format!("{url}/readyz")).status == 200).then_some(())
    });
    let body = crate::common::signing_request(&stage.idp);
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        let answer = crate::common::post_json(&format!("{url}/api/v2/signingCert"), &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    process.assert_running();
    Row {
        client: "200, a certificate, 50 times within 20 s".to_owned(),
        operator: "ready; metrics go on".to_owned(),
        lost: format!(
            "the lines, until {what}; an audit trail is where decisions must not be lost"
        ),
    }
}

fn log_lines() -> Row {
    unheard("exec \"$@\" >/dev/full", "there is room")
}

fn broken_pipe() -> Row {
    unheard(
        "f=$(mktemp -u) && mkfifo $f && exec 3<>$f 4>$f 3<&- && rm $f && exec \"$@\" >&4 4>&-",
        "it is started with another",
    )
}
