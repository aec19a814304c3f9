//! The audit log of a running server: what is in it, what kills leave, and a disk that is full.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    CaFiles, IdpServer, Server, get, limit_files, post_json, request, run, signing_request,
    wait_until,
};
use fulcio_audit_log::{Digest, Expectation, Verification, files_of, verify};
use fulcio_client::{Client, ClientKey};
use serde_json::Value;

struct Stage {
    ca: CaFiles,
    idp: IdpServer,
}

impl Stage {
    fn new() -> Self {
        Self {
            ca: CaFiles::create(),
            idp: IdpServer::start(),
        }
    }

    /// Flags for a server with an audit log, and these.
    fn flags(&self, more: &[&str]) -> Vec<String> {
        let mut flags = self.ca.flags();
        let config = self.idp.write_config(self.ca.folder());
        flags.push(format!("--config-path={config}"));
        flags.push(format!("--audit-log={}", self.ca.path("audit.jsonl")));
        flags.push("--audit-log-node=ca-1".to_owned());
        flags.extend(more.iter().map(|flag| (*flag).to_owned()));
        flags
    }

    fn log_flags(&self) -> [String; 2] {
        [
            format!("--ct-log-url=embedded:{}", self.ca.path("log")),
            "--ct-log-origin=log.example.com".to_owned(),
        ]
    }

    fn start(&self, more: &[&str]) -> Server {
        let flags = self.flags(more);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        Server::start(&flags)
    }

    fn files(&self) -> Vec<PathBuf> {
        files_of(&self.ca.folder().join("audit.jsonl")).unwrap()
    }

    fn text(&self) -> String {
        let files = self.files().into_iter();
        files
            .map(|file| fs::read_to_string(file).unwrap())
            .collect()
    }

    fn lines(&self, kind: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["type"] == kind).collect()
    }

    #[track_caller]
    fn verified(&self) -> Verification {
        let verified = verify(&self.files(), &Expectation::default()).unwrap();
        assert_eq!(verified.findings, []);
        judge(&self.files());
        verified
    }
}

/// The script of docs/audit.md finds nothing.
#[track_caller]
fn judge(files: &[PathBuf]) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, script) = page.split_once("```python\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let judged = Command::new("python3")
        .args(["-c", script])
        .args(files)
        .output();
    let judged = judged.expect("Python is installed");
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
}

