use std::{path::Path, time::Duration};

use fulcio_ct_client::{Entry, LogKey};
use fulcio_test_services::{Relay, component};
use fulcio_testkit::log::FakeLog;
use pem_rfc7468::LineEnding;
use tokio::runtime::Runtime;

use super::{
    row::{Row, Scene},
    stage::{Stage, Watched},
    tcp,
};
use crate::common::{CtLog, NOBODY, wait_until};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("the log is down", down),
    Scene::new("the log takes connections and says nothing", silent),
    Scene::with_log("the log takes 500 ms for each answer", slow),
    Scene::new("the log answers 500", internal),
    Scene::new("the log answers 400", bad_request),
    Scene::new("the log answers 503", busy),
    Scene::new("the log answers 200 with garbage", garbage),
    Scene::new("the log's timestamp is signed by another key", another_key),
    Scene::new(
        "the log's timestamp is for another certificate",
        another_certificate,
    ),
    Scene::with_log(
        "the log closes the connection that is kept for the next request",
        vanished,
    ),
    Scene::with_log(
        "the connection that is kept goes dead: no byte comes through any more",
        dead,
    ),
    Scene::new(
        "one log of two is down, and one is enough (`any 1`)",
        one_of_two,
    ),
    Scene::with_log(
        "one log of two is down, and both are wanted (`all`)",
        both_wanted,
    ),
];

const NOTHING_LEFT: &str = "nothing: no certificate left (`fulcio_new_certs 0`), and the precertificate is counted as unused";

/// What a server with this log answers and says, where none of its answers is of use.
fn useless(url: &str, key: Option<&LogKey>, seconds: u64) -> Row {
    let stage = Stage::set();
    let url = format!("--ct-log-url={url}");
    let mut flags = vec![url.as_str(), "--ct-log-timeout=1s"];
    if let Some(key) = key {
        let pem = pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, key.spki()).unwrap();
        stage.ca.write("log.pem", &pem);
        flags.push("--ct-log-public-key-path=@log.pem");
    }
    let server = stage.serve(&flags);
    let client = server.ask().within(seconds);
    let first = format!("{}; {}", server.refusal(), answers(&server));
    for _ in 0..4 {
        assert_ne!(server.ask().answer.status, 200);
    }
    let operator = format!(
        "{first}; after five in a row {}",
        server.becomes(503, "ct-log: ")
    );
    nothing_left(&server);
    Row {
        client,
        operator,
        lost: NOTHING_LEFT.to_owned(),
    }
}

fn nothing_left(server: &Watched<'_>) {
    server.issued_nothing();
    assert!(server.value("fulcio_precertificates_unused_total") > 0);
}

/// What the log has answered, but for the time that it took.
fn answers(server: &Watched<'_>) -> String {
    server.counted(&["fulcio_refusals_total{", "fulcio_log_answers_total{"])
}

/// The same where nothing comes at all, until the log is not asked any more.
fn away(url: &str) -> Row {
    let stage = Stage::set();
    let server = stage.serve(&[&format!("--ct-log-url={url}"), "--ct-log-timeout=500ms"]);
    let client = server.ask().within(5);
    let refusal = server.refusal();
    let line = "the log does not answer, and is not given certificates until it does";
    for _ in 0..4 {
        assert_eq!(server.ask().answer.status, 503);
    }
    let asked = server.ask();
    assert_eq!(asked.answer.status, 503);
    let operator = format!(
        "{refusal}; after five in a row it is not asked any more: {}, {}, {}",
        server.becomes(503, "ct-log: "),
        server.said(line, &["log"]),
        server.counted(&["fulcio_log_breaker_open{"])
    );
    nothing_left(&server);
    Row {
        client: format!("{client} (`--ct-log-timeout=500ms`); from the sixth on without waiting"),
        operator,
        lost: format!(
            "{NOTHING_LEFT}; the log is looked for without requests, and used when it is back"
        ),
    }
}

fn down() -> Row {
    away(&format!("http://{NOBODY}/test"))
}

fn silent() -> Row {
    away(&format!("http://{}/test", tcp::silent()))
}

fn saying(status: &str, body: &str, key: Option<&LogKey>) -> Row {
    let log = tcp::answering(tcp::http(status, body));
    useless(&format!("http://{log}/test"), key, 6)
}

fn internal() -> Row {
    saying("500 Internal Server Error", "oops", None)
}

fn bad_request() -> Row {
    saying("400 Bad Request", "unknown root", None)
}

fn busy() -> Row {
    saying("503 Service Unavailable", "", None)
}

fn garbage() -> Row {
    saying("200 OK", "<html>It works!</html>", None)
}

fn another_key() -> Row {
    promising(&FakeLog::new(), FakeLog::new().key())
}

fn another_certificate() -> Row {
    let log = FakeLog::new();
    promising(&log, log.key())
}

/// A log that promises to publish something else, and the key that it is known by.
fn promising(log: &FakeLog, key: &LogKey) -> Row {
    let promise = log.promise(&Entry::Certificate(b"another")).unwrap();
    saying("200 OK", &promise.to_json(), Some(key))
}

/// Makes the key of a log, and writes down its public half.
fn keys(stage: &Stage, name: &str) {
    let ca = &stage.ca;
    ca.openssl(&format!(
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"
    ));
    ca.openssl(&format!("pkey -in {name}.key -pubout -out {name}.pub"));
}

/// A stage with the log of certificate-transparency-go.
struct RealLog {
    stage: Stage,
    log: CtLog,
}

