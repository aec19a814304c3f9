use super::{
    row::{Row, Scene},
    stage::Stage,
};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("the host of the provider does not resolve", provider),
    Scene::new("the host of the log does not resolve", log),
    Scene::new("`--host` does not resolve", listener),
];

fn provider() -> Row {
    let stage = Stage::set();
    let issuer = "http://issuer.invalid";
    let config = stage.idp.config()
        + &format!(
            "  {issuer}:\n    issuer-url: {issuer}\n    client-id: sigstore\n    type: email\n"
        );
    stage.ca.write("config.yaml", &config);
    let server = stage.serve(&["--ct-log-url="]);
    let draft = stage.idp.draft("ada@example.com").claim("iss", issuer);
    let client = server.ask_with(draft.mint()).within(20);
    let operator = format!(
        "{}; {}",
        server.becomes(200, "its keys could not be fetched"),
        server.counted(&["fulcio_token_failures_total{"])
    );
    server.issues();
    Row {
        client,
        operator,
        lost: "nothing: another provider's users get their certificates".to_owned(),
    }
}

fn log() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&[
        "--ct-log-url=http://log.invalid/test",
        "--ct-log-timeout=1s",
    ]);
    let client = server.ask().within(10);
    let operator = server.counted(&["fulcio_refusals_total{", "fulcio_log_submissions_total{"]);
    server.issued_nothing();
    Row {
        client,
        operator: format!(
            "{}; {operator}",
            server.said("certificate refused", &["reason"])
        ),
        lost: "nothing: no certificate left".to_owned(),
    }
}

fn listener() -> Row {
    let stage = Stage::set();
    let flags = stage.flags(&["--ct-log-url=", "--host=here.invalid", "--port=0"]);
    let mut all = vec!["serve", "--grpc-port=0", "--metrics-port=0"];
    all.extend(flags.iter().map(String::as_str));
    let ended = crate::common::run(&all);
    let said = ended.stderr.lines().last().unwrap();
    let (said, _what_the_system_says) = said.split_once(": failed to lookup").unwrap_or((said, ""));
    Row {
        client: "nobody listens".to_owned(),
        operator: format!("exit code {}; `{said}`", ended.status.code().unwrap()),
        lost: "nothing".to_owned(),
    }
}
