use super::{
    super::common::{CaFiles, free_port},
    program::Program,
};

/// The same settings in every format: a number, a switch, a duration, a list, a key below another.
/// `PORT` is replaced; the path of the log's key does not exist, and shows that it was read.
const FORMATS: [(&[&str], &str); 7] = [
    (
        &["json"],
        r#"{"port": PORT, "fileca-watch": false, "idle-connection-timeout": "1m30s",
            "client-signing-algorithms": ["ed25519", "ecdsa-sha2-256-nistp256"],
            "ct-log": {"tls-ca-cert": "CA"}, "ct-log-url": "URL"}"#,
    ),
    (
        &["toml"],
        "port = PORT\nfileca-watch = false\nidle-connection-timeout = \"1m30s\"\n\
         client-signing-algorithms = [\"ed25519\", \"ecdsa-sha2-256-nistp256\"]\n\
         ct-log-url = \"URL\"\n[ct-log]\ntls-ca-cert = \"CA\"\n",
    ),
    (
        &["yaml", "yml"],
        "# settings\nPort: PORT\nfileca-watch: false\nidle-connection-timeout: 90000000000\n\
         client-signing-algorithms:\n- ed25519\n- ecdsa-sha2-256-nistp256\n\
         ct-log-url: URL\nct-log:\n  tls-ca-cert: CA\nfileca-cert: null\n",
    ),
    (
        &["properties", "props", "prop"],
        "# settings\nport=PORT\nfileca-watch: false\nidle-connection-timeout = 1m30s\n\
         client-signing-algorithms=ed25519,ecdsa-sha2-256-nistp256\n\
         ct-log-url=URL\nct-log.tls-ca-cert=CA\n",
    ),
    (
        &["hcl", "tfvars"],
        "# settings\nport = PORT\nfileca-watch = false\nidle-connection-timeout = \"1m30s\"\n\
         client-signing-algorithms = [\"ed25519\", \"ecdsa-sha2-256-nistp256\"]\n\
         ct-log-url = \"URL\"\nct-log {\n  tls-ca-cert = \"CA\"\n}\n",
    ),
    (
        &["dotenv", "env"],
        "# settings\nexport PORT=PORT\nFILECA_WATCH=false\nIDLE_CONNECTION_TIMEOUT='1m30s'\n\
         CLIENT_SIGNING_ALGORITHMS=\"ed25519 ecdsa-sha2-256-nistp256\"\n\
         CT_LOG_URL=\"URL\"\nCT_LOG.TLS_CA_CERT=CA\n",
    ),
    (
        &["ini"],
        "; settings\nport = PORT\nfileca-watch = false\nidle-connection-timeout = 1m30s\n\
         client-signing-algorithms = ed25519,ecdsa-sha2-256-nistp256\n\
         ct-log-url = URL\n[ct-log]\ntls-ca-cert = CA\n",
    ),
];

/// The name of the variable is a value in one format, so only what follows is replaced.
fn filled(text: &str, port: u16, url: &str, ca: &str) -> String {
    text.replace("\"CA\"", &format!("\"{ca}\""))
        .replace("=CA", &format!("={ca}"))
        .replace(" CA", &format!(" {ca}"))
        .replace("URL\"", &format!("{url}\""))
        .replace("=URL\n", &format!("={url}\n"))
        .replace(" URL\n", &format!(" {url}\n"))
        .replace(" PORT\n", &format!(" {port}\n"))
        .replace(" PORT,", &format!(" {port},"))
        .replace("=PORT", &format!("={port}"))
}

/// `serve` without a flag for the log, which the settings file names.
fn program() -> Program {
    Program::bare().with(&[
        "--ca=ephemeralca",
        "--host=127.0.0.1",
        "--grpc-host=127.0.0.2",
        "--grpc-port=0",
        "--metrics-port=0",
    ])
}

#[test]
fn reads_every_format() {
    let files = CaFiles::create();
    let ca = files.path("root.pem");
    for (extensions, text) in FORMATS {
        for extension in extensions {
            let (name, port) = (format!("settings.{extension}"), free_port());
            let good = filled(text, port, "http://127.0.0.1:1/", &ca);
            assert_eq!(program().settings(&name, &good).http_port(), port, "{name}");
            if *extension != extensions[0] {
                continue;
            }

            let absent = filled(text, port, "http://127.0.0.1:1/", "/nowhere/ca.pem");
            program().settings(&name, &absent).ends(
                1,
                &[&name, "--ct-log.tls-ca-cert /nowhere/ca.pem cannot be read"],
            );
            let bad = filled(text, port, "http://127.0.0.1:1/", &ca)
                .replace("ecdsa-sha2-256-nistp256", "nope");
            program()
                .settings(&name, &bad)
                .ends(2, &[&name, "client", "\"nope\"", "ecdsa-sha2-256-nistp256"]);
            let bad = filled(text, port, "http://127.0.0.1:1/", &ca).replace("false", "maybe");
            let quoted = bad.replace(": maybe,", ": \"maybe\",");
            let quoted = match *extension {
                "toml" | "hcl" | "tfvars" => quoted.replace("= maybe", "= \"maybe\""),
                _ => quoted,
            };
            program()
                .settings(&name, &quoted)
                .ends(2, &[&name, "watch", "'maybe'", "true or false"]);
        }
    }
}

#[test]
fn an_anchor_of_yaml_is_followed() {
    let port = free_port();
    let text = format!("fileca-watch: &no false\ngrpc-reflection: *no\nport: {port}\n");
    assert_eq!(Program::new().settings("a.yaml", &text).http_port(), port);
}

#[test]
fn an_empty_file_changes_nothing() {
    for name in [
        "a.yaml",
        "a.toml",
        "a.env",
        "a.ini",
        "a.properties",
        "a.hcl",
    ] {
        let program = Program::new().with(&["--port=0"]).settings(name, "");
        assert_eq!(program.run().status, None, "{name}");
    }
}

#[test]
fn a_value_keeps_what_begins_a_comment_elsewhere() {
    for (name, text) in [
        ("a.ini", "ct-log-url = http://127.0.0.1:1/#x;y\n"),
        ("a.properties", "ct-log-url=http://127.0.0.1:1/#x;y\n"),
        ("a.env", "CT_LOG_URL='http://127.0.0.1:1/#x;y'\n"),
    ] {
        program()
            .settings(name, text)
            .ends(2, &[name, "'http://127.0.0.1:1/#x;y'"]);
    }
}