impl RealLog {
    fn start() -> Self {
        let stage = Stage::set();
        keys(&stage, "ct");
        let program = component("FULCIO_CTLOG").unwrap();
        let log = CtLog::start(Path::new(&program), &stage.ca, "root.pem");
        Self { stage, log }
    }

    fn host(&self) -> String {
        let url = self.log.url();
        let host = url.strip_prefix("http://").unwrap();
        host.strip_suffix("/test").unwrap().to_owned()
    }

    /// A server whose log is at this host.
    fn serve(&self, host: &str, flags: &[&str]) -> Watched<'_> {
        let url = format!("--ct-log-url=http://{host}/test");
        let mut all = vec![url.as_str(), "--ct-log-public-key-path=@ct.pub"];
        all.extend(flags);
        self.stage.serve(&all)
    }

    fn entries(&self) -> u64 {
        let head = crate::common::get(&format!("{}/ct/v1/get-sth", self.log.url())).json();
        head["tree_size"].as_u64().unwrap()
    }

    /// Waits until it has this many.
    fn has(&self, entries: u64) {
        wait_until("the log to have them", || {
            (self.entries() == entries).then_some(())
        });
    }
}

fn slow() -> Row {
    let real = RealLog::start();
    let slow = tcp::delaying(real.host().parse().unwrap(), Duration::from_millis(500));
    let server = real.serve(&slow.to_string(), &[]);
    let client = server.ask().within(10);
    let operator = format!("{}; {}", server.becomes(200, ""), answers(&server));
    real.has(1);
    Row {
        client,
        operator: format!(
            "{operator}; `fulcio_log_answer_seconds` and `fulcio_stage_seconds{{stage=\"log\"}}` grow"
        ),
        lost: "nothing: the log has the certificate".to_owned(),
    }
}

fn vanished() -> Row {
    let real = RealLog::start();
    let runtime = Runtime::new().unwrap();
    let relay = runtime.block_on(Relay::start(&real.host()));
    let server = real.serve(&relay.address, &[]);
    server.issues();
    // What is connected is cut; the log is back before the next request.
    relay.to(None);
    relay.to(Some(&real.host()));
    let client = server.ask().within(5);
    let operator = format!("{}; {}", server.becomes(200, ""), answers(&server));
    real.has(2);
    Row {
        client: format!("{client} over a new connection"),
        operator,
        lost: "nothing: the log has both certificates".to_owned(),
    }
}

fn dead() -> Row {
    let real = RealLog::start();
    let runtime = Runtime::new().unwrap();
    let relay = runtime.block_on(Relay::start(&real.host()));
    let server = real.serve(&relay.address, &["--ct-log-timeout=1s"]);
    server.issues();
    relay.silence();
    let client = server.ask().within(6);
    let refusal = server.refusal();
    relay.to(Some(&real.host()));
    let after = server.ask().within(5);
    let operator = format!("{refusal}; {}", answers(&server));
    assert_eq!(server.value("fulcio_new_certs"), 2);
    // The one that nobody waited for may have come through as well.
    wait_until("the log to have them", || {
        (real.entries() >= 2).then_some(())
    });
    Row {
        client: format!("{client} (`--ct-log-timeout=1s`); the next one {after}"),
        operator,
        lost: "nothing: both certificates that left are in the log".to_owned(),
    }
}

/// Two logs by this rule; the second is our own, or one where nobody listens.
fn logs(stage: &Stage, rule: &str, first: &str, second: &str) {
    stage.ca.write(
        "logs.toml",
        &format!(
            "rule = \"{rule}\"\n[[logs]]\nname = \"first\"\nurl = \"{first}\"\npublic-key-path = \"ct.pub\"\n\
             timeout = \"500ms\"\n[[logs]]\nname = \"second\"\n{second}\n"
        ),
    );
}

fn one_of_two() -> Row {
    let stage = Stage::set();
    keys(&stage, "ct");
    logs(
        &stage,
        "any 1",
        &format!("http://{NOBODY}/test"),
        "url = \"embedded:log\"\norigin = \"log.example.com\"",
    );
    let server = stage.serve(&["--ct-logs-path=@logs.toml"]);
    let client = server.ask().within(5);
    for _ in 0..5 {
        server.issues();
    }
    let operator = format!(
        "{}; {}; {}",
        server.becomes(200, "ct-log first: "),
        server.said("a log failed", &["log"]),
        server.counted(&["fulcio_log_breaker_open{"])
    );
    wait_until("the checkpoint", || {
        let checkpoint = crate::common::get(&server.server.url("/ct-log/checkpoint")).text();
        checkpoint.starts_with("log.example.com\n6\n").then_some(())
    });
    Row {
        client,
        operator,
        lost: "nothing: all six certificates are in the other log".to_owned(),
    }
}

fn both_wanted() -> Row {
    let real = RealLog::start();
    keys(&real.stage, "nobody");
    logs(
        &real.stage,
        "all",
        &real.log.url(),
        &format!(
            "url = \"http://{NOBODY}/test\"\npublic-key-path = \"nobody.pub\"\ntimeout = \"500ms\""
        ),
    );
    let server = real.stage.serve(&["--ct-logs-path=@logs.toml"]);
    let client = server.ask().within(6);
    for _ in 0..5 {
        assert_eq!(server.ask().answer.status, 503);
    }
    let operator = format!(
        "{}; {}",
        server.becomes(503, "ct-log second: "),
        server.counted(&["fulcio_log_breaker_open{"])
    );
    nothing_left(&server);
    Row {
        client,
        operator,
        lost: NOTHING_LEFT.to_owned(),
    }
}
