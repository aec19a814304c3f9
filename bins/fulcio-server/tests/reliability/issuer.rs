use super::{
    row::{Row, Scene},
    stage::{Stage, Watched},
};
use crate::common::{IdpFault, IdpServer, NOBODY, unix_now};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("the provider is down when its first token comes", down),
    Scene::new(
        "the provider goes down later, its keys are known",
        down_later,
    ),
    Scene::new("the provider takes connections and says nothing", silent),
    Scene::new("the provider answers 500", internal),
    Scene::new("the provider answers 200 with garbage", garbage),
    Scene::new("the provider signs with a new key", rotated),
    Scene::new("tokens that nobody signed", forged),
];

const METRICS: [&str; 2] = [
    "fulcio_token_failures_total{",
    "fulcio_key_set_fetches_total{",
];

/// What becomes of the tokens of a provider that gives no keys, and of those of another one.
fn without_keys(other: &IdpServer, issuer: &str, seconds: u64) -> Row {
    let stage = Stage::set();
    let config = stage.idp.config()
        + &format!(
            "  {issuer}:\n    issuer-url: {issuer}\n    client-id: sigstore\n    type: email\n"
        );
    stage.ca.write("config.yaml", &config);
    let server = stage.serve(&["--ct-log-url="]);
    let token = other.draft("ada@example.com").claim("iss", issuer).mint();
    let client = server.ask_with(token).within(seconds);
    let operator = format!(
        "{}; {}; {}",
        server.becomes(200, "its keys could not be fetched"),
        server.refusal(),
        server.counted(&METRICS)
    );
    server.issued_nothing();
    server.issues();
    Row {
        client,
        operator,
        lost: "nothing: no certificate left; another provider's users get theirs".to_owned(),
    }
}

fn down() -> Row {
    without_keys(&IdpServer::start(), &format!("http://{NOBODY}"), 5)
}

fn with_fault(fault: IdpFault, seconds: u64) -> Row {
    let other = IdpServer::start();
    other.fails(Some(fault));
    without_keys(&other, other.issuer(), seconds)
}

fn silent() -> Row {
    with_fault(IdpFault::Silent, 20)
}

fn internal() -> Row {
    with_fault(IdpFault::InternalError, 5)
}

fn garbage() -> Row {
    with_fault(IdpFault::Garbage, 5)
}

fn down_later() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    server.issues();
    stage.idp.fails(Some(IdpFault::Silent));
    let client = server.ask().within(5);
    Row {
        client,
        operator: format!("{}; {}", server.becomes(200, ""), fetches(&server)),
        lost: "nothing: the keys that were fetched are kept".to_owned(),
    }
}

fn fetches(server: &Watched<'_>) -> String {
    server.counted(&["fulcio_key_set_fetches_total{"])
}

fn rotated() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    server.issues();
    let new = stage.idp.rotate();
    let draft = stage.idp.draft("ada@example.com").signed_by(&new);
    let draft = draft.parameter("alg", "ES256").parameter("kid", "ec2");
    let client = server.ask_with(draft.mint()).within(5);
    let old = server.ask().within(5);
    Row {
        client: format!("{client} with a token of the new key; {old} with one of the old key"),
        operator: format!("{}; {}", fetches(&server), server.refusal()),
        lost: "nothing".to_owned(),
    }
}

fn forged() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    server.issues();
    let (before, begun) = (stage.idp.requests(), unix_now());
    let stranger = IdpServer::start();
    let issuer = stage.idp.issuer();
    let token = stranger
        .draft("ada@example.com")
        .claim("iss", issuer)
        .mint();
    let client = server.ask_with(token.clone()).within(5);
    for _ in 0..50 {
        assert_eq!(server.ask_with(token.clone()).answer.status, 400);
    }
    let windows = 1 + usize::try_from(unix_now() - begun).unwrap() / 10;
    assert!(stage.idp.requests() - before <= windows);
    server.issues();
    Row {
        client,
        operator: format!(
            "{}; the provider is asked at most once in 10 s",
            server.refusal()
        ),
        lost: "nothing: after 51 of them its users get their certificates".to_owned(),
    }
}
