//! The next key comes, the old one goes, and nobody waits: the page of the documentation as it
//! stands, a key in a key service, and a model against which any sequence of changes is held.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod load;
mod model;

use std::{env, fs, path::Path, process::Command};

use common::{IdpServer, Scene, Server, get, wait_until};
use fulcio_test_services::{
    Minivault,
    gcp_kms::{GcpKms, Reply},
    minivault, skipped, variable,
};
use load::Load;
use serde_json::json;
use tempfile::TempDir;

const PAGE: &str = include_str!("../../../docs/key-rotation.md");

/// The blocks of the page that are marked as `kind`.
fn blocks(kind: &str) -> Vec<&'static str> {
    PAGE.split(&format!("\n```{kind}\n"))
        .skip(1)
        .map(|rest| rest.split_once("```\n").unwrap().0)
        .collect()
}

/// A shell in the folder, that finds our programs.
fn bash(folder: &Path, script: &str) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_fulcio-server"))
        .parent()
        .unwrap();
    let path = variable("PATH").unwrap();
    let paths = [programs.to_owned()]
        .into_iter()
        .chain(env::split_paths(&path));
    let mut bash = Command::new("bash");
    bash.current_dir(folder)
        .env_clear()
        .env("PATH", env::join_paths(paths).unwrap())
        .args(["-c", &format!("set -euo pipefail\n{script}")]);
    bash
}

#[track_caller]
fn runs(folder: &Path, script: &str) -> String {
    let done = bash(folder, script).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{script}{said}");
    String::from_utf8(done.stdout).unwrap()
}

/// How many chains there are in the trust bundle.
fn chains(server: &Server) -> usize {
    let bundle = get(&server.url("/api/v2/trustBundle")).json();
    bundle["chains"].as_array().unwrap().len()
}

#[test]
fn the_walk_through_of_the_documentation_loses_no_request() {
    if !Path::new(env!("CARGO_BIN_EXE_fulcio-server"))
        .with_file_name("fulcio")
        .exists()
    {
        skipped("fulcio is not built");
        return;
    }
    let (folder, idp) = (TempDir::new().unwrap(), IdpServer::start());
    let [first, prepare, look, activate, retire] = blocks("sh")[..] else {
        panic!("a block of commands came or went");
    };
    let [serve] = blocks("sh serve")[..] else {
        panic!("there is one server");
    };
    let folder = folder.path();
    runs(folder, first);
    // The server takes the place of the shell, so that it can be told to end.
    let mut command = bash(folder, &format!("exec {serve}"));
    command
        .env("FULCIO_SERVE_CONFIG_PATH", idp.write_config(folder))
        .env("FULCIO_SERVE_CT_LOG_URL", "embedded:log")
        .env("FULCIO_SERVE_CT_LOG_ORIGIN", "log.example.com")
        .env("FULCIO_SERVE_HOST", "127.0.0.1")
        .env("FULCIO_SERVE_GRPC_HOST", "127.0.0.2");
    for port in ["PORT", "GRPC_PORT", "METRICS_PORT"] {
        command.env(format!("FULCIO_SERVE_{port}"), "0");
    }
    let server = Server::spawn(command, 3);
    let load = Load::start(&server.url(""), &folder.join("log"), &idp);
    load.goes_on();
    assert_eq!(chains(&server), 1);

    runs(folder, prepare);
    wait_until("the next chain in the bundle", || {
        (chains(&server) == 2).then_some(())
    });
    load.goes_on();
    let address = server.http().to_string();
    let shown = runs(folder, &look.replace("localhost:8080", &address));
    assert!(
        shown.contains("Example 2026") && shown.contains("Example 2027"),
        "{shown}"
    );
    assert!(
        shown.find("Example 2026") < shown.find("Example 2027"),
        "{shown}"
    );

    runs(folder, activate);
    server.says("the issuing key with its chain has changed and is in use");
    load.goes_on();
    let shown = runs(folder, &look.replace("localhost:8080", &address));
    assert!(
        shown.find("Example 2027") < shown.find("Example 2026"),
        "{shown}"
    );
    let output = server.output();
    assert!(
        !output.contains("announced before") && !output.contains("any more"),
        "{output}"
    );

    runs(folder, retire);
    wait_until("the old chain to be gone", || {
        (chains(&server) == 1).then_some(())
    });
    load.goes_on();
    let served = load.end();
    assert_eq!(served.len(), 2, "both keys have issued");
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_key_in_vault_is_rotated_by_a_new_version_and_sighup() {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    vault.key("fulcio", "ecdsa-p256");
    let scene = Scene::new();
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    fs::create_dir(scene.folder().join("announced")).unwrap();
    scene.write("announced/1.pem", scene.read("chain.pem"));
    let mut command = scene.serving("hashivault://fulcio", &vault.variables());
    command.arg("--announce-chain-path=announced");
    let server = scene.start(command);
    let load = Load::start(&server.url(""), &scene.folder().join("log"), scene.idp());
    load.goes_on();

    // The server goes on with the version that it has found.
    vault.post("transit/keys/fulcio/rotate", &json!({}));
    load.goes_on();
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    scene.write("announced/2.pem", scene.read("chain.pem"));
    wait_until("the next chain in the bundle", || {
        (chains(&server) == 2).then_some(())
    });
    load.goes_on();
    server.signal("HUP");
    server.says("the issuing key with its chain was read again and is in use");
    load.goes_on();
    fs::remove_file(scene.folder().join("announced/1.pem")).unwrap();
    wait_until("the old chain to be gone", || {
        (chains(&server) == 1).then_some(())
    });
    load.goes_on();
    assert_eq!(load.end().len(), 2, "both versions have issued");
    scene.issues(&server);
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_service_that_hangs_holds_up_no_other_part() {
    let google = GcpKms::start().await;
    let reference = format!(
        "gcpkms://{}",
        google.signing_key("ca", "EC_SIGN_P256_SHA256")
    );
    let scene = Scene::new();
    scene.make_root(&reference, google.variables()).await;
    let server = scene.start(scene.serving(&reference, &google.variables()));
    google.then(vec![Reply::Hang; 10_000]);
    server.signal("HUP");
    server.says("the issuer configuration was read again and is in use");
    let config = scene.idp().config() + "# changed\n";
    scene.write("config.yaml", config);
    server.says("the issuer configuration has changed and is in use");
    let output = server.output();
    assert!(
        !output.contains("the issuing key with its chain"),
        "{output}"
    );
    server.says("the issuing key with its chain stays as it was");
}
