//! Several logs at work, and what becomes of requests while some of them are away.
//!
//! The logs of certificate-transparency-go are judged where the test command has installed them;
//! our own log and a port where nobody listens are enough for the rest.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod load;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use common::{
    CaFiles, CtLog, IdpServer, NOBODY, Server, chain, free_port, get, openssl, request, run,
    wait_until,
};
use fulcio_ct_client::LogKey;
use fulcio_test_services::component;
use load::Load;
use serde_json::{Value, json};

/// A CA, an identity provider, and the keys `a.key` and `b.key` of logs.
struct Scene {
    ca: CaFiles,
    idp: IdpServer,
}

impl Scene {
    fn new() -> Self {
        let ca = CaFiles::create();
        for name in ["a", "b"] {
            ca.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"
            ));
            ca.openssl(&format!("pkey -in {name}.key -pubout -out {name}.pub"));
        }
        let idp = IdpServer::start();
        idp.write_config(ca.folder());
        Self { ca, idp }
    }

    /// A log with one of the keys, on this port.
    #[track_caller]
    fn log(&self, program: &Path, name: &str, port: u16) -> CtLog {
        // The helper starts a log with the key of this name.
        fs::copy(
            self.ca.folder().join(format!("{name}.key")),
            self.ca.folder().join("ct.key"),
        )
        .unwrap();
        CtLog::start_on(port, program, &self.ca, "root.pem")
    }

    /// The flags of `serve`, with logs as this text says.
    fn flags(&self, logs: &str) -> Vec<String> {
        let mut flags = self.ca.flags();
        flags.push(format!("--config-path={}", self.ca.path("config.yaml")));
        flags.push(format!(
            "--ct-logs-path={}",
            self.ca.write("logs.toml", logs)
        ));
        flags.push("--ct-log-timeout=1s".to_owned());
        flags.push("--log_type=prod".to_owned());
        flags
    }

    #[track_caller]
    fn serve(&self, logs: &str, more: &[&str]) -> Server {
        let flags = self.flags(logs);
        let mut all: Vec<_> = flags.iter().map(String::as_str).collect();
        all.extend(more);
        Server::start(&all)
    }

    /// Asks for a certificate, and for how many timestamps are in it.
    #[track_caller]
    fn issues(&self, server: &Server) -> usize {
        let answer = request(server, &self.idp);
        let leaf = self.ca.write("leaf.pem", &chain(&answer)[0]);
        let shown = openssl(self.ca.folder(), &["x509", "-in", &leaf, "-noout", "-text"]);
        shown.matches("Signed Certificate Timestamp:").count()
    }

    /// Asks for a certificate in vain; says when to ask again, and how long the answer took.
    #[track_caller]
    fn is_put_off(&self, server: &Server) -> (u64, Duration) {
        let begun = Instant::now();
        let answer = request(server, &self.idp);
        let took = begun.elapsed();
        let body = answer.json();
        assert_eq!(
            (answer.status, &body["code"], &body["message"]),
            (503, &json!(14), &json!("Error entering certificate in CTL")),
            "{body}"
        );
        let retry_after = answer.header("retry-after").unwrap().parse().unwrap();
        (retry_after, took)
    }
}

/// The log of this name, which is also that of its key.
fn one(name: &str, port: u16) -> String {
    format!(
        "[[logs]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/test\"\n\
         public-key-path = \"{name}.pub\"\n"
    )
}

fn two(rule: &str, a: u16, b: u16) -> String {
    format!("rule = \"{rule}\"\n{}{}", one("a", a), one("b", b))
}

/// What readiness says, part by part.
#[track_caller]
fn readiness(server: &Server) -> (u16, Value) {
    let answer = get(&server.url("/readyz"));
    (answer.status, answer.json())
}

/// What readiness says of the part of this name.
fn part<'a>(readiness: &'a Value, name: &str) -> &'a Value {
    let parts = readiness["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["name"] == name);
    part.unwrap_or_else(|| panic!("{name} is not in {readiness}"))
}

#[track_caller]
fn counted(server: &Server, sample: &str) {
    let metrics = server.metrics();
    assert!(metrics.contains(sample), "{sample} is not in {metrics}");
}

