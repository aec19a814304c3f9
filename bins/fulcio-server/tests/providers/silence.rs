use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use fulcio_test_services::component;

use super::{
    issuance::Issuance,
    login::{PERSON, log_in},
    oidc_provider::OidcProvider,
};
use crate::common::{IdpServer, NOBODY, free_port};

/// How long a provider that gives no answer may keep a caller waiting: the deadline of 10 s, and as
/// much again for a slow machine.
const BOUND: Duration = Duration::from_secs(20);

#[track_caller]
fn refuses_in_time(issuance: &Issuance, token: &str) {
    let begun = Instant::now();
    issuance.refuses(token);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
}

#[test]
fn a_provider_that_is_down_refuses_its_tokens_in_time() {
    let Some(packages) = component("FULCIO_OIDC_PROVIDER") else {
        return;
    };
    let provider = OidcProvider::start(&packages, free_port());
    let issuer = provider.issuer().to_owned();
    let token = log_in(&issuer);
    Issuance::trusting(&[&issuer]).certifies(&token, PERSON, &issuer);
    drop(provider);
    // A server that has not seen the keys before.
    refuses_in_time(&Issuance::trusting(&[&issuer]), &token);
}

#[test]
fn a_provider_that_accepts_connections_and_says_nothing_refuses_its_tokens_in_time() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let absent = format!("http://{NOBODY}");
    let idp = IdpServer::start();
    let issuance = Issuance::trusting(&[&silent, &absent, idp.issuer()]);
    for issuer in [&silent, &absent] {
        let token = idp.draft(PERSON).claim("iss", issuer.as_str()).mint();
        refuses_in_time(&issuance, &token);
        // The others are not concerned.
        issuance.certifies(&idp.token(PERSON), PERSON, idp.issuer());
    }
}
