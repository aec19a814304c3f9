//! Whatever is printed and logged, on whatever level, holds no password, no token and no private key.
//!
//! What every server of every test of this crate prints is looked through when it ends
//! (`common/secrets.rs`); here is that this look finds something, and what is printed when everything is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::Command,
};

use common::{
    CaFiles, IdpServer, Process, Server, finish, free_port, grpc, http, path, post_json, program,
    run, wait_until,
};
use fulcio_api::proto::v2::{CreateSigningCertificateRequest, SigningCertificate};
use fulcio_client::ClientKey;
use serde_json::json;

/// Every line of a PEM file that carries key material.
fn key_lines(pem: &str) -> Vec<String> {
    let lines = pem
        .lines()
        .filter(|line| !line.starts_with("-----") && line.len() > 20);
    let lines: Vec<_> = lines.map(str::to_owned).collect();
    assert!(!lines.is_empty());
    lines
}

#[track_caller]
fn assert_silent(printed: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!secret.is_empty());
        assert!(
            !printed.contains(secret.as_str()),
            "a secret was printed: {secret}"
        );
    }
}

fn secrets_of_quickstart(dir: &Path) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let mut secrets = vec![read("password").trim().to_owned(), "eyJ".to_owned()];
    for key in [
        "ca/intermediate.key.pem",
        "ca/root.key.pem",
        "issued/key.pem",
        "log/key.pem",
    ] {
        secrets.extend(key_lines(&read(key)));
    }
    secrets
}

#[test]
fn quickstart_prints_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let port = format!("--port={}", free_port());
    let data = format!("--data-dir={}", path(&dir));

    let first = run(&["quickstart", "--once", &data, &port]);
    assert!(first.status.success(), "{first:?}");
    assert_silent(
        &(first.stdout + &first.stderr),
        &secrets_of_quickstart(&dir),
    );

    let server = Server::quickstart(&[&data, &port]);
    let secrets = secrets_of_quickstart(&dir);
    let last = server.terminate();
    assert!(last.status.success(), "{last:?}");
    assert_silent(&(last.stdout + &last.stderr), &secrets);
}

#[test]
fn serve_logs_no_secret_even_when_everything_is_traced() {
    let (ca, idp) = (CaFiles::create(), IdpServer::start());
    let port = free_port();
    let mut command = program(&[
        "serve",
        "--host=127.0.0.1",
        "--grpc-host=127.0.0.1",
        "--metrics-port=0",
    ]);
    command
        .arg(format!("--port={port}"))
        .arg(format!("--grpc-port={port}"))
        .args(ca.flags())
        .arg(format!("--config-path={}", idp.write_config(ca.folder())))
        .arg(format!("--ct-log-url=embedded:{}", ca.path("log")))
        .arg("--ct-log-origin=log.example.com")
        .env("RUST_LOG", "trace");
    let process = Process::start(command);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    wait_until("the server to listen", || TcpStream::connect(address).ok());

    let base = format!("http://{address}");
    let good = idp.token("ada@example.com");
    let expired = idp.draft("ada@example.com").claim("exp", 1).mint();
    let key = ClientKey::generate().unwrap();
    let csr = key.certificate_request().unwrap();
    let mut statuses = Vec::new();
    for token in [&good, &expired] {
        let encoded = base64(csr.as_bytes());
        let request = json!({
            "credentials": {"oidcIdentityToken": token},
            "certificateSigningRequest": encoded,
        });
        statuses.push(post_json(&format!("{base}/api/v2/signingCert"), &request).status);
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = json!({"certificateSigningRequest": encoded}).to_string();
        let url = format!("{base}/api/v1/signingCert");
        statuses.push(http("POST", &url, &headers, Some(body.as_bytes())).status);
        let answer: Result<SigningCertificate, _> = grpc(
            address,
            "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate",
            &[("authorization", &bearer)],
            CreateSigningCertificateRequest::default(),
        );
        assert!(answer.is_err());
    }
    assert_eq!(statuses, [200, 201, 400, 400]);
    let id = process.id().to_string();
    let sent = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(sent.unwrap().success());
    let ended = process.finish();
    assert!(ended.success());
    let printed = ended.stdout + &ended.stderr;
    assert!(printed.contains("TRACE"), "nothing was traced");
    assert!(printed.contains("certificate issued"), "{printed}");
    let mut secrets = vec![CaFiles::PASSWORD.to_owned()];
    for token in [&good, &expired] {
        // Each part of a token, and each half of its signature.
        secrets.extend(token.split('.').map(str::to_owned));
        let (_, signature) = token.rsplit_once('.').unwrap();
        secrets.push(signature[..20].to_owned());
    }
    for key in [
        "intermediate.key.pem",
        "intermediate.plain.pem",
        "log/key.pem",
    ] {
        secrets.extend(key_lines(&ca.read(key)));
    }
    secrets.extend(key_lines(&key.to_pem().unwrap()));
    assert_silent(&printed, &secrets);
}

fn base64(bytes: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(bytes)
}