fn tree_size(port: u16) -> Value {
    get(&format!("http://127.0.0.1:{port}/test/ct/v1/get-sth")).json()["tree_size"].clone()
}

/// The log lines of certificates that were issued.
fn issued(server: &Server) -> Vec<Value> {
    let lines = server.stderr();
    let lines = lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter(|line: &Value| line["message"] == "certificate issued")
        .collect()
}

fn ctlog() -> Option<PathBuf> {
    component("FULCIO_CTLOG")
}

// --- Two logs of certificate-transparency-go ---------------------------------------------------

#[test]
fn every_certificate_is_in_both_logs_and_has_one_timestamp() {
    let Some(program) = ctlog() else { return };
    let scene = Scene::new();
    let (a, b) = (free_port(), free_port());
    let _logs = [scene.log(&program, "a", a), scene.log(&program, "b", b)];
    let server = scene.serve(&two("all", a, b), &[]);
    server.says("the log accepts our root");
    for _ in 0..3 {
        assert_eq!(scene.issues(&server), 1);
    }
    for port in [a, b] {
        wait_until("the log to have all entries", || {
            (tree_size(port) == 3).then_some(())
        });
    }
    let (status, body) = readiness(&server);
    assert_eq!(status, 200, "{body}");
    for name in ["ct-log a", "ct-log b"] {
        assert_eq!(part(&body, name)["ready"], true);
    }
    // The other log's promise is in the record.
    let key = LogKey::from_pem(scene.ca.read("b.pub").as_bytes()).unwrap();
    let lines = wait_until("the records", || {
        let lines = issued(&server);
        (lines.len() == 3).then_some(lines)
    });
    for line in lines {
        let further = line["further_timestamps"].as_str().unwrap();
        let further: Value = serde_json::from_str(further).unwrap();
        let further = &further.as_array().unwrap()[..];
        let [timestamp] = further else {
            panic!("{line}");
        };
        let timestamp = fulcio_ct_client::SignedCertificateTimestamp::from_json(
            timestamp.to_string().as_bytes(),
        );
        assert_eq!(timestamp.unwrap().log_id(), key.id());
    }
    counted(
        &server,
        r#"fulcio_log_answers_total{log="a",outcome="accepted"} 3"#,
    );
    counted(
        &server,
        r#"fulcio_log_answers_total{log="b",outcome="accepted"} 3"#,
    );
    counted(&server, "fulcio_precertificates_unused_total 0");
    assert!(server.terminate().status.success());

    let server = scene.serve(&two("all", a, b), &["--ct-scts-embedded=2"]);
    assert_eq!(scene.issues(&server), 2);
}

