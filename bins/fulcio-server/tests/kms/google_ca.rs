use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_test_services::{
    Relay,
    ca_service::{CaService, Reply, State},
};
use serde_json::Value;

use super::{
    super::common::{NOBODY, Scene, Server, Variables, chain, get, pems, wait_until},
    refuses,
};

const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVATECA";

fn at(address: &str) -> Variables {
    Variables::from([(ENDPOINT, address.to_owned())])
}

fn serving(scene: &Scene, parent: &str, variables: &Variables) -> Command {
    let parent = format!("--gcp_private_ca_parent={parent}");
    scene.serve(&["--ca=googleca", &parent], variables)
}

/// A certificate that OpenSSL verifies, and whose timestamp comes beside it.
#[track_caller]
fn issues(scene: &Scene, server: &Server) -> Vec<String> {
    let answer = scene.request(server);
    let chain = chain(&answer);
    let (root, rest) = chain.split_last().unwrap();
    scene.write("root.pem", root);
    scene.write("rest.pem", rest[1..].concat());
    scene.write("leaf.pem", &chain[0]);
    let untrusted = if rest.len() > 1 {
        "-untrusted rest.pem"
    } else {
        ""
    };
    scene.openssl(&format!(
        "verify -x509_strict -CAfile root.pem {untrusted} -purpose any leaf.pem"
    ));
    let shown = scene.openssl("x509 -in leaf.pem -noout -text");
    assert!(shown.contains("email:ada@example.com"), "{shown}");
    assert!(!shown.contains("CT Precertificate"), "{shown}");
    let answer = answer.json();
    let timestamp = &answer["signedCertificateDetachedSct"]["signedCertificateTimestamp"];
    let timestamp = BASE64_STANDARD.decode(timestamp.as_str().unwrap()).unwrap();
    let timestamp: Value = serde_json::from_slice(&timestamp).unwrap();
    assert!(timestamp["signature"].is_string(), "{timestamp}");
    chain
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issues_through_a_pool_and_shows_all_its_authorities() {
    let google = CaService::start().await;
    google.add("one");
    google.add_root("two");
    let scene = Scene::new();
    let server = scene.start(serving(&scene, CaService::POOL, &at(&google.address)));
    let first = issues(&scene, &server);
    assert_eq!(google.issued(), 1);
    assert_eq!(
        server.output().matches("WARN").count(),
        0,
        "{}",
        server.output()
    );

    let bundle = get(&server.url("/api/v2/trustBundle")).json();
    let chains: Vec<_> = bundle["chains"]
        .as_array()
        .unwrap()
        .iter()
        .map(pems)
        .collect();
    assert_eq!(chains.len(), 2);
    let root = |chain: &[String]| chain.last().map(|pem| pem.trim().to_owned());
    assert!(
        chains.iter().any(|chain| root(chain) == root(&first)),
        "{chains:?} {first:?}"
    );
    let ready = get(&server.url("/readyz"));
    assert_eq!(ready.status, 200, "{}", ready.text());
    let metrics = server.metrics();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("fulcio_ca_not_after"));
    let until: f64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(until > 1.7e9, "{metrics}");
    assert!(server.terminate().status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issues_through_the_authority_that_is_named() {
    let google = CaService::start().await;
    google.add("one");
    google.add("two");
    let scene = Scene::new();
    let parent = format!("{}/certificateAuthorities/two", CaService::POOL);
    let server = scene.start(serving(&scene, &parent, &at(&google.address)));
    let chain = issues(&scene, &server);
    let two = google.chain("two");
    let root = pem_rfc7468::decode_vec(chain.last().unwrap().as_bytes())
        .unwrap()
        .1;
    assert_eq!(root, two.last().unwrap().as_ref());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_google_that_goes_away_is_the_operators_matter_and_used_again_when_it_is_back() {
    let google = CaService::start().await;
    google.add("one");
    let host = google.address.strip_prefix("http://").unwrap();
    let relay = Relay::start(host).await;
    let scene = Scene::new();
    let variables = at(&format!("http://{}", relay.address));
    let server = scene.start(serving(&scene, CaService::POOL, &variables));
    issues(&scene, &server);
    google.then([Reply::Refuse(
        403,
        "PERMISSION_DENIED",
        "not you".to_owned(),
    )]);
    scene.refused(&server, "not you");
    relay.to(None);
    scene.refused(&server, "CA Service was not reached");
    relay.to(Some(host));
    wait_until("CA Service to be used again", || {
        (scene.request(&server).status == 200).then_some(())
    });
    issues(&scene, &server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_on_one_line_why_it_does_not_start() {
    let google = CaService::start().await;
    let scene = Scene::new();
    let variables = at(&google.address);
    let flag = "--gcp_private_ca_parent";
    let check = |parent: &str, variables: &Variables, code, parts: &[&str]| {
        let parts = [parts, &[flag, parent]].concat();
        refuses(&scene, serving(&scene, parent, variables), code, &parts)
    };
    for wrong in [
        "pool",
        "projects/p/locations/l/caPools",
        "gcpkms://projects/p",
    ] {
        check(
            wrong,
            &variables,
            2,
            &["projects/PROJECT/locations/LOCATION/caPools/POOL"],
        );
    }
    let all = check(CaService::POOL, &at("http://user:horse@x"), 2, &[ENDPOINT]);
    assert!(!all.contains("horse"), "{all}");

    let asked = format!(
        "asked of {}: ",
        google.address.strip_prefix("http://").unwrap()
    );
    check(
        CaService::POOL,
        &variables,
        1,
        &[&asked, "is enabled; enable one"],
    );
    google.add("one");
    let missing = CaService::POOL.replace("caPools/pool", "caPools/missing");
    check(&missing, &variables, 1, &[&asked, "CA Service has no"]);
    google.set_state("one", State::Disabled);
    let one = format!("{}/certificateAuthorities/one", CaService::POOL);
    check(
        &one,
        &variables,
        1,
        &[&asked, "does not issue in its state"],
    );

    let there = at(&format!("http://{NOBODY}"));
    check(&one, &there, 1, &[NOBODY, "CA Service was not reached"]);
}
