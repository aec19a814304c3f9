//! When a provider fetches, when it waits, and when it does neither. Time is tokio's, and paused.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{future::Future, sync::Arc, time::Duration};

use fulcio_oidc_verify::{Algorithm, Error, Provider, UnverifiedToken, VerifiedToken};
use fulcio_testkit::idp::{Answer, FakeFetch, FakeIdp, FakeKey};
use serde_json::json;
use tokio::time::{Instant, advance, sleep, timeout};

struct Scene {
    idp: FakeIdp,
    fetch: FakeFetch,
    provider: Arc<Provider>,
}

fn key(id: &str) -> FakeKey {
    FakeKey::generate(Algorithm::Es256).named(id)
}

fn scene() -> Scene {
    of(FakeIdp::new(key("first")))
}

fn of(idp: FakeIdp) -> Scene {
    let fetch = FakeFetch::serving(&idp);
    let provider = Provider::new(idp.issuer(), idp.audience(), Arc::new(fetch.clone()));
    Scene {
        idp,
        fetch,
        provider: Arc::new(provider),
    }
}

impl Scene {
    async fn verify(&self, raw: &str) -> Result<VerifiedToken, Error> {
        verify(&self.provider, raw).await
    }

    /// The same, expected to be refused.
    async fn reason(&self, raw: &str) -> &'static str {
        self.verify(raw)
            .await
            .map_or_else(|error| error.reason(), |_| "accepted")
    }

    /// As many verifications at once, each in its own task, as `raw` has tokens.
    async fn all_at_once(&self, raw: Vec<String>) -> Vec<&'static str> {
        let tasks: Vec<_> = raw
            .into_iter()
            .map(|raw| {
                let provider = Arc::clone(&self.provider);
                tokio::spawn(async move {
                    verify(&provider, &raw)
                        .await
                        .map_or_else(|error| error.reason(), |_| "accepted")
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }

    fn discoveries(&self) -> usize {
        self.fetch.requests_for(&self.idp.discovery_url())
    }

    fn key_sets(&self) -> usize {
        self.fetch.requests_for(&self.idp.jwks_url())
    }

    /// From now on the key set takes `delay`.
    fn slow_keys(&self, idp: &FakeIdp, delay: Duration) {
        let body = idp.jwks().to_string().into_bytes();
        self.fetch
            .answer(&idp.jwks_url(), Answer::Slow(delay, body));
    }
}

async fn verify(provider: &Provider, raw: &str) -> Result<VerifiedToken, Error> {
    provider
        .verify(UnverifiedToken::parse(raw)?, FakeIdp::now())
        .await
}

/// Ends the test where the future would have to wait.
async fn at_once<T>(future: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let value = future.await;
    assert_eq!(Instant::now(), begin, "it waited");
    value
}

fn stranger(scene: &Scene) -> String {
    scene
        .idp
        .draft()
        .parameter("kid", "unknown")
        .signed_by(&key("unknown"))
        .mint()
}

#[tokio::test(start_paused = true)]
async fn fetches_nothing_before_the_first_token_and_once_for_it() {
    let scene = scene();
    assert_eq!(scene.fetch.requests(), 0);
    for _ in 0..3 {
        assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
    }
    assert_eq!((scene.discoveries(), scene.key_sets()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn fetches_nothing_for_a_token_that_fails_without() {
    let scene = scene();
    for (raw, reason) in [
        (
            scene
                .idp
                .draft()
                .claim("iss", "https://other.example")
                .mint(),
            "issuer",
        ),
        (scene.idp.draft().claim("aud", "other").mint(), "audience"),
        (scene.idp.draft().claim("exp", 1).mint(), "expired"),
        (
            scene.idp.draft().claim("nbf", 1_900_000_000).mint(),
            "not-yet-valid",
        ),
    ] {
        assert_eq!(scene.reason(&raw).await, reason);
    }
    assert_eq!(scene.fetch.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_first_tokens_share_one_fetch() {
    let scene = scene();
    scene.slow_keys(&scene.idp, Duration::from_secs(2));
    let outcomes = scene.all_at_once(vec![scene.idp.token(); 50]).await;
    assert_eq!(outcomes, ["accepted"; 50]);
    assert_eq!((scene.discoveries(), scene.key_sets()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_found_by_one_fetch_of_the_key_set() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    let rotated = scene.idp.clone().rotated_to(key("second"));
    scene.slow_keys(&rotated, Duration::from_secs(1));
    let outcomes = scene.all_at_once(vec![rotated.token(); 20]).await;
    assert_eq!(outcomes, ["accepted"; 20]);
    assert_eq!((scene.discoveries(), scene.key_sets()), (1, 2));
    assert_eq!(scene.reason(&scene.idp.token()).await, "signature");
}

#[tokio::test(start_paused = true)]
async fn a_key_replaced_under_the_same_name_is_found_too() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    let replaced = scene.idp.clone().rotated_to(key("first"));
    scene.fetch.serve(&replaced);
    assert_eq!(scene.reason(&replaced.token()).await, "accepted");
    assert_eq!(scene.key_sets(), 2);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_nobody_signed_cause_one_fetch_in_ten_seconds() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    let bad = stranger(&scene);
    assert_eq!(scene.reason(&bad).await, "signature");
    assert_eq!(scene.key_sets(), 2);

    advance(Duration::from_millis(9_999)).await;
    for _ in 0..20 {
        assert_eq!(at_once(scene.reason(&bad)).await, "signature");
    }
    assert_eq!(scene.key_sets(), 2);

    advance(Duration::from_millis(1)).await;
    assert_eq!(scene.reason(&bad).await, "signature");
    assert_eq!(scene.key_sets(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_fetch_alone_does_not_start_the_cool_down() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    let rotated = scene.idp.clone().rotated_to(key("second"));
    scene.fetch.serve(&rotated);
    assert_eq!(scene.reason(&rotated.token()).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn a_kept_key_verifies_while_the_issuer_hangs() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    scene.fetch.answer(&scene.idp.jwks_url(), Answer::Hang);
    let (provider, bad) = (Arc::clone(&scene.provider), stranger(&scene));
    let waiting = tokio::spawn(async move { verify(&provider, &bad).await });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.key_sets(), 2);
    assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
    let begin = Instant::now();
    let failure = waiting.await.unwrap().unwrap_err();
    assert!(matches!(failure, Error::Timeout) && failure.is_provider_failure());
    assert_eq!(begin.elapsed(), Duration::from_secs(9));
    // And on, in the cool-down.
    assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
    assert_eq!(at_once(scene.reason(&stranger(&scene))).await, "timeout");
}

#[tokio::test(start_paused = true)]
async fn discovery_and_key_set_have_ten_seconds_together() {
    let scene = scene();
    let document = scene.idp.discovery().to_string().into_bytes();
    let delay = Duration::from_secs(6);
    scene
        .fetch
        .answer(&scene.idp.discovery_url(), Answer::Slow(delay, document));
    scene.slow_keys(&scene.idp, delay);
    let begin = Instant::now();
    assert_eq!(scene.reason(&scene.idp.token()).await, "timeout");
    assert_eq!(begin.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_dead_issuer_delays_nobody_twice() {
    for (answer, reason) in [
        (Answer::Hang, "timeout"),
        (Answer::Status(503), "unreachable"),
        (Answer::Panic, "abandoned"),
        (Answer::Body(b"<html>".to_vec()), "discovery"),
    ] {
        let scene = scene();
        scene.fetch.answer(&scene.idp.discovery_url(), answer);
        let failure = scene.verify(&scene.idp.token()).await.unwrap_err();
        assert_eq!(failure.reason(), reason);
        assert!(failure.is_provider_failure());
        advance(Duration::from_millis(9_999)).await;
        for _ in 0..10 {
            assert_eq!(at_once(scene.reason(&scene.idp.token())).await, reason);
        }
        assert_eq!(scene.discoveries(), 1);

        scene.fetch.serve(&scene.idp);
        advance(Duration::from_millis(1)).await;
        assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
        assert_eq!(scene.discoveries(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_set_that_fails_is_not_asked_for_at_once_either() {
    for (answer, reason) in [
        (Answer::Status(500), "unreachable"),
        (Answer::Body(b"{}".to_vec()), "key-set"),
    ] {
        let scene = scene();
        scene.fetch.answer(&scene.idp.jwks_url(), answer);
        assert_eq!(scene.reason(&scene.idp.token()).await, reason);
        assert_eq!(at_once(scene.reason(&scene.idp.token())).await, reason);
        assert_eq!((scene.discoveries(), scene.key_sets()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_cause_of_a_failure_is_kept() {
    let scene = scene();
    scene
        .fetch
        .answer(&scene.idp.jwks_url(), Answer::Status(500));
    let failure = scene.verify(&scene.idp.token()).await.unwrap_err();
    let Error::Unreachable { url, source } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(url, scene.idp.jwks_url());
    assert_eq!(source.to_string(), "the status is 500");
}

#[tokio::test(start_paused = true)]
async fn a_failed_refetch_leaves_the_kept_keys_in_use() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    scene
        .fetch
        .answer(&scene.idp.jwks_url(), Answer::Body(b"{}".to_vec()));
    assert_eq!(scene.reason(&stranger(&scene)).await, "key-set");
    assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_takes_nothing_with_it() {
    let scene = scene();
    scene.slow_keys(&scene.idp, Duration::from_secs(5));
    let raw = scene.idp.token();
    let patience = Duration::from_secs(1);
    assert!(timeout(patience, scene.verify(&raw)).await.is_err());
    // The fetch goes on, and whoever comes now joins it.
    let begin = Instant::now();
    assert_eq!(scene.reason(&raw).await, "accepted");
    assert_eq!(begin.elapsed(), Duration::from_secs(4));
    assert_eq!((scene.discoveries(), scene.key_sets()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_without_any_caller_left_still_ends() {
    let scene = scene();
    scene.slow_keys(&scene.idp, Duration::from_secs(5));
    let raw = scene.idp.token();
    assert!(
        timeout(Duration::from_secs(1), scene.verify(&raw))
            .await
            .is_err()
    );
    sleep(Duration::from_secs(60)).await;
    assert_eq!(at_once(scene.reason(&raw)).await, "accepted");
    assert_eq!(scene.key_sets(), 1);
}

#[test]
fn a_runtime_that_ends_during_a_fetch_does_not_block_the_next_one() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let scene = scene();
    scene.fetch.answer(&scene.idp.jwks_url(), Answer::Hang);
    let raw = scene.idp.token();
    let first = runtime();
    first.block_on(async {
        assert!(
            timeout(Duration::from_secs(1), scene.verify(&raw))
                .await
                .is_err()
        );
    });
    drop(first);
    scene.fetch.serve(&scene.idp);
    runtime().block_on(async {
        assert_eq!(at_once(scene.reason(&raw)).await, "abandoned");
    });
}

#[tokio::test(start_paused = true)]
async fn keys_older_than_an_hour_are_renewed_behind_the_back_of_good_tokens() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    advance(Duration::from_secs(3601)).await;
    scene.slow_keys(&scene.idp, Duration::from_secs(3));
    assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
    assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
    sleep(Duration::from_secs(4)).await;
    assert_eq!((scene.discoveries(), scene.key_sets()), (2, 2));
    assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
    assert_eq!((scene.discoveries(), scene.key_sets()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_forgotten_within_the_hour_and_one_token() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    scene
        .fetch
        .serve(&scene.idp.clone().rotated_to(key("second")));
    advance(Duration::from_secs(3601)).await;
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.reason(&scene.idp.token()).await, "signature");
}

#[tokio::test(start_paused = true)]
async fn a_failing_renewal_is_tried_again_after_the_cool_down() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    advance(Duration::from_secs(3601)).await;
    scene
        .fetch
        .answer(&scene.idp.discovery_url(), Answer::Status(502));
    for _ in 0..5 {
        assert_eq!(at_once(scene.reason(&scene.idp.token())).await, "accepted");
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(scene.discoveries(), 2);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.discoveries(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_renews_an_old_discovery_document_too() {
    let scene = scene();
    scene.verify(&scene.idp.token()).await.unwrap();
    advance(Duration::from_secs(3601)).await;
    let moved = scene.idp.clone().rotated_to(key("second"));
    let mut discovery = moved.discovery();
    discovery["jwks_uri"] = json!("https://keys.example.com/set");
    scene.fetch.answer(
        &moved.discovery_url(),
        Answer::Body(discovery.to_string().into()),
    );
    scene.fetch.answer(
        "https://keys.example.com/set",
        Answer::Body(moved.jwks().to_string().into()),
    );
    assert_eq!(scene.reason(&moved.token()).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn only_algorithms_of_the_discovery_document_count() {
    for (listed, reason) in [
        (json!(["ES256", "none", "HS256"]), "accepted"),
        (json!(["RS256"]), "algorithm"),
        (json!([]), "algorithm"),
        (json!(["HS256", "none"]), "algorithm"),
        (json!(null), "algorithm"),
    ] {
        let scene = scene();
        let mut discovery = scene.idp.discovery();
        discovery["id_token_signing_alg_values_supported"] = listed.clone();
        scene.fetch.answer(
            &scene.idp.discovery_url(),
            Answer::Body(discovery.to_string().into()),
        );
        assert_eq!(scene.reason(&scene.idp.token()).await, reason, "{listed}");
        assert_eq!(scene.reason(&scene.idp.token()).await, reason, "{listed}");
        assert_eq!(scene.key_sets(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_list_of_algorithms_it_is_rs256() {
    let scene = of(FakeIdp::new(FakeKey::generate(Algorithm::Rs256)));
    let mut discovery = scene.idp.discovery();
    discovery
        .as_object_mut()
        .unwrap()
        .remove("id_token_signing_alg_values_supported");
    scene.fetch.answer(
        &scene.idp.discovery_url(),
        Answer::Body(discovery.to_string().into()),
    );
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn an_algorithm_that_an_issuer_has_taken_up_is_found_after_an_hour() {
    let scene = scene();
    let mut discovery = scene.idp.discovery();
    discovery["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    scene.fetch.answer(
        &scene.idp.discovery_url(),
        Answer::Body(discovery.to_string().into()),
    );
    assert_eq!(scene.reason(&scene.idp.token()).await, "algorithm");
    scene.fetch.serve(&scene.idp);
    assert_eq!(scene.reason(&scene.idp.token()).await, "algorithm");
    advance(Duration::from_secs(3601)).await;
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn refuses_a_discovery_document_that_is_not_the_issuers() {
    for (name, value) in [
        ("issuer", json!("https://issuer.example.com/")),
        ("issuer", json!("https://other.example.com")),
        ("issuer", json!(null)),
        ("jwks_uri", json!(null)),
        ("jwks_uri", json!("")),
        ("jwks_uri", json!("/keys")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks_uri", json!("http://issuer.example.com/keys")),
        ("id_token_signing_alg_values_supported", json!("ES256")),
    ] {
        let scene = scene();
        let mut discovery = scene.idp.discovery();
        discovery[name] = value.clone();
        scene.fetch.answer(
            &scene.idp.discovery_url(),
            Answer::Body(discovery.to_string().into()),
        );
        assert_eq!(
            scene.reason(&scene.idp.token()).await,
            "discovery",
            "{name}: {value}"
        );
        assert_eq!(scene.fetch.requests(), 1);
    }
}

/// The rules of Fulcio's verifier, which decodes all of these.
#[tokio::test(start_paused = true)]
async fn members_of_a_discovery_document_have_their_types() {
    let endpoints = [
        "authorization_endpoint",
        "device_authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
    ];
    for name in endpoints {
        for value in [json!(1), json!(true), json!([]), json!({})] {
            assert_eq!(
                judged_with(name, &value).await,
                "discovery",
                "{name}: {value}"
            );
        }
        for value in [json!(null), json!(""), json!("anything")] {
            assert_eq!(
                judged_with(name, &value).await,
                "accepted",
                "{name}: {value}"
            );
        }
    }
    let algorithms = "id_token_signing_alg_values_supported";
    for value in [json!(["ES256", 1]), json!("ES256"), json!({})] {
        assert_eq!(
            judged_with(algorithms, &value).await,
            "discovery",
            "{value}"
        );
    }
    assert_eq!(
        judged_with(algorithms, &json!(["ES256", null])).await,
        "accepted"
    );
    assert_eq!(
        judged_with("subject_types_supported", &json!(1)).await,
        "accepted"
    );
}

/// Fulcio's verifier would read them.
#[tokio::test(start_paused = true)]
async fn refuses_members_in_another_case_and_members_that_stand_there_twice() {
    for member in [
        r#""JWKS_URI":"https://issuer.example.com/other""#,
        r#""jw\u212as_uri":null"#,
        r#""i\u017fsuer":null"#,
        r#""Token_Endpoint":1"#,
        r#""Id_token_signing_alg_values_supported":["RS256"]"#,
        r#""jwks_uri":null"#,
        r#""token_endpoint":null,"token_endpoint":null"#,
    ] {
        assert_eq!(judged_beside(member).await, "discovery", "{member}");
    }
    assert_eq!(
        judged_beside(r#""jwks-uri":1,"x":1,"x":2"#).await,
        "accepted"
    );
}

#[tokio::test(start_paused = true)]
async fn refuses_nesting_that_no_reader_follows() {
    let deep = |depth: usize| format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(judged_beside(&deep(20_000)).await, "discovery");
    assert_eq!(judged_beside(&deep(100)).await, "accepted");
}

/// Texts that the WHATWG standard repairs, and Go does not.
#[tokio::test(start_paused = true)]
async fn refuses_a_key_set_url_that_must_be_repaired_first() {
    for url in [
        " https://issuer.example.com/keys",
        "https:issuer.example.com/keys",
        "https:/issuer.example.com/keys",
        "https:\\\\issuer.example.com/keys",
        "https:///issuer.example.com/keys",
        "https://issuer.example.com/ke\nys",
        "https://issuer.example.com/%zz",
        "https://issuer.example.com:/%",
    ] {
        assert_eq!(
            judged_with("jwks_uri", &json!(url)).await,
            "discovery",
            "{url:?}"
        );
    }
}

async fn judged_with(name: &str, value: &serde_json::Value) -> &'static str {
    let scene = scene();
    let mut discovery = scene.idp.discovery();
    discovery[name] = value.clone();
    judged(&scene, discovery.to_string()).await
}

/// The same for a document that has `member` besides.
async fn judged_beside(member: &str) -> &'static str {
    let scene = scene();
    let document = scene.idp.discovery().to_string();
    let document = document.replacen('{', &format!("{{{member},"), 1);
    judged(&scene, document).await
}

async fn judged(scene: &Scene, discovery: String) -> &'static str {
    scene
        .fetch
        .answer(&scene.idp.discovery_url(), Answer::Body(discovery.into()));
    scene.reason(&scene.idp.token()).await
}

#[tokio::test(start_paused = true)]
async fn one_slash_at_the_end_of_an_issuer_is_dropped_for_discovery_only() {
    let scene = of(FakeIdp::new(key("k")).issued_by("https://issuer.example.com/tenant/"));
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
    let url = "https://issuer.example.com/tenant/.well-known/openid-configuration";
    assert_eq!(scene.fetch.requests_for(url), 1);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_over_http_may_have_its_keys_there() {
    let scene = of(FakeIdp::new(key("k")).issued_by("http://127.0.0.1:5555/dev-idp"));
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn what_a_token_or_a_key_points_at_is_never_fetched() {
    const ELSEWHERE: &str = "https://elsewhere.example.com/keys";
    let own = key("first").published_with("x5u", ELSEWHERE);
    let scene = of(FakeIdp::new(own));
    let stranger = FakeKey::generate(Algorithm::Es256).named("first");
    let set = json!({ "keys": [stranger.jwk()] });
    scene
        .fetch
        .answer(ELSEWHERE, Answer::Body(set.to_string().into_bytes()));
    let pointing = |name: &str| {
        let draft = scene.idp.draft().parameter(name, ELSEWHERE);
        let sources = json!({ "s": { "endpoint": ELSEWHERE, "access_token": "t" } });
        draft
            .claim("_claim_names", json!({ "groups": "s" }))
            .claim("_claim_sources", sources)
    };
    for name in ["jku", "x5u", "iss", "url"] {
        let forged = pointing(name).signed_by(&stranger).mint();
        assert_eq!(scene.reason(&forged).await, "signature", "{name}");
        let good = pointing(name).mint();
        assert_eq!(scene.reason(&good).await, "accepted", "{name}");
    }
    for name in ["jwk", "x5c"] {
        let bringing = scene.idp.draft().parameter(name, stranger.jwk());
        let forged = bringing.signed_by(&stranger).mint();
        assert_eq!(scene.reason(&forged).await, "malformed", "{name}");
    }
    assert_eq!(scene.fetch.requests_for(ELSEWHERE), 0);
    assert_eq!(
        scene.fetch.requests(),
        scene.discoveries() + scene.key_sets()
    );
}

#[tokio::test(start_paused = true)]
async fn goes_on_with_what_an_earlier_provider_of_the_same_issuer_knows() {
    let scene = scene();
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
    let again = |issuer: &str, audience: &str| {
        let mut provider = Provider::new(issuer, audience, Arc::new(scene.fetch.clone()));
        provider.resume(&scene.provider);
        provider
    };
    let next = again(scene.idp.issuer(), scene.idp.audience());
    at_once(verify(&next, &scene.idp.token())).await.unwrap();
    assert_eq!(scene.fetch.requests(), 2);
    // Another audience is another rule for the same keys.
    let other = again(scene.idp.issuer(), "other");
    let token = scene.idp.draft().claim("aud", "other").mint();
    at_once(verify(&other, &token)).await.unwrap();
    assert_eq!(scene.fetch.requests(), 2);
    // What rests goes on resting.
    assert_eq!(scene.reason(&stranger(&scene)).await, "signature");
    let requests = scene.fetch.requests();
    at_once(verify(&next, &stranger(&scene))).await.unwrap_err();
    assert_eq!(scene.fetch.requests(), requests);

    let elsewhere = FakeIdp::new(key("first")).issued_by("https://elsewhere.example");
    scene.fetch.serve(&elsewhere);
    let other = again(elsewhere.issuer(), elsewhere.audience());
    verify(&other, &elsewhere.token()).await.unwrap();
    assert_eq!(scene.fetch.requests(), requests + 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_known_until_a_fetch_succeeds() {
    let scene = scene();
    assert!(scene.provider.last_failure().is_none());
    let good = Answer::Body(scene.idp.discovery().to_string().into());
    scene
        .fetch
        .answer(&scene.idp.discovery_url(), Answer::Status(503));
    assert_eq!(scene.reason(&scene.idp.token()).await, "unreachable");
    let failure = scene.provider.last_failure();
    assert!(
        matches!(failure, Some(Error::Unreachable { .. })),
        "{failure:?}"
    );
    scene.fetch.answer(&scene.idp.discovery_url(), good);
    advance(Provider::COOL_DOWN).await;
    assert_eq!(scene.reason(&scene.idp.token()).await, "accepted");
    assert!(scene.provider.last_failure().is_none());
}
