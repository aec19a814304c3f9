//! Who issues, and whom verifiers may trust.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use core::time::Duration;

use common::{config, issue, open, pool, reason, try_open};
use fulcio_google_ca_service::{Credentials, Error, GoogleConfig};
use fulcio_issuance::CertificateAuthority as _;
use fulcio_signer::ErrorKind;
use fulcio_test_services::{
    TlsFiles,
    ca_service::{CaService, Fault, Reply, State},
    gcp_kms::GcpKms,
};

/// Two authorities that are enabled.
async fn two() -> CaService {
    let pool = pool().await;
    pool.add_root("second");
    pool
}

#[tokio::test]
async fn the_bundle_has_every_authority_of_the_pool() {
    let pool = two().await;
    for (id, state) in [
        ("disabled", State::Disabled),
        ("staged", State::Staged),
        ("awaiting", State::AwaitingUserActivation),
        ("deleted", State::Deleted),
    ] {
        pool.add(id);
        pool.set_state(id, state);
    }
    let service = open(&pool, None).await;
    let expected = ["first", "second", "disabled", "staged"].map(|id| pool.chain(id));
    assert_eq!(service.trust_bundle(), expected);
    assert_eq!(pool.seen().len(), 1);
}

#[tokio::test]
async fn the_pool_is_read_page_by_page() {
    let pool = pool().await;
    let mut expected = vec![pool.chain("first")];
    for number in 0..6 {
        let id = format!("ca{number}");
        pool.add_root(&id);
        expected.push(pool.chain(&id));
    }
    pool.page(3);
    let service = open(&pool, None).await;
    assert_eq!(service.trust_bundle(), expected);
    let tokens: Vec<_> = pool
        .seen()
        .into_iter()
        .map(|mut seen| seen.query.remove("pageToken").unwrap())
        .collect();
    assert_eq!(tokens, ["", "3", "6"]);
}

#[tokio::test]
async fn every_authority_of_the_pool_may_issue() {
    let pool = two().await;
    let service = open(&pool, None).await;
    let mut issuers = Vec::new();
    for _ in 0..2 {
        issuers.push(issue(&service).await.unwrap().chain[1..].to_vec());
    }
    issuers.sort_by_key(|chain| core::cmp::Reverse(chain.len()));
    assert_eq!(issuers, [pool.chain("first"), pool.chain("second")]);
}

#[tokio::test]
async fn one_that_is_named_issues_alone_and_is_alone_in_the_bundle() {
    let pool = two().await;
    pool.set_state("second", State::Staged);
    let service = open(&pool, Some("second")).await;
    assert_eq!(service.trust_bundle(), [pool.chain("second")]);
    pool.seen();
    for _ in 0..3 {
        let certified = issue(&service).await.unwrap();
        assert_eq!(certified.chain[1..], pool.chain("second"));
    }
    for seen in pool.seen() {
        assert_eq!(seen.query["issuingCertificateAuthorityId"], "second");
        assert_eq!(seen.path, format!("/v1/{}/certificates", CaService::POOL));
    }
}

#[tokio::test]
async fn an_authority_that_is_new_is_learnt_of_when_it_issues() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    let old = pool.chain("first");
    pool.add_root("new");
    pool.set_state("first", State::Disabled);
    let certified = issue(&service).await.unwrap();
    assert_eq!(certified.chain[1..], pool.chain("new"));
    assert_eq!(service.trust_bundle(), [old, pool.chain("new")]);
    // Learnt once.
    pool.seen();
    issue(&service).await.unwrap();
    assert_eq!(pool.seen().len(), 1);
}

