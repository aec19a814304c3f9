use serde_json::Value;

use super::{super::common::NOBODY, program::Program};

#[test]
fn production_logs_have_the_shape_of_zap() {
    let output = Program::new().with(&["--port=0", "--log_type=prod"]).run();
    assert_eq!(output.stdout, "");
    let lines: Vec<Value> = output
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for line in &lines {
        let caller = line["caller"].as_str().unwrap();
        assert!(caller.starts_with("fulcio_server"), "{line}");
        assert!(caller.contains(".rs:"), "{line}");
        assert!(line["ts"].as_f64().unwrap() > 1.7e9, "{line}");
        assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
    }
    let severities: Vec<_> = lines.iter().map(|line| &line["severity"]).collect();
    assert_eq!(severities, ["warn", "info", "info", "info"]);
    assert_eq!(lines[1]["message"], "listening");
    assert!(
        lines[1]["address"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
}

#[test]
fn development_logs_are_plain_text_on_standard_output() {
    let output = Program::new().with(&["--port=0"]).run();
    assert_eq!(output.stderr, "");
    assert!(output.stdout.contains(" INFO "), "{output:?}");
    assert!(!output.stdout.contains('\u{1b}'), "{output:?}");
    assert!(!output.stdout.contains("DEBUG"), "{output:?}");
}

#[test]
fn tells_of_settings_that_do_nothing() {
    let program = Program::new()
        .with(&["--port=0", "--legacy-unix-domain-socket=@elsewhere"])
        .settings("a.yaml", "gcp_private_ca_version: v1\nconfig: b.yaml\n")
        .variable("FULCIO_SERVE_PROT", "1")
        .variable("FULCIO_SERVE_GCP_PRIVATE_CA_VERSION", "v1");
    let stdout = program.run().stdout;
    for part in [
        "a.yaml:1: gcp_private_ca_version is deprecated",
        "a.yaml:2: config does nothing",
        "FULCIO_SERVE_GCP_PRIVATE_CA_VERSION is deprecated",
        "do nothing: FULCIO_SERVE_PROT",
        "nothing listens on the legacy Unix domain socket",
        "@elsewhere",
    ] {
        assert_eq!(stdout.matches(part).count(), 1, "{part}: {stdout}");
    }
}

#[test]
fn warns_of_a_log_that_may_take_longer_than_a_request() {
    let warnings = |timeout: &str| {
        let url = format!("--ct-log-url=http://{NOBODY}/log");
        let timeout = format!("--ct-log-timeout={timeout}");
        let stdout = Program::new()
            .with(&["--port=0", &url, &timeout])
            .run()
            .stdout;
        assert!(stdout.contains("listening"), "{stdout}");
        stdout
            .matches("may take longer than the request, which ends after 12s")
            .count()
    };
    let found = std::thread::scope(|scope| {
        let runs = ["12s", "13s"].map(|timeout| scope.spawn(move || warnings(timeout)));
        runs.map(|run| run.join().unwrap())
    });
    assert_eq!(found, [0, 1]);
}
