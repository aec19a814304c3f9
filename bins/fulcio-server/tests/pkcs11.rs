//! `serve --ca pkcs11ca`: the issuing key in a token, from the walk-through of the documentation to
//! a token that is taken out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod hsm;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use common::{IdpServer, Server, finish, issues, request};
use hsm::Hsm;

/// The blocks of commands of a page.
fn commands(page: &str) -> Vec<&str> {
    page.split("```sh\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap().0)
        .collect()
}

#[test]
fn the_walk_through_of_the_documentation_works() {
    let Some(hsm) = Hsm::empty() else { return };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/softhsm.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = commands(&page);
    let (serve, before) = blocks.split_last().unwrap();
    assert_eq!(before.len(), 5, "a block of commands came or went");
    assert!(serve.starts_with("fulcio-server serve "), "{serve}");

    // The server takes the place of the shell, so that it can be told to end.
    let script = format!("set -euo pipefail\n{}\nexec {serve}", before.join("\n"));
    let installed = hsm.module().to_str().unwrap();
    let script = script.replace("/usr/lib/softhsm/libsofthsm2.so", installed);
    let idp = IdpServer::start();
    let mut bash = hsm.command("bash");
    bash.args(["-c", &script])
        .env_remove("SOFTHSM2_CONF")
        .env("FULCIO_SERVE_CONFIG_PATH", idp.write_config(hsm.folder()))
        .env("FULCIO_SERVE_CT_LOG_URL", "embedded:log")
        .env("FULCIO_SERVE_CT_LOG_ORIGIN", "log.example.com/2026")
        .env("FULCIO_SERVE_HOST", "127.0.0.1")
        .env("FULCIO_SERVE_GRPC_HOST", "127.0.0.1");
    for port in ["PORT", "GRPC_PORT", "METRICS_PORT"] {
        bash.env(format!("FULCIO_SERVE_{port}"), "0");
    }
    let server = hsm.serve(bash);
    issues(&server, &idp, hsm.folder(), "myrootCA.pem");
    let shown = hsm.openssl("x509 -in myrootCA.pem -noout -subject -nameopt compat");
    for part in [
        "/C=UK",
        "/ST=SomeProvince",
        "/L=SomeTown",
        "/street=XXXX",
        "/O=acme",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    server.says("3939");
    assert!(server.terminate().success());
}

/// A token with a root in it, and the flags of `serve` for it.
fn with_root(kind: &str, idp: &IdpServer) -> Option<(Hsm, Vec<String>)> {
    let hsm = Hsm::with_key(kind, "PKCS11CA")?;
    hsm.createca(&["--hsm-caroot-id", "99", "--out", "root.pem"]);
    let flags = vec![
        "--ca=pkcs11ca".to_owned(),
        "--hsm-caroot-id=99".to_owned(),
        format!("--config-path={}", idp.write_config(hsm.folder())),
    ];
    Some((hsm, flags))
}

fn start(hsm: &Hsm, flags: &[String]) -> Server {
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    hsm.serve(hsm.serving(&flags))
}

#[test]
fn issues_with_every_kind_of_key() {
    let idp = IdpServer::start();
    for kind in [
        "EC:prime256v1",
        "EC:secp384r1",
        "EC:secp521r1",
        "EC:edwards25519",
        "rsa:2048",
    ] {
        let Some((hsm, flags)) = with_root(kind, &idp) else {
            return;
        };
        let server = start(&hsm, &flags);
        issues(&server, &idp, hsm.folder(), "root.pem");
        assert!(server.terminate().success(), "{kind}");
    }
}

#[test]
fn issues_with_the_root_in_a_file_as_for_aws() {
    let Some(hsm) = Hsm::with_key("EC:secp384r1", "mine") else {
        return;
    };
    let idp = IdpServer::start();
    hsm.createca(&[
        "--hsm=aws",
        "--hsm-caroot-id=99",
        "--hsm-key-label=mine",
        "--out=root.pem",
    ]);
    let config = format!("--config-path={}", idp.write_config(hsm.folder()));
    let flags = [
        "--ca=pkcs11ca",
        "--hsm-caroot-id=99",
        "--hsm-key-label=mine",
        "--aws-hsm-root-ca-path=root.pem",
        &config,
    ];
    let server = hsm.serve(hsm.serving(&flags));
    issues(&server, &idp, hsm.folder(), "root.pem");
}

#[test]
fn tells_the_operator_and_not_the_client_when_the_token_is_taken_out() {
    let idp = IdpServer::start();
    let Some((hsm, flags)) = with_root("EC:secp384r1", &idp) else {
        return;
    };
    let server = start(&hsm, &flags);
    issues(&server, &idp, hsm.folder(), "root.pem");

    fs::rename(hsm.path("tokens"), hsm.path("away")).unwrap();
    fs::create_dir(hsm.path("tokens")).unwrap();
    let answer = request(&server, &idp);
    assert_eq!(answer.status, 500, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["code"], 13);
    assert_eq!(body["message"], "error communicating with CA backend");
    server.says("the token failed");

    fs::remove_dir(hsm.path("tokens")).unwrap();
    fs::rename(hsm.path("away"), hsm.path("tokens")).unwrap();
    let begun = Instant::now();
    while request(&server, &idp).status != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{}",
            server.output()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    issues(&server, &idp, hsm.folder(), "root.pem");
    assert!(server.terminate().success());
}

#[test]
fn says_at_the_start_what_is_wrong_with_the_token() {
    let idp = IdpServer::start();
    let Some((hsm, flags)) = with_root("EC:secp384r1", &idp) else {
        return;
    };
    let refused = |more: &[&str], wanted: &str| {
        let flags: Vec<_> = flags
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        let ended = finish(hsm.serving(&flags));
        assert!(!ended.success(), "{ended:?}");
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains(wanted), "{wanted}: {said}");
        assert!(!said.contains("2324") && !said.contains("9999"), "{said}");
    };
    hsm.configure("other", "2324");
    refused(
        &[],
        "the module has no token labelled \"other\"; the tokens that it has are \"fulcio\"",
    );
    hsm.configure("fulcio", "9999");
    refused(&[], "the token does not take the PIN");
    hsm.configure("fulcio", "2324");

    let unlabelled = ["--hsm-key-label=other"];
    refused(
        &unlabelled,
        "the token has no private key labelled \"other\"; its private keys are \"PKCS11CA\"",
    );
    hsm.key_pair("EC:secp384r1", "02", "other", &[]);
    refused(&unlabelled, "--hsm-caroot-id 99 and --hsm-key-label other");
    hsm.key_pair("EC:secp384r1", "03", "other", &[]);
    refused(
        &unlabelled,
        "2 private keys of the token fit the private key labelled \"other\"",
    );

    let other = hsm.path("other.pem");
    hsm.openssl("req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /O=x -out other.pem");
    let file = format!("--aws-hsm-root-ca-path={}", other.display());
    refused(&[&file], "other.pem and --hsm-key-label PKCS11CA");
    hsm.pkcs11_tool(&["--delete-object", "--type", "cert", "--id", "3939"]);
    refused(
        &[],
        "--hsm-caroot-id 99: the token has no certificate with this id",
    );
    refused(
        &["--pkcs11-config-path=/nowhere"],
        "--pkcs11-config-path /nowhere cannot be read",
    );
}