#[test]
fn one_log_of_two_is_killed_and_nobody_notices_but_the_operator() {
    let Some(program) = ctlog() else { return };
    let scene = Scene::new();
    let (a, b) = (free_port(), free_port());
    let _a = scene.log(&program, "a", a);
    let log_b = scene.log(&program, "b", b);
    let server = scene.serve(&two("any 1", a, b), &[]);
    assert_eq!(scene.issues(&server), 1);

    drop(log_b);
    let reason = wait_until("the breaker to open", || {
        assert_eq!(scene.issues(&server), 1);
        let (status, body) = readiness(&server);
        assert_eq!((status, &body["ready"]), (200, &json!(true)), "{body}");
        assert_eq!(part(&body, "ct-log a")["ready"], true);
        part(&body, "ct-log b")["reason"]
            .as_str()
            .map(str::to_owned)
    });
    assert!(reason.contains("does not answer"), "{reason}");
    counted(&server, r#"fulcio_log_breaker_open{log="b"} 1"#);
    counted(
        &server,
        r#"fulcio_log_answers_total{log="b",outcome="deadline"}"#,
    );
    counted(&server, "fulcio_precertificates_unused_total 0");
    server.says("the log does not answer, and is not given certificates until it does");

    let _b = scene.log(&program, "b", b);
    wait_until("the log to be found again", || {
        assert_eq!(scene.issues(&server), 1);
        let (_, body) = readiness(&server);
        (part(&body, "ct-log b")["ready"] == true).then_some(())
    });
    let before = tree_size(b);
    wait_until("the log to take certificates again", || {
        assert_eq!(scene.issues(&server), 1);
        (tree_size(b) != before).then_some(())
    });
    counted(&server, r#"fulcio_log_breaker_open{log="b"} 0"#);
}

#[test]
fn with_both_logs_wanted_the_loss_of_one_stops_issuing_until_it_is_back() {
    let Some(program) = ctlog() else { return };
    let scene = Scene::new();
    let (a, b) = (free_port(), free_port());
    let _a = scene.log(&program, "a", a);
    let log_b = scene.log(&program, "b", b);
    let server = scene.serve(&two("all", a, b), &[]);
    scene.issues(&server);

    drop(log_b);
    for _ in 0..5 {
        let (retry_after, took) = scene.is_put_off(&server);
        assert_eq!(retry_after, 5);
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
    // The breaker is open: no more waiting.
    let (retry_after, _) = scene.is_put_off(&server);
    assert!((1..=10).contains(&retry_after), "{retry_after}");
    let (status, body) = readiness(&server);
    assert_eq!((status, &body["ready"]), (503, &json!(false)), "{body}");
    assert_eq!(part(&body, "ct-log a")["ready"], true);
    assert_eq!(part(&body, "ct-log b")["ready"], false);
    counted(
        &server,
        r#"fulcio_log_answers_total{log="b",outcome="breaker-open"} 1"#,
    );
    counted(
        &server,
        r#"fulcio_log_submissions_total{outcome="unavailable"} 6"#,
    );
    counted(&server, "fulcio_precertificates_unused_total 6");

    let _b = scene.log(&program, "b", b);
    // Nobody has to ask for the log to be found again.
    wait_until("readiness", || (readiness(&server).0 == 200).then_some(()));
    assert_eq!(scene.issues(&server), 1);
}

#[test]
fn logs_join_and_leave_under_load_and_no_request_is_lost() {
    let Some(program) = ctlog() else { return };
    let scene = Scene::new();
    let (a, b) = (free_port(), free_port());
    let log_a = scene.log(&program, "a", a);
    let _b = scene.log(&program, "b", b);
    // Beside other tests an entry may take longer than the second that the others of this file allow.
    let server = scene.serve(&one("a", a), &["--ct-log-timeout=10s"]);
    let keys = ["a.pub", "b.pub"].map(|name| scene.ca.folder().join(name));
    let load = Load::with_keys(&server.url(""), &keys, &scene.idp);
    // The logs themselves tell of an entry later.
    let accepted = |log: &str| {
        let sample = format!(r#"fulcio_log_answers_total{{log="{log}",outcome="accepted"}} "#);
        let page = server.metrics();
        let count = page.lines().find_map(|line| line.strip_prefix(&sample));
        count.map_or(0, |count| count.parse::<usize>().unwrap())
    };
    let is_used = |log: &str| {
        let before = accepted(log);
        wait_until("the log to take certificates", || {
            load.goes_on();
            (accepted(log) > before).then_some(())
        });
    };
    let is_left = |log: &str| {
        wait_until("the log to be left", || {
            let before = accepted(log);
            load.goes_on();
            (accepted(log) == before).then_some(())
        });
    };
    is_used("a");
    assert_eq!(accepted("b"), 0);

    scene.ca.write("logs.toml", &one("b", b));
    is_used("b");
    is_left("a");
    scene.ca.write("logs.toml", &two("all", a, b));
    is_used("a");
    is_used("b");
    scene.ca.write("logs.toml", &one("b", b));
    is_left("a");
    is_used("b");

    let served: usize = load.end().values().sum();
    counted(&server, &format!("fulcio_new_certs {served}\n"));
    counted(&server, "fulcio_precertificates_unused_total 0");
    drop(log_a);
    assert_eq!(scene.issues(&server), 1);
    let (status, body) = readiness(&server);
    assert_eq!((status, &body["ready"]), (200, &json!(true)), "{body}");
}

#[test]
fn does_not_start_where_a_log_does_not_know_our_root() {
    let Some(program) = ctlog() else { return };
    let (scene, stranger) = (Scene::new(), Scene::new());
    let (a, b) = (free_port(), free_port());
    let _a = scene.log(&program, "a", a);
    let _b = stranger.log(&program, "b", b);
    let flags = scene.flags(&two("any 1", a, b));
    let mut all = vec!["serve", "--port=0", "--grpc-port=0", "--metrics-port=0"];
    all.extend(flags.iter().map(String::as_str));
    let ended = run(&all);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = ended.stderr.lines().last().unwrap();
    let root = scene
        .ca
        .openssl("x509 -in root.pem -noout -fingerprint -sha256");
    let (_, fingerprint) = root.trim().split_once('=').unwrap();
    let fingerprint = fingerprint.replace(':', "").to_lowercase();
    for part in [
        "logs.toml",
        &format!("http://127.0.0.1:{b}/test"),
        "the log accepts 1 roots, and none of ours is among them",
        &fingerprint,
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

// --- Our own log, and nobody -------------------------------------------------------------------

fn own_and_nobody(rule: &str) -> String {
    format!(
        "rule = \"{rule}\"\n\
         [[logs]]\nname = \"nobody\"\nurl = \"http://{NOBODY}/test\"\npublic-key-path = \"a.pub\"\n\
         timeout = \"500ms\"\n\
         [[logs]]\nurl = \"embedded:log\"\norigin = \"log.example.com/2026\"\n"
    )
}

#[test]
fn a_log_that_is_away_at_the_start_stops_nothing_where_another_is_enough() {
    let scene = Scene::new();
    let begun = Instant::now();
    let server = scene.serve(&own_and_nobody("any 1"), &[]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    server.says("the log does not answer; it is used, and asked for its roots later");
    for _ in 0..6 {
        let begun = Instant::now();
        assert_eq!(scene.issues(&server), 1);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    let body = wait_until("the breaker to open", || {
        let (status, body) = readiness(&server);
        assert_eq!(status, 200, "{body}");
        (part(&body, "ct-log nobody")["ready"] == false).then_some(body)
    });
    assert_eq!(part(&body, "ct-log log.example.com/2026")["ready"], true);
    // It is served like any embedded log.
    wait_until("the checkpoint", || {
        let checkpoint = get(&server.url("/ct-log/checkpoint")).text();
        checkpoint
            .starts_with("log.example.com/2026\n6\n")
            .then_some(())
    });
    assert!(server.terminate().status.success());
}

#[test]
fn a_single_log_that_is_away_opens_its_breaker_too() {
    let scene = Scene::new();
    let mut flags = scene.ca.flags();
    flags.extend([
        format!("--config-path={}", scene.ca.path("config.yaml")),
        format!("--ct-log-url=http://{NOBODY}/test"),
        "--ct-log-timeout=300ms".to_owned(),
    ]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let server = Server::start(&flags);
    assert_eq!(readiness(&server).0, 200);
    for _ in 0..5 {
        let (retry_after, _) = scene.is_put_off(&server);
        assert_eq!(retry_after, 5);
    }
    // It has been 5 seconds at most, or the log has been probed, and is still away.
    let (retry_after, _) = scene.is_put_off(&server);
    assert!((1..=10).contains(&retry_after), "{retry_after}");
    let (status, body) = readiness(&server);
    assert_eq!((status, &body["ready"]), (503, &json!(false)));
    assert_eq!(part(&body, "ct-log")["ready"], false);
    let labels = format!("log=\"http://{NOBODY}/test\"");
    counted(&server, &format!("fulcio_log_breaker_open{{{labels}}} 1"));
    counted(
        &server,
        &format!("fulcio_log_answers_total{{{labels},outcome=\"breaker-open\"}} 1"),
    );
    counted(&server, "fulcio_precertificates_unused_total 6");
}

#[test]
fn a_log_that_is_silent_holds_the_start_up_for_a_few_seconds_only() {
    let scene = Scene::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _silent = thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            open.push(stream);
        }
    });
    let mut flags = scene.ca.flags();
    flags.extend([
        format!("--config-path={}", scene.ca.path("config.yaml")),
        format!("--ct-log-url=http://{address}/test"),
        "--ct-log-timeout=60s".to_owned(),
    ]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let begun = Instant::now();
    let server = Server::start(&flags);
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    server.says("the log does not answer; it is used");
}

#[test]
fn says_what_is_wrong_with_a_file_of_logs() {
    let scene = Scene::new();
    let key = "public-key-path = \"a.pub\"\n";
    let log = format!("[[logs]]\nurl = \"http://{NOBODY}/test\"\n{key}");
    let other = log.replace("/test", "/other");
    let own = "[[logs]]\nurl = \"embedded:log\"\n";
    for (text, more, parts) in [
        (String::new(), None, ["missing field `logs`", "line 1"]),
        (
            "logs = []\n".to_owned(),
            None,
            ["there is no log", "--ct-logs-path"],
        ),
        (
            format!("rule = \"some\"\n{log}"),
            None,
            ["rule is \"some\"", "line 1"],
        ),
        (
            format!("rule = \"any 0\"\n{log}"),
            None,
            ["rule is \"any 0\"", "any 2"],
        ),
        (
            format!("rule = \"any 2\"\n{log}"),
            None,
            ["promises of 2 logs are wanted", "there are 1"],
        ),
        (format!("{log}{log}"), None, ["is there twice", NOBODY]),
        (format!("{log}{other}"), None, ["is there twice", "/other"]),
        (
            log.replace(key, ""),
            None,
            ["needs public-key-path", NOBODY],
        ),
        (
            log.replace("a.pub", "absent.pub"),
            None,
            ["absent.pub cannot be read", "check the path"],
        ),
        (
            log.replace("a.pub", "root.pem"),
            None,
            ["root.pem", "BEGIN PUBLIC KEY"],
        ),
        (
            log.replace("http:", "ftp:"),
            None,
            ["ftp://", "must be http:// or https://"],
        ),
        (
            format!("{log}ulr = 1\n"),
            None,
            ["unknown field `ulr`", "line 4"],
        ),
        (
            format!("{log}timeout = \"5\"\n"),
            None,
            ["timeout \"5\"", "unit"],
        ),
        (
            format!("{own}{key}"),
            None,
            ["embedded:log has no public-key-path", "remove it"],
        ),
        (own.to_owned(), None, ["origin is missing", "embedded:"]),
        (
            log.clone(),
            Some("--ct-log-url=http://127.0.0.1:1/x"),
            ["--ct-log-url is for a single log", "--ct-logs-path"],
        ),
        (
            log.clone(),
            Some("--ct-log-origin=log.example.com"),
            ["--ct-log-origin is for a single log", "--ct-logs-path"],
        ),
        (
            log.clone(),
            Some("--ct-scts-embedded=2"),
            ["--ct-scts-embedded 2", "promises of 1 only"],
        ),
    ] {
        let flags = scene.flags(&text);
        let mut all = vec!["serve", "--port=0", "--grpc-port=0", "--metrics-port=0"];
        all.extend(flags.iter().map(String::as_str).chain(more));
        let ended = run(&all);
        assert!(!ended.status.success(), "{text}");
        let said = ended.stderr.lines().last().unwrap();
        assert!(said.starts_with("fulcio-server: "), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {said}\n{text}");
        }
    }
}

#[test]
fn reads_the_same_file_in_each_of_its_formats() {
    let scene = Scene::new();
    for (name, text) in [
        (
            "logs.json",
            format!(
                r#"{{"rule": "any 1", "logs": [
                    {{"url": "http://{NOBODY}/test", "public-key-path": "a.pub"}},
                    {{"url": "embedded:json", "origin": "json.example.com", "name": "own"}}]}}"#
            ),
        ),
        (
            "logs.yml",
            format!(
                "rule: any 1\nlogs:\n- url: http://{NOBODY}/test\n  public-key-path: a.pub\n\
                 - url: embedded:yaml\n  origin: yaml.example.com\n  name: own\n"
            ),
        ),
    ] {
        let path = scene.ca.write(name, &text);
        let server = scene.serve("", &[&format!("--ct-logs-path={path}")]);
        assert_eq!(scene.issues(&server), 1);
        let (_, body) = readiness(&server);
        assert_eq!(part(&body, "ct-log own")["ready"], true);
        part(&body, &format!("ct-log http://{NOBODY}/test"));
    }
    let path = scene.ca.write("logs.ini", "");
    let flag = format!("--ct-logs-path={path}");
    let flags = scene.flags("");
    let mut all = vec!["serve", "--port=0"];
    all.extend(flags.iter().map(String::as_str).chain([flag.as_str()]));
    let said = run(&all).stderr;
    assert!(said.contains("json, toml, yaml, yml"), "{said}");
}
