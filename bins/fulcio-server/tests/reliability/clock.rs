use super::{
    row::{Row, Scene},
    stage::{Asked, Stage, Watched},
};
use crate::common::{run, unix_now};

pub(super) const SCENES: &[Scene] = &[
    Scene::new(
        "the server's clock is ten minutes ahead of the provider's",
        ahead,
    ),
    Scene::new(
        "the server's clock is ten minutes behind the provider's",
        behind,
    ),
    Scene::new("the chain expires while the server runs", expires),
    Scene::new("the chain has expired before the start", expired),
    Scene::new("the chain is not valid yet", not_yet),
];

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Tokens of somebody whose clock differs, one by little and one by ten minutes.
fn tokens(little: impl Fn(&Stage) -> String, much: impl Fn(&Stage) -> String) -> (Asked, Row) {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    let near = server.ask_with(little(&stage));
    let far = server.ask_with(much(&stage));
    let row = Row {
        client: far.within(5),
        operator: format!(
            "{}; {}",
            server.refusal(),
            server.counted(&["fulcio_token_failures_total{"])
        ),
        lost: "nothing".to_owned(),
    };
    (near, row)
}

/// A token that was good for ten minutes, and came so long ago.
fn from(stage: &Stage, ago: i64) -> String {
    let then = unix_now().checked_add_signed(-ago).unwrap();
    let draft = stage.idp.draft("ada@example.com");
    draft
        .claim("iat", then)
        .claim("nbf", then)
        .claim("exp", then + 10 * MINUTE)
        .mint()
}

fn ahead() -> Row {
    // For us, ten minutes are over.
    let (near, row) = tokens(|stage| from(stage, 30), |stage| from(stage, 630));
    Row {
        client: format!(
            "{}; a token of half a minute ago: {}",
            row.client,
            near.within(5)
        ),
        ..row
    }
}

fn behind() -> Row {
    let (near, row) = tokens(|stage| from(stage, -30), |stage| from(stage, -600));
    Row {
        client: format!(
            "{}; a token of half a minute from now: {}",
            row.client,
            near.within(5)
        ),
        ..row
    }
}

fn short_lived(stage: &Stage) -> Vec<String> {
    let mut flags = stage.flags(&["--ct-log-url="]);
    flags.retain(|flag| !flag.starts_with("--fileca-"));
    flags.push("--fileca-key-passwd=any".to_owned());
    flags.push(format!("--fileca-cert={}", stage.ca.path("short.pem")));
    flags.push(format!("--fileca-key={}", stage.ca.path("root.plain.pem")));
    flags
}

fn expires() -> Row {
    let stage = Stage::set();
    stage.ca.short_lived(unix_now() - DAY, unix_now() + 6);
    let flags = short_lived(&stage);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let server = stage.watch(crate::common::Server::start(&flags));
    let warned = severity(&server, "the authority's chain expires at");
    let not_ready = server.becomes(503, "ca-chain");
    let client = server.ask().within(5);
    let operator = format!(
        "{warned} before; {}; {}; {}",
        without_time(&not_ready),
        severity(&server, "the authority's chain expired at"),
        server.counted(&["fulcio_refusals_total{"])
    );
    let issued = server.value("fulcio_new_certs");
    assert_eq!(issued, 0);
    stage
        .ca
        .short_lived(unix_now() - DAY, unix_now() + 40 * DAY);
    server.becomes(200, "");
    server.issues();
    Row {
        client,
        operator,
        lost: "nothing: no certificate left; with a new chain in the file it issues again, without a restart".to_owned(),
    }
}

/// A line that holds a time.
fn severity(server: &Watched<'_>, message: &str) -> String {
    let said = server.said(message, &[]);
    let (severity, _) = said.split_once(':').unwrap();
    format!("{severity}: `{message} …`")
}

/// The text without the time in it.
fn without_time(text: &str) -> String {
    let is_time = |word: &str| word.starts_with("20") && word.contains('-');
    let words = text.split(' ').map(|word| match word.find([';', '`']) {
        Some(end) if is_time(word) => format!("TIME{}", &word[end..]),
        None if is_time(word) => "TIME".to_owned(),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What a server with this chain says when it is started.
fn start(begin: u64, end: u64) -> Row {
    let stage = Stage::set();
    stage.ca.short_lived(begin, end);
    let flags = short_lived(&stage);
    let mut all = vec!["serve", "--port=0", "--grpc-port=0", "--metrics-port=0"];
    all.extend(flags.iter().map(String::as_str));
    let ended = run(&all);
    let said = ended.stderr.lines().last().unwrap();
    let said = without_time(&said.replace(&stage.ca.path(""), "DIR/"));
    Row {
        client: "nobody listens".to_owned(),
        operator: format!("exit code {}; `{said}`", ended.status.code().unwrap()),
        lost: "nothing".to_owned(),
    }
}

fn expired() -> Row {
    start(unix_now() - DAY, unix_now() - 10)
}

fn not_yet() -> Row {
    start(unix_now() + DAY, unix_now() + 2 * DAY)
}
