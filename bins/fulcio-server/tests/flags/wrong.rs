use super::program::Program;

#[track_caller]
fn refused(name: &str, text: &str, parts: &[&str]) {
    let mut parts = parts.to_vec();
    parts.push(name);
    Program::new().settings(name, text).ends(2, &parts);
}

#[test]
fn says_what_is_wrong_with_a_settings_file() {
    let absent = Program::new();
    let path = absent.path("absent.yaml");
    absent
        .with(&["--config", &path])
        .ends(1, &["--config", &path, "cannot be read", "No such file"]);
    for name in ["settings", "settings.txt", "settings.YAML"] {
        refused(
            name,
            "",
            &["--config", "extension", "json, toml, yaml, yml"],
        );
    }
    refused("a.json", "{\n\"port\": x}", &["a.json:2: this is not JSON"]);
    refused("a.toml", "\nport = = 1", &["a.toml:2: this is not TOML"]);
    refused("a.yaml", "a: b\nport: : 1", &["a.yaml:2: this is not YAML"]);
    refused(
        "a.yaml",
        "port: 1\nport: 2",
        &["this is not YAML", "duplicate", "port"],
    );
    refused("a.hcl", "\nport = = 1", &["a.hcl:2: this is not HCL"]);
    refused(
        "a.env",
        "LOG_TYPE=dev\nport",
        &["a.env:2: lines of NAME=value"],
    );
    refused("a.ini", "port\n", &["port has no value"]);
    refused(
        "a.properties",
        "port=\\uZZZZ",
        &["a.properties:1: lines of name=value"],
    );
    for (name, text) in [("a.json", "[1]"), ("a.yaml", "- port"), ("a.yml", "port")] {
        refused(name, text, &["names of flags", "are expected"]);
    }
    refused("a.yaml", "1: 2\n", &["1 is not the name of a flag"]);
}

#[test]
fn says_where_a_setting_is_wrong() {
    refused(
        "a.yaml",
        "\nprot: 1\n",
        &["a.yaml:2: prot", "did you mean `port`?"],
    );
    refused(
        "a.json",
        "{\n\"Kms_Resouce\": \"x\"}",
        &["a.json:2: Kms_Resouce"],
    );
    refused(
        "a.yaml",
        "colour: red\n",
        &["a.yaml:1: colour", "of `serve`; remove it"],
    );
    refused(
        "a.yaml",
        "port: 99999\n",
        &["a.yaml:1: port: invalid value '99999'", "65535"],
    );
    refused(
        "a.toml",
        "log_type = \"pord\"\n",
        &["a.toml:1: log_type: invalid value 'pord'", "prod"],
    );
    refused("a.yaml", "port: [1, 2]\n", &["a.yaml:1: port is a list"]);
    refused("a.yaml", "client-signing-algorithms: []\n", &["empty list"]);
    refused(
        "a.yaml",
        "port: 1\nPORT: 2\n",
        &["there twice, in two spellings"],
    );
    refused(
        "a.yaml",
        "ct-log-origin: [[a]]\n",
        &["ct-log-origin must be a text"],
    );
    let program = Program::new().with(&["--port=0"]);
    program
        .variable("FULCIO_SERVE_GRPC_REFLECTION", "perhaps")
        .ends(
            2,
            &[
                "FULCIO_SERVE_GRPC_REFLECTION: ",
                "'perhaps'",
                "true or false",
            ],
        );
}

#[test]
fn repeats_no_password() {
    let secret = "correct-horse";
    let conflict = Program::new()
        .with(&["--port=0", "--fileca-key-passwd-file=/nowhere"])
        .variable("FULCIO_SERVE_FILECA_KEY_PASSWD", secret);
    let parts = ["FULCIO_SERVE_FILECA_KEY_PASSWD: ", "cannot be used with"];
    conflict.ends(2, &parts);
    let mut outputs = vec![conflict.run()];
    for (name, text) in [
        ("a.yaml", "fileca-key-passwd: [correct-horse]"),
        ("a.yaml", "fileca-key-passwd: correct-horse: x"),
        ("a.yaml", "fileca-key-passwd: \"correct-horse"),
        ("a.json", "{\"fileca-key-passwd\": \"correct-horse\", }"),
        ("a.json", "{\"fileca-key-passwd\": correct-horse }"),
        ("a.toml", "fileca-key-passwd = correct-horse"),
        ("a.toml", "fileca-key-passwd = \"correct-horse"),
        ("a.hcl", "fileca-key-passwd = \"correct-horse"),
        ("a.env", "FILECA_KEY_PASSWD='correct-horse"),
        ("a.env", "correct-horse"),
        ("a.properties", "fileca-key-passwd=correct-horse\\uZZZZ"),
        ("a.ini", "=correct-horse"),
    ] {
        let output = Program::new()
            .with(&["--port=0"])
            .settings(name, text)
            .run();
        let code = output.status.map(|status| status.code());
        assert_eq!(code, Some(Some(2)), "{text}: {output:?}");
        outputs.push(output);
    }
    for output in outputs {
        let printed = output.stdout + &output.stderr;
        assert!(!printed.contains("horse"), "{printed}");
    }
}

#[test]
fn asks_for_the_flags_of_each_authority_and_says_which_there_are() {
    for (ca, needed) in [
        (
            "fileca",
            &["fileca-cert", "fileca-key", "fileca-key-passwd"][..],
        ),
        ("kmsca", &["kms-resource", "kms-cert-chain-path"]),
        (
            "tinkca",
            &[
                "tink-kms-resource",
                "tink-cert-chain-path",
                "tink-keyset-path",
            ],
        ),
        ("googleca", &["gcp_private_ca_parent"]),
    ] {
        let mut program = Program::bare().with(&["--ct-log-url=", &format!("--ca={ca}")]);
        for flag in needed {
            let missing = format!("--{flag}");
            program.ends(2, &[&missing, "must be set when using --ca", ca]);
            program = program.with(&[&format!("--{flag}=/nowhere")]);
        }
        match ca {
            "fileca" => program.ends(1, &["--fileca-key", "/nowhere", "cannot be read"]),
            "kmsca" => program.ends(
                2,
                &[
                    "--kms-resource /nowhere",
                    "awskms:///KEY",
                    "azurekms://",
                    "gcpkms://projects/",
                    "hashivault://KEY",
                    "openbao://KEY",
                ],
            ),
            "tinkca" => program.ends(
                2,
                &[
                    "--tink-kms-resource /nowhere and --tink-keyset-path /nowhere",
                    "aws-kms://ARN",
                    "gcp-kms://projects/",
                    "hcvault://HOST",
                ],
            ),
            _ => program.ends(
                2,
                &[
                    "--gcp_private_ca_parent",
                    "\"/nowhere\"",
                    "projects/PROJECT/locations/LOCATION/caPools/POOL",
                ],
            ),
        }
    }
}

#[test]
fn keeps_the_times_of_google_within_reason() {
    for (flag, most) in [("--gcp-kms-timeout", 3600), ("--gcp-kms-retries", 100)] {
        let output = Program::new()
            .with(&[&format!("{flag}={}", most + 1)])
            .run();
        assert_eq!(output.status.and_then(|status| status.code()), Some(2));
        assert!(output.stderr.contains(flag), "{}", output.stderr);
        assert!(
            output.stderr.contains(&most.to_string()),
            "{}",
            output.stderr
        );
    }
}