#[test]
fn every_decision_of_a_server_is_in_its_audit_log_and_no_token() {
    let stage = Stage::new();
    let [url, origin] = stage.log_flags();
    let server = stage.start(&[&url, &origin, "--audit-log-sync"]);
    let answer = request(&server, &stage.idp);
    let leaf = common::chain(&answer).remove(0);
    let mut forged = signing_request(&stage.idp);
    let token = forged["credentials"]["oidcIdentityToken"].as_str().unwrap();
    let (intact, end) = token.split_at(token.len() - 10);
    let other = if end.starts_with('A') { "B" } else { "A" };
    let token = format!("{intact}{other}{}", &end[1..]);
    forged["credentials"]["oidcIdentityToken"] = token.clone().into();
    let refused = post_json(&server.url("/api/v2/signingCert"), &forged);
    assert_eq!(refused.status, 400);

    // Before the server ends: an answer means that the line is there.
    let [issued] = &stage.lines("issued")[..] else {
        panic!("{}", stage.text());
    };
    assert_eq!(issued["identity"]["value"], "ada@example.com");
    assert_eq!(issued["issuer"], stage.idp.issuer());
    assert_eq!(issued["issuerKind"], "email");
    assert_eq!(issued["api"], "http-v2");
    assert!(issued["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    stage.ca.write("leaf.pem", &leaf);
    stage
        .ca
        .openssl("x509 -in leaf.pem -outform DER -out leaf.der");
    let der = fs::read(stage.ca.folder().join("leaf.der")).unwrap();
    assert_eq!(issued["certificate"], Digest::of(&der).to_string());
    let serial = stage.ca.openssl("x509 -in leaf.pem -noout -serial");
    let serial = serial.trim().trim_start_matches("serial=").to_lowercase();
    assert_eq!(issued["serial"], serial);
    stage
        .ca
        .openssl("x509 -in leaf.pem -noout -pubkey -out leaf.pub");
    stage
        .ca
        .openssl("pkey -pubin -in leaf.pub -outform DER -out leaf.spki");
    let spki = fs::read(stage.ca.folder().join("leaf.spki")).unwrap();
    assert_eq!(issued["key"]["sha256"], Digest::of(&spki).to_string());
    stage
        .ca
        .openssl("x509 -in intermediate.pem -noout -pubkey -out ca.pub");
    stage
        .ca
        .openssl("pkey -pubin -in ca.pub -outform DER -out ca.spki");
    let spki = fs::read(stage.ca.folder().join("ca.spki")).unwrap();
    assert_eq!(
        issued["precertificate"]["issuerKey"],
        Digest::of(&spki).to_string()
    );
    assert_eq!(issued["timestamps"][0]["index"], 0);
    let [line] = &stage.lines("refused")[..] else {
        panic!("{}", stage.text());
    };
    assert_eq!(line["refusal"]["code"], "InvalidArgument");
    assert_eq!(line["refusal"]["reason"], "identity-token");
    assert_eq!(line["issuer"], stage.idp.issuer());
    assert!(!stage.text().contains(&token));

    let ready = get(&server.url("/readyz"));
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert!(ready.text().contains("audit-log"), "{}", ready.text());
    let metrics = server.metrics();
    for line in [
        "fulcio_audit_records_total{outcome=\"issued\"} 1",
        "fulcio_audit_records_total{outcome=\"refused\"} 1",
        "fulcio_audit_writable 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let finished = server.terminate();
    assert!(finished.success(), "{finished:?}");
    let verified = stage.verified();
    assert_eq!(verified.node.as_deref(), Some("ca-1"));
    assert!(verified.is_stopped);
}

/// How often the server is killed.
#[expect(clippy::disallowed_methods, reason = "the test command asks for more")]
fn kills() -> usize {
    if env::var_os("FULCIO_TEST_FULL").is_some() {
        50
    } else {
        4
    }
}

#[test]
fn every_certificate_that_was_given_out_is_in_the_audit_log_after_kills_under_load() {
    let stage = Stage::new();
    let given = Mutex::new(Vec::new());
    let [url, origin] = stage.log_flags();
    for round in 0..kills() {
        let server = stage.start(&[
            &url,
            &origin,
            "--audit-log-sync",
            "--audit-log-max-size=20000",
        ]);
        let dying = AtomicBool::new(false);
        let wanted = given.lock().unwrap().len() + 10 + 7 * round;
        thread::scope(|scope| {
            for number in 0..6 {
                let (url, dying, given, stage) = (server.url(""), &dying, &given, &stage);
                scope.spawn(move || {
                    let client = Client::new(&url, &[], Duration::from_secs(20));
                    let token = stage.idp.token(&format!("user{number}@example.com"));
                    loop {
                        let key = ClientKey::generate().unwrap();
                        match client.certificate(&token, &key) {
                            Ok(chain) => given.lock().unwrap().push(Digest::of(&chain[0])),
                            Err(_) if dying.load(Ordering::SeqCst) => return,
                            Err(error) => panic!("before the kill: {error}"),
                        }
                    }
                });
            }
            wait_until("certificates", || {
                (given.lock().unwrap().len() >= wanted).then_some(())
            });
            dying.store(true, Ordering::SeqCst);
            let finished = server.kill();
            assert!(finished.status.code().is_none(), "{finished:?}");
        });
    }
    // The last end may be torn; a server that goes on with it mends that.
    let finished = stage.start(&[&url, &origin]).terminate();
    assert!(finished.success(), "{finished:?}");
    let verified = stage.verified();
    let recorded: BTreeSet<String> = stage
        .lines("issued")
        .iter()
        .map(|line| line["certificate"].as_str().unwrap().to_owned())
        .collect();
    let given = given.into_inner().unwrap();
    for certificate in &given {
        assert!(
            recorded.contains(&certificate.to_string()),
            "{certificate} has no line"
        );
    }
    let files = stage.files().len();
    assert!(files > 2, "{files} files");
    eprintln!(
        "{} kills: {} certificates given out, {} recorded, {} lines in {files} files",
        kills(),
        given.len(),
        recorded.len(),
        verified.lines
    );
}

/// A server whose files can be kept from growing.
fn limited(stage: &Stage, more: &[&str]) -> Server {
    let flags = stage.flags(&[&["--ct-log-url="], more].concat());
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    Server::spawn(common::limited(&flags), 3)
}

/// A little more than what the audit log has now.
fn a_little_more(stage: &Stage) -> Option<u64> {
    common::a_little_more(&stage.ca.folder().join("audit.jsonl"))
}

#[test]
fn on_a_full_disk_no_certificate_leaves_and_the_server_recovers() {
    let stage = Stage::new();
    let server = limited(&stage, &["--audit-log-sync"]);
    common::chain(&request(&server, &stage.idp));
    limit_files(&server, a_little_more(&stage));
    for _ in 0..3 {
        let answer = request(&server, &stage.idp);
        assert_eq!(answer.status, 500, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["code"], 13);
        assert_eq!(body["message"], "error writing the audit trail");
    }
    let ready = get(&server.url("/readyz"));
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert!(ready.text().contains("audit-log"), "{}", ready.text());
    let metrics = server.metrics();
    for line in [
        "fulcio_audit_failures_total{outcome=\"issued\",reason=\"disk\"} 3",
        "fulcio_audit_writable 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    server.says("the audit log cannot be written");

    limit_files(&server, None);
    wait_until("the server to be ready again", || {
        (get(&server.url("/readyz")).status == 200).then_some(())
    });
    common::chain(&request(&server, &stage.idp));
    let finished = server.terminate();
    assert!(finished.success(), "{finished:?}");
    let verified = stage.verified();
    assert_eq!(verified.lost, 6);
    assert_eq!(stage.lines("issued").len(), 2);
    assert_eq!(stage.lines("lost").len(), 1);
}

#[test]
fn on_a_full_disk_certificates_leave_where_that_was_asked_for() {
    let stage = Stage::new();
    let server = limited(&stage, &["--audit-fail-open"]);
    limit_files(&server, a_little_more(&stage));
    common::chain(&request(&server, &stage.idp));
    let ready = get(&server.url("/readyz"));
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert!(
        ready.text().contains("the audit log cannot be written"),
        "{}",
        ready.text()
    );
    server.says("an answer leaves without a record in the audit log");
    let metrics = server.metrics();
    let line = "fulcio_audit_failures_total{outcome=\"issued\",reason=\"disk\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    limit_files(&server, None);
    let finished = server.terminate();
    assert!(finished.success(), "{finished:?}");
    let verified = stage.verified();
    assert_eq!(verified.lost, 1);
    assert!(verified.is_stopped);
}

#[test]
fn a_server_does_not_start_on_an_audit_log_that_it_cannot_go_on_with() {
    let stage = Stage::new();
    let start = |more: &[&str]| {
        let mut flags = vec!["serve".to_owned(), "--ct-log-url=".to_owned()];
        flags.extend(stage.flags(more));
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let done = run(&flags);
        assert!(!done.success());
        done.stderr
    };
    let server = stage.start(&["--ct-log-url="]);
    let said = start(&[]);
    assert!(said.contains("is in use by another process"), "{said}");
    assert!(server.terminate().success());

    let flags = stage.flags(&["--ct-log-url="]);
    let other = flags.iter().map(|flag| match flag.as_str() {
        "--audit-log-node=ca-1" => "--audit-log-node=ca-2",
        flag => flag,
    });
    let said = run(&["serve"].into_iter().chain(other).collect::<Vec<_>>()).stderr;
    assert!(
        said.contains("is the audit log of the node \"ca-1\""),
        "{said}"
    );

    fs::write(stage.ca.folder().join("audit.jsonl"), "a diary\n").unwrap();
    let said = start(&[]);
    assert!(said.contains("is no audit log"), "{said}");
}