#[tokio::test]
async fn an_old_list_is_read_again_while_a_certificate_is_made() {
    let pool = pool().await;
    let mut config = config(&pool);
    config.refresh = Duration::ZERO;
    let service = try_open(&config, None).await.unwrap();
    pool.add_root("staged");
    pool.set_state("staged", State::Staged);
    issue(&service).await.unwrap();
    let both = [pool.chain("first"), pool.chain("staged")];
    assert_eq!(service.trust_bundle(), both);
    pool.remove("staged");
    issue(&service).await.unwrap();
    assert_eq!(service.trust_bundle(), [pool.chain("first")]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_again_stays_and_hinders_nobody() {
    let pool = pool().await;
    let mut config = config(&pool);
    config.refresh = Duration::ZERO;
    let service = try_open(&config, None).await.unwrap();
    pool.seen();
    // For the list and for the certificate, which are asked for at once.
    let unavailable = || Reply::Refuse(503, "UNAVAILABLE", "not now".to_owned());
    pool.then([unavailable(), unavailable()]);
    issue(&service).await.unwrap();
    assert_eq!(service.trust_bundle(), [pool.chain("first")]);
    let seen = pool.seen();
    let lists = seen.iter().filter(|seen| seen.body.is_null()).count();
    assert_eq!((lists, seen.len()), (1, 3));
}

#[tokio::test]
async fn a_certificate_by_an_authority_of_another_pool_is_not_given_out() {
    let pool = pool().await;
    let service = open(&pool, None).await;
    pool.seen();
    pool.then([Reply::Issue(Fault::OtherPool)]);
    let error = reason(issue(&service).await);
    assert!(matches!(&*error, Error::OtherAuthority { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    // The pool was asked whether it is a new one.
    assert_eq!(pool.seen().len(), 2);
    issue(&service).await.unwrap();
}

#[tokio::test]
async fn a_pool_in_which_nobody_issues_is_not_opened() {
    let pool = CaService::start().await;
    let error = try_open(&config(&pool), None).await.unwrap_err();
    assert!(matches!(&error, Error::NoneEnabled { .. }), "{error}");
    pool.add("first");
    pool.set_state("first", State::Disabled);
    let error = try_open(&config(&pool), None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no authority in the pool projects/project/locations/europe-west1/caPools/pool of CA \
         Service is enabled; enable one"
    );
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn one_that_does_not_issue_is_not_opened_by_its_name() {
    let pool = two().await;
    for (state, name) in [
        (State::Disabled, "DISABLED"),
        (State::AwaitingUserActivation, "AWAITING_USER_ACTIVATION"),
        (State::Deleted, "DELETED"),
    ] {
        pool.set_state("second", state);
        let error = try_open(&config(&pool), Some("second")).await.unwrap_err();
        let Error::AuthorityState { state, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(state, name);
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let pool = pool().await;
    let error = try_open(&config(&pool), Some("nobody")).await.unwrap_err();
    assert!(
        error.to_string().starts_with(
            "CA Service has no projects/project/locations/europe-west1/caPools/pool/\
             certificateAuthorities/nobody; check the name"
        ),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn opening_waits_for_a_service_that_comes_back() {
    let pool = pool().await;
    let unavailable = || Reply::Refuse(503, "UNAVAILABLE", "not now".to_owned());
    pool.then([unavailable(), Reply::Hang, Reply::HangUp]);
    open(&pool, None).await;
    assert_eq!(pool.seen().len(), 4);
}

#[tokio::test]
async fn opening_ends_when_its_time_is_up() {
    let pool = pool().await;
    let mut config = config(&pool);
    config.open_timeout = Duration::from_millis(300);
    pool.then([Reply::Hang]);
    let error = try_open(&config, None).await.unwrap_err();
    assert!(
        matches!(&error, Error::Deadline { last: None, .. }),
        "{error}"
    );

    config.endpoint = Some("http://127.0.0.1:1".to_owned());
    let error = try_open(&config, None).await.unwrap_err();
    let Error::Deadline {
        last: Some(last), ..
    } = &error
    else {
        panic!("{error}");
    };
    assert!(matches!(&**last, Error::Network(_)), "{last}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn whoever_cannot_be_trusted_is_told_nothing() {
    // What it speaks does not matter, for it never comes to that.
    let other = GcpKms::start_with_tls(&TlsFiles::create()).await;
    let mut config = GoogleConfig::new(Credentials::Anonymous);
    config.endpoint = Some(other.address.clone());
    let error = try_open(&config, None).await.unwrap_err();
    assert!(matches!(&error, Error::Untrusted(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(other.seen().is_empty());
}
