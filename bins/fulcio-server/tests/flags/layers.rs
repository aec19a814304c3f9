use super::{super::common::free_port, program::Program};

#[test]
fn a_flag_wins_over_its_variable_and_that_over_the_settings_file() {
    let [flag, variable, file] = [free_port(), free_port(), free_port()];
    let with_file = || Program::new().settings("settings.yaml", &format!("port: {file}\n"));
    assert_eq!(with_file().http_port(), file);
    let with_variable = || with_file().variable("FULCIO_SERVE_PORT", &variable.to_string());
    assert_eq!(with_variable().http_port(), variable);
    let with_flag = with_variable().with(&[&format!("--port={flag}")]);
    assert_eq!(with_flag.http_port(), flag);
}

#[test]
fn an_empty_variable_is_not_set() {
    let port = free_port();
    let program = Program::new()
        .settings("settings.yaml", &format!("port: {port}\n"))
        .variable("FULCIO_SERVE_PORT", "");
    assert_eq!(program.http_port(), port);
}

#[test]
fn variables_are_found_in_both_spellings_and_under_aliases() {
    let missing = "/nowhere/log.pem";
    for name in [
        "FULCIO_SERVE_CT_LOG_PUBLIC_KEY_PATH",
        "FULCIO_SERVE_CT-LOG-PUBLIC-KEY-PATH",
        "FULCIO_SERVE_CT_LOG_TLS_CA_CERT",
        "FULCIO_SERVE_CT-LOG.TLS-CA-CERT",
    ] {
        let program = Program::new()
            .with(&["--ct-log-url=http://127.0.0.1:1/", "--port=0"])
            .variable(name, missing);
        program.ends(1, &[&format!("fulcio-server: {name}: --ct-log"), missing]);
    }
    let port = free_port();
    for name in ["FULCIO_SERVE_HTTP_PORT", "FULCIO_SERVE_HTTP-PORT"] {
        let program = Program::new().variable(name, &port.to_string());
        assert_eq!(program.http_port(), port, "{name}");
    }
}

#[test]
fn the_spelling_of_fulcio_wins_over_ours() {
    let port = free_port().to_string();
    let program = Program::new()
        .with(&["--port=0"])
        .variable("FULCIO_SERVE_IDLE_CONNECTION_TIMEOUT", "never")
        .variable("FULCIO_SERVE_IDLE-CONNECTION-TIMEOUT", "1m");
    assert_eq!(program.run().status, None);
    let program = Program::new()
        .variable("FULCIO_SERVE_PORT", &port)
        .variable("FULCIO_SERVE_port", "1")
        .variable("OTHER_PORT", "2");
    assert_eq!(program.http_port().to_string(), port);
}

#[test]
fn the_last_of_a_repeated_flag_counts_and_lists_grow() {
    let port = free_port();
    let program = Program::new().with(&["--http-port=1", &format!("--port={port}")]);
    assert_eq!(program.http_port(), port);
    let lists = [
        "--port=0",
        "--client-signing-algorithms=\"ed25519\",ecdsa-sha2-256-nistp256",
        "--client-signing-algorithms=nope",
    ];
    let output = Program::new().with(&lists).run();
    assert!(output.stderr.contains("\"nope\""), "{output:?}");
}

#[test]
fn what_is_empty_is_as_good_as_not_there() {
    let program = Program::new().with(&[
        "--port=0",
        "--config=",
        "--ct-log-origin=",
        "--ct-log-public-key-path=",
        "--ct-log.tls-ca-cert=",
        "--grpc-tls-certificate=",
        "--grpc-tls-key=",
        "--kms-resource=",
        "--gcp_private_ca_parent=",
        "--legacy-unix-domain-socket=",
    ]);
    assert_eq!(program.run().status, None, "{:?}", program.run());
}

#[test]
fn values_are_written_as_for_go() {
    for value in ["1.5h", "0", "1m30s", "300ms", "10\u{b5}s", "+5s"] {
        let program = Program::new().with(&[
            "--port=0",
            &format!("--read-header-timeout={value}"),
            &format!("--idle-connection-timeout={value}"),
        ]);
        assert_eq!(program.run().status, None, "{value}");
    }
    for switch in [
        "--fileca-watch",
        "--fileca-watch=F",
        "--grpc-reflection=TRUE",
    ] {
        let program = Program::new().with(&["--port=0", switch]);
        assert_eq!(program.run().status, None, "{switch}");
    }
    for host in ["localhost", "[::1]", "::1", "0.0.0.0", "::", ""] {
        let program = Program::new().with(&["--port=0", &format!("--host={host}")]);
        assert_eq!(program.run().status, None, "{host}");
    }
}

#[test]
fn a_number_in_a_variable_is_nanoseconds() {
    let program = Program::new().with(&["--port=0"]);
    let program = program.variable("FULCIO_SERVE_IDLE_CONNECTION_TIMEOUT", "30000000000");
    assert_eq!(program.run().status, None);
    let output = Program::new()
        .with(&["--port=0", "--idle-connection-timeout=30000000000"])
        .run();
    assert_eq!(output.status.unwrap().code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("needs a unit"), "{output:?}");
}
