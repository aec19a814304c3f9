//! The page that Prometheus reads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use fulcio_cert_builder::Deviation;
use fulcio_ct_client::{BreakerState, Error};
use fulcio_issuance::{Observer as _, Outcome, Stage};
use fulcio_server_core::Metrics;
use fulcio_testkit::{
    idp::{Answer, FakeIdp},
    log::Behaviour,
};
use support::{Authority, Page};

#[tokio::test]
async fn every_family_is_described_and_every_series_can_be_read() {
    let authority = Authority::start().await;
    authority.issue(&authority.token()).await.unwrap();
    let page = authority.page();
    assert!(page.families.len() > 25, "{:?}", page.families.keys());
    for (name, family) in &page.families {
        assert!(!family.help.is_empty(), "{name} has no help");
        assert!(!family.kind.is_empty(), "{name} has no type");
    }
    for sample in &page.samples {
        assert!(page.family_of(sample).is_some(), "{sample:?} has no family");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_fulcio_counts_is_there_with_its_type_and_its_labels() {
    let page = Authority::start().await.page();
    let facts = include_str!("data/fulcio_metrics.txt");
    let mut compared = 0;
    for fact in facts.lines().filter(|line| !line.starts_with('#')) {
        let mut words = fact.split(' ');
        let (name, kind) = (words.next().unwrap(), words.next().unwrap());
        let labels: Vec<_> = words.collect();
        let family = page.families.get(name);
        let family = family.unwrap_or_else(|| panic!("{name} is not there"));
        assert_eq!(family.kind, kind, "{name}");
        let samples = page.samples_of(name);
        assert!(!samples.is_empty(), "{name} has no series");
        for sample in samples {
            let mut found: Vec<_> = sample.labels.keys().map(String::as_str).collect();
            found.retain(|label| *label != "le");
            assert_eq!(found, labels, "{name}");
        }
        compared += 1;
    }
    assert_eq!(compared, 19);
}

#[tokio::test]
async fn histograms_have_their_buckets_and_add_up() {
    let authority = Authority::start().await;
    authority.issue(&authority.token()).await.unwrap();
    let page = authority.page();
    let histograms: Vec<_> = page
        .families
        .iter()
        .filter(|(_, family)| family.kind == "histogram")
        .collect();
    assert_eq!(histograms.len(), 3);
    for (name, _) in histograms {
        let bounds = page.check_histogram(name);
        assert!(bounds >= 12, "{name} has {bounds} buckets");
    }
}

#[tokio::test]
async fn an_issuance_counts_for_its_issuer_and_each_of_its_stages() {
    let authority = Authority::start().await;
    authority.issue(&authority.token()).await.unwrap();
    let page = authority.page();
    let issuer = authority.idp.issuer();
    assert_eq!(
        page.value(
            "fulcio_issuer_requests_total",
            &[("issuer", issuer), ("outcome", "issued")]
        ),
        1.0
    );
    assert_eq!(
        page.value(
            "fulcio_key_set_fetches_total",
            &[("issuer", issuer), ("outcome", "fetched")]
        ),
        1.0
    );
    for stage in [
        "authenticate",
        "proof",
        "sign-precertificate",
        "log",
        "sign",
        "journal",
    ] {
        let labels = [("stage", stage)];
        assert_eq!(
            page.value("fulcio_stage_seconds_count", &labels),
            1.0,
            "{stage}"
        );
    }
    let labels = [("stage", "admit")];
    assert_eq!(page.value("fulcio_stage_seconds_count", &labels), 0.0);
    let labels = [("outcome", "accepted")];
    assert_eq!(page.value("fulcio_log_submissions_total", &labels), 1.0);
}

#[tokio::test]
async fn a_token_that_is_refused_counts_under_its_exact_reason() {
    let authority = Authority::start().await;
    let expired = authority.idp.draft().claim("exp", 1_000).mint();
    authority.issue(&expired).await.unwrap_err();
    let page = authority.page();
    let issuer = authority.idp.issuer();
    assert_eq!(
        page.value(
            "fulcio_token_failures_total",
            &[("issuer", issuer), ("reason", "expired")]
        ),
        1.0
    );
    assert_eq!(
        page.value(
            "fulcio_issuer_requests_total",
            &[("issuer", issuer), ("outcome", "identity-token")]
        ),
        1.0
    );
}

#[tokio::test]
async fn what_a_stranger_writes_never_becomes_a_label() {
    let authority = Authority::start().await;
    let stranger = FakeIdp::new(authority.idp.key().clone()).issued_by("https://stranger.test");
    authority.issue(&stranger.token()).await.unwrap_err();
    authority
        .issue("stranger.stranger.stranger")
        .await
        .unwrap_err();
    let page = authority.page();
    assert!(!page.text.contains("stranger"), "{}", page.text);
    assert_eq!(
        page.value(
            "fulcio_token_failures_total",
            &[("issuer", "unknown"), ("reason", "unknown-issuer")]
        ),
        1.0
    );
    assert_eq!(
        page.value(
            "fulcio_issuer_requests_total",
            &[("issuer", "unknown"), ("outcome", "identity-token")]
        ),
        2.0
    );
}

#[tokio::test]
async fn all_issuers_of_a_pattern_count_under_the_pattern() {
    let authority = Authority::start().await;
    let tenant = FakeIdp::new(authority.idp.key().clone()).issued_by("https://tenant.example.net");
    authority.fetch.serve(&tenant);
    let token = support::token(&tenant);
    authority.issue(&token).await.unwrap();
    let page = authority.page();
    assert!(!page.text.contains("tenant"), "{}", page.text);
    let issuer = ("issuer", "https://*.example.net");
    for (name, outcome) in [
        ("fulcio_issuer_requests_total", "issued"),
        ("fulcio_key_set_fetches_total", "fetched"),
    ] {
        assert_eq!(
            page.value(name, &[issuer, ("outcome", outcome)]),
            1.0,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_counted() {
    let authority = Authority::start().await;
    let keys = authority.idp.jwks_url();
    authority.fetch.answer(&keys, Answer::Status(500));
    authority.issue(&authority.token()).await.unwrap_err();
    let page = authority.page();
    let labels = [
        ("issuer", authority.idp.issuer()),
        ("outcome", "unreachable"),
    ];
    assert_eq!(page.value("fulcio_key_set_fetches_total", &labels), 1.0);
    assert_eq!(page.value("fulcio_key_set_fetch_seconds_count", &[]), 1.0);
}

#[tokio::test]
async fn a_log_that_says_no_is_counted_and_one_that_is_slow_is_too() {
    let authority = Authority::start().await;
    for (behaviour, outcome) in [
        (Behaviour::Refuse, "refused"),
        (Behaviour::Hang, "abandoned"),
    ] {
        authority.log.behave(behaviour);
        authority.issue(&authority.token()).await.unwrap_err();
        let labels = [("outcome", outcome)];
        let page = authority.page();
        assert_eq!(
            page.value("fulcio_log_submissions_total", &labels),
            1.0,
            "{outcome}"
        );
    }
    let page = authority.page();
    assert_eq!(page.value("fulcio_precertificates_unused_total", &[]), 2.0);
}

#[tokio::test]
async fn each_log_counts_under_its_name() {
    let metrics = Metrics::new().unwrap();
    let log = metrics.log("https://log.example.com/2026");
    let after = Duration::from_millis(20);
    log.answered(Ok(()), after);
    let open = Error::BreakerOpen { retry_after: after };
    log.answered(Err(&open), after);
    log.breaker(BreakerState::Open { retry_after: after });
    let page = Page::read(metrics.page().text());
    let label = ("log", "https://log.example.com/2026");
    for outcome in ["accepted", "breaker-open"] {
        let labels = [label, ("outcome", outcome)];
        assert_eq!(page.value("fulcio_log_answers_total", &labels), 1.0);
    }
    assert_eq!(page.value("fulcio_log_answer_seconds_count", &[label]), 2.0);
    assert_eq!(page.value("fulcio_log_breaker_open", &[label]), 1.0);
    log.breaker(BreakerState::HalfOpen);
    let page = Page::read(metrics.page().text());
    assert_eq!(page.value("fulcio_log_breaker_open", &[label]), 0.0);
}

#[tokio::test]
async fn the_end_of_the_authority_is_told() {
    let authority = Authority::start().await;
    let expected = authority
        .not_after
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    assert_eq!(
        authority
            .page()
            .value("fulcio_ca_not_after_timestamp_seconds", &[]),
        expected
    );
}

#[tokio::test]
async fn each_reading_of_the_page_is_counted_by_the_next() {
    let authority = Authority::start().await;
    for before in [0.0, 1.0, 2.0] {
        let labels = [("code", "200")];
        let page = authority.page();
        assert_eq!(
            page.value("promhttp_metric_handler_requests_total", &labels),
            before
        );
        assert_eq!(
            page.value("promhttp_metric_handler_requests_in_flight", &[]),
            1.0
        );
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_leave_is_counted() {
    let metrics = Metrics::new().unwrap();
    let error = fulcio_issuance::Error::Profile(Deviation::Poison);
    let ended = |outcome| metrics.api().ended(Stage::Sign, outcome, Duration::ZERO);
    ended(Outcome::Passed);
    ended(Outcome::Failed(&error));
    let page = Page::read(metrics.page().text());
    assert_eq!(page.value("fulcio_profile_violations_total", &[]), 1.0);
}