/// What a program prints that does this in a folder with `files`, of which it is told by `arguments`.
fn prints(
    shell: &str,
    files: &[(&str, &str)],
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> bool {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh"]).args(arguments);
    command.current_dir(&folder).envs(variables.iter().copied());
    catch_unwind(AssertUnwindSafe(|| finish(command))).is_ok()
}

#[test]
fn the_look_at_what_every_server_prints_finds_each_kind_of_secret() {
    let idp = IdpServer::start();
    let token = idp.token("ada@example.com");
    let (signed, _signature) = token.rsplit_once('.').unwrap();
    let key = ClientKey::generate().unwrap().to_pem().unwrap();
    let line = &key_lines(&key)[0];
    let files = [
        ("key.pem", key.as_str()),
        ("password", "open sesame\n"),
        (
            "crypto11.conf",
            r#"{"TokenLabel": "fulcio", "Pin": "2324"}"#,
        ),
        ("user.json", r#"{"client_secret": "of-a-cloud"}"#),
    ];
    let say = |text: &str| format!("echo 'before {text} after' >&2");
    let told = |text: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        prints(&say(text), &files, arguments, variables)
    };
    for (secret, arguments, variables) in [
        (token.as_str(), &[][..], &[][..]),
        (signed, &[], &[]),
        ("-----BEGIN EC PRIVATE KEY-----", &[], &[]),
        (line, &["--fileca-key=key.pem"], &[]),
        (line, &["--fileca-key", "key.pem"], &[]),
        ("open sesame", &["--fileca-key-passwd-file=password"], &[]),
        ("open sesame", &["--fileca-key-passwd=open sesame"], &[]),
        ("the PIN 2324", &["--pkcs11-config-path=crypto11.conf"], &[]),
        (r#""2324""#, &["--pkcs11-config-path=crypto11.conf"], &[]),
        (
            "of-a-cloud",
            &[],
            &[("GOOGLE_APPLICATION_CREDENTIALS", "user.json")],
        ),
        ("of-a-vault", &[], &[("VAULT_TOKEN", "of-a-vault")]),
        (
            "of-a-proxy",
            &[],
            &[("HTTPS_PROXY", "http://user:of-a-proxy@127.0.0.1:1")],
        ),
        (line, &["--ct-log-url=embedded:."], &[]),
    ] {
        let catch = told(secret, arguments, variables);
        assert!(!catch, "{secret} {arguments:?} {variables:?}");
    }
    // What is nobody's secret may be said.
    assert!(told("2324", &["--pkcs11-config-path=crypto11.conf"], &[]));
    assert!(told("open sesame", &[], &[]));
    assert!(told("eyJ", &[], &[]));
    // A secret that is written while the program runs.
    let writes = "echo 'wide open' >password; echo 'wide open'";
    assert!(!prints(
        writes,
        &[],
        &["--password-file=password", "./"],
        &[]
    ));
}

#[test]
fn no_test_starts_the_server_without_that_look() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap_or_default();
            if !source.contains(concat!("CARGO_BIN_EXE_", "fulcio-server")) {
                continue;
            }
            found += 1;
            // Whoever names the program gives it to those who look.
            let looks = ["Process::start(", "Secrets::given_to(", "Server::spawn("];
            assert!(
                looks.iter().any(|look| source.contains(look)),
                "{} starts the server by itself",
                path.display()
            );
            let directly = concat!("Command::new(env!(\"CARGO_BIN_EXE_", "fulcio-server");
            assert!(
                !source.contains(directly) || path.ends_with("common/process.rs"),
                "{} does not use `common::program`",
                path.display()
            );
        }
    }
    assert!(found >= 3, "{found}");
}

#[test]
fn warns_of_files_with_secrets_that_others_may_read() {
    let (ca, idp) = (CaFiles::create(), IdpServer::start());
    let config = format!("--config-path={}", idp.write_config(ca.folder()));
    ca.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=localhost \
         -keyout tls.key.pem -out tls.pem",
    );
    let mut flags = ca.flags();
    let log = format!("--ct-log-url=embedded:{}", ca.path("log"));
    flags.extend([config, log, "--ct-log-origin=log.example.com".to_owned()]);
    flags.push(format!("--http-tls-certificate={}", ca.path("tls.pem")));
    flags.push(format!("--http-tls-key={}", ca.path("tls.key.pem")));
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let warnings = |flags: &[&str]| {
        let mut all = vec!["serve", "--host=127.0.0.1", "--port=0", "--grpc-port=0"];
        all.extend(["--grpc-host=127.0.0.2", "--metrics-port=0"]);
        all.extend(flags);
        let process = Process::start(program(&all));
        wait_until("the server to listen", || {
            (process.printed().matches("listening").count() >= 3).then_some(())
        });
        let printed = process.printed();
        let lines = printed
            .lines()
            .filter(|line| line.contains("others than its owner"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&flags), [""; 0]);

    let files = [
        "password",
        "intermediate.key.pem",
        "tls.key.pem",
        "log/key.pem",
    ];
    for (mode, files) in [
        (0o640, &files[..1]),
        (0o604, &files[1..3]),
        (0o660, &files[3..]),
    ] {
        for file in files {
            fs::set_permissions(ca.folder().join(file), fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    let lines = warnings(&flags);
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (named, mode) in [
        ("--fileca-key-passwd-file", "0640"),
        ("--fileca-key ", "0604"),
        ("--http-tls-key", "0604"),
        ("log: key.pem", "0660"),
    ] {
        let of_it = |line: &&String| line.contains(named) && line.contains(mode);
        assert_eq!(lines.iter().filter(of_it).count(), 1, "{named}: {lines:#?}");
    }
}

#[test]
fn files_with_secrets_that_the_server_makes_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = run(&[
        "quickstart",
        "--once",
        "--port=0",
        &format!("--data-dir={}", path(&data)),
    ]);
    assert!(made.success(), "{made:?}");
    let mode = |name: &str| fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    for file in [
        "password",
        "ca/root.key.pem",
        "ca/intermediate.key.pem",
        "issued/key.pem",
        "log/key.pem",
    ] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(mode(""), 0o700);
}
