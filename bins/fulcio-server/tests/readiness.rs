//! What `/readyz` and the health protocol of gRPC say, and what is logged before a chain ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod hsm;

use std::fs;

use common::{
    CaFiles, IdpServer, Scene, Server, get, issues, post_json, request, unix_now, wait_until,
};
use fulcio_api::proto::health::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use fulcio_test_services::{Minivault, minivault};
use hsm::Hsm;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

/// Whether the server is ready, and what it says of the part of this name.
#[track_caller]
fn readiness(server: &Server, name: &str) -> (u16, Value) {
    let answer = get(&server.url("/readyz"));
    let body = answer.json();
    assert_eq!(body["ready"], answer.status == 200, "{body}");
    let parts = body["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["name"] == name);
    let part = part.unwrap_or_else(|| panic!("{name} is not in {body}"));
    (answer.status, part.clone())
}

#[track_caller]
fn becomes(server: &Server, status: u16, name: &str, reason: &str) {
    wait_until(&format!("{status} because of {name}"), || {
        let (now, part) = readiness(server, name);
        let told = part["reason"].as_str().unwrap_or_default();
        (now == status && told.contains(reason) && (part["ready"] == (reason.is_empty())))
            .then_some(())
    });
    assert_eq!(get(&server.url("/healthz")).status, 200);
}

/// Whoever watches the health of the server.
struct Watcher {
    runtime: tokio::runtime::Runtime,
    told: tonic::Streaming<fulcio_api::proto::health::HealthCheckResponse>,
    client: HealthClient<tonic::transport::Channel>,
}

impl Watcher {
    fn of(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", server.grpc())).unwrap();
        let (client, told) = runtime.block_on(async {
            let mut client = HealthClient::new(endpoint.connect().await.unwrap());
            let told = client.watch(HealthCheckRequest::default()).await.unwrap();
            (client, told.into_inner())
        });
        Self {
            runtime,
            told,
            client,
        }
    }

    /// What is told next, and what whoever asks hears at that time.
    #[track_caller]
    fn is_told(&mut self, status: ServingStatus) {
        let (told, asked) = self.runtime.block_on(async {
            let told = self.told.message().await.unwrap().unwrap();
            let asked = self.client.check(HealthCheckRequest::default()).await;
            (told, asked.unwrap().into_inner())
        });
        assert_eq!((told.status(), asked.status()), (status, status));
    }
}

fn serve_short_lived(ca: &CaFiles, idp: &IdpServer) -> Server {
    Server::start(&[
        "--ca=fileca",
        "--ct-log-url=",
        "--fileca-key-passwd=any",
        &format!("--config-path={}", idp.write_config(ca.folder())),
        &format!("--fileca-cert={}", ca.path("short.pem")),
        &format!("--fileca-key={}", ca.path("root.plain.pem")),
    ])
}

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_chain_that_ends_is_told_of_before_and_after_and_a_new_one_makes_ready_again() {
    let (idp, ca) = (IdpServer::start(), CaFiles::create());
    let end = unix_now() + 4;
    ca.short_lived(unix_now() - DAY, end);
    let server = serve_short_lived(&ca, &idp);
    server.says("the authority's chain expires at");
    server.says("in less than 1 day: prepare the next one");
    let mut watcher = Watcher::of(&server);
    watcher.is_told(ServingStatus::Serving);
    watcher.is_told(ServingStatus::NotServing);
    becomes(&server, 503, "ca-chain", "has expired");
    let answer = request(&server, &idp);
    assert_eq!(answer.status, 500, "{}", answer.text());
    server.says("the authority's chain expired at");

    // The same key with a certificate that lives on.
    ca.short_lived(unix_now() - DAY, unix_now() + 20 * DAY);
    watcher.is_told(ServingStatus::Serving);
    becomes(&server, 200, "ca-chain", "");
    assert_eq!(request(&server, &idp).status, 200);

    // One that has ended is not taken into use.
    ca.short_lived(unix_now() - DAY, unix_now() - 1);
    server.says("the issuing key with its chain stays as it was, because --fileca-cert");
    becomes(&server, 200, "ca-chain", "");
}

#[test]
fn the_most_urgent_threshold_is_told_at_the_start() {
    let (idp, ca) = (IdpServer::start(), CaFiles::create());
    for (days, wanted) in [(2, "in less than 7 days"), (10, "in less than 30 days")] {
        ca.short_lived(unix_now() - DAY, unix_now() + days * DAY);
        let server = serve_short_lived(&ca, &idp);
        server.says(wanted);
        let output = server.output();
        assert_eq!(output.matches("the authority's chain expires").count(), 1);
    }
}

#[test]
fn a_provider_that_is_away_is_named_and_stops_nothing() {
    let (idp, ca) = (IdpServer::start(), CaFiles::create());
    let away = IdpServer::start();
    let config = idp.config() + away.config().strip_prefix("oidc-issuers:\n").unwrap();
    let config = format!("--config-path={}", ca.write("config.yaml", &config));
    let server = Server::start(&["--ca=ephemeralca", "--ct-log-url=", &config]);
    let part = |idp: &str| format!("issuer {idp}");
    let issuer = away.issuer().to_owned();
    becomes(&server, 200, &part(&issuer), "");
    let token = away.token("ada@example.com");
    drop(away);
    let mut asked = common::signing_request(&idp);
    asked["credentials"]["oidcIdentityToken"] = json!(token);
    assert_eq!(
        post_json(&server.url("/api/v2/signingCert"), &asked).status,
        400
    );
    becomes(
        &server,
        200,
        &part(&issuer),
        "its keys could not be fetched the last time",
    );
    becomes(&server, 200, &part(idp.issuer()), "");
    assert_eq!(request(&server, &idp).status, 200);
}

#[test]
fn a_key_that_does_not_sign_any_more_is_found_out_without_requests() {
    let idp = IdpServer::start();
    let Some(hsm) = Hsm::with_key("EC:prime256v1", "PKCS11CA") else {
        return;
    };
    hsm.createca(&["--hsm-caroot-id", "99", "--out", "root.pem"]);
    let config = format!("--config-path={}", idp.write_config(hsm.folder()));
    let flags = [
        "--ca=pkcs11ca",
        "--hsm-caroot-id=99",
        "--signer-test-interval=1s",
        &config,
    ];
    let server = hsm.serve(hsm.serving(&flags));
    becomes(&server, 200, "signer", "");
    let mut watcher = Watcher::of(&server);
    watcher.is_told(ServingStatus::Serving);

    fs::rename(hsm.path("tokens"), hsm.path("away")).unwrap();
    fs::create_dir(hsm.path("tokens")).unwrap();
    watcher.is_told(ServingStatus::NotServing);
    becomes(&server, 503, "signer", "the issuing key does not sign");
    // What is read again must sign before it is used.
    server.signal("HUP");
    server.says("the issuing key with its chain stays as it was");

    fs::remove_dir(hsm.path("tokens")).unwrap();
    fs::rename(hsm.path("away"), hsm.path("tokens")).unwrap();
    watcher.is_told(ServingStatus::Serving);
    becomes(&server, 200, "signer", "");
    server.says("the issuing key signs again");
    issues(&server, &idp, hsm.folder(), "root.pem");
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_key_that_may_not_sign_is_told_of_at_the_start() {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    vault.key("fulcio", "ecdsa-p256");
    let scene = Scene::new();
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    let policy = r#"path "transit/keys/fulcio" { capabilities = ["read"] }"#;
    let mut variables = vault.variables();
    variables.insert("VAULT_TOKEN", vault.token("reader", policy));
    let server = scene.start(scene.serving("hashivault://fulcio", &variables));
    becomes(&server, 503, "signer", "the issuing key does not sign");
    server.says("the key does not make a test signature");

    // Without test signatures nobody knows.
    let mut command = scene.serving("hashivault://fulcio", &variables);
    drop(server);
    command.arg("--signer-test-interval=0");
    let server = scene.start(command);
    let ready = get(&server.url("/readyz"));
    assert_eq!(ready.status, 200);
    assert!(!ready.text().contains("signer"), "{}", ready.text());
}
