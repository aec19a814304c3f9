//! Whatever is printed and logged, on whatever level, holds no password, no token and no private key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    fs::{self, File},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use common::{CaFiles, IdpServer, Server, free_port, grpc, http, path, post_json, run, wait_until};
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
    let (port, log) = (free_port(), ca.path("server.log"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_fulcio-server"))
        .args([
            "serve",
            "--host=127.0.0.1",
            "--grpc-host=127.0.0.1",
            "--metrics-port=0",
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--grpc-port={port}"))
        .args(ca.flags())
        .arg(format!("--config-path={}", idp.write_config(ca.folder())))
        .arg(format!("--ct-log-url=embedded:{}", ca.path("log")))
        .arg("--ct-log-origin=log.example.com")
        .env_clear()
        .env("RUST_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(File::create(&log).unwrap())
        .stderr(File::create(ca.path("server.err")).unwrap())
        .spawn()
        .unwrap();
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
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());

    let printed = ca.read("server.log") + &ca.read("server.err");
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
