//! Which issuer a token is for, and what comes out.

mod support;

use std::sync::Arc;

use fulcio_identity::{
    Config, Error, IssuerAddress, IssuerConfig, IssuerKind, IssuerPattern, Issuers, LoadError,
};
use fulcio_oidc_verify::{Algorithm, FetchError};
use fulcio_principal::{Authenticator, Fault};
use fulcio_testkit::idp::{Answer, FakeFetch, FakeIdp, FakeKey};
use support::{IDP, ISSUER, email_issuer, serving};

fn pattern(text: &str, client_id: &str, kind: IssuerKind) -> IssuerConfig {
    IssuerConfig::new(
        IssuerAddress::Pattern(IssuerPattern::new(text)),
        client_id,
        kind,
    )
}

fn idp(issuer: &str) -> FakeIdp {
    FakeIdp::new(FakeKey::generate(Algorithm::Es256)).issued_by(issuer)
}

async fn reason(issuers: &Issuers, token: &str) -> &'static str {
    let outcome = issuers.authenticate(token, FakeIdp::now()).await;
    outcome.map_or_else(|error| error.reason(), |_identity| "accepted")
}

#[tokio::test]
async fn an_issuer_that_is_not_configured_is_never_asked() {
    let fetch = FakeFetch::serving(&IDP);
    let issuers = serving(&Config::from_issuers([email_issuer()]), &fetch);
    for issuer in [
        "https://issuer.example.com/",
        "https://ISSUER.example.com",
        "http://issuer.example.com",
        "issuer.example.com",
        "",
    ] {
        let token = IDP.draft().claim("iss", issuer).mint();
        assert_eq!(reason(&issuers, &token).await, "unknown-issuer", "{issuer}");
    }
    assert_eq!(fetch.requests(), 0);
}

#[tokio::test]
async fn a_made_up_issuer_of_any_length_fits_a_log_line() {
    let issuers = serving(&Config::default(), &FakeFetch::default());
    let token = IDP.draft().claim("iss", "\u{1f600}\n".repeat(5000)).mint();
    let error = issuers
        .authenticate(&token, FakeIdp::now())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::UnknownIssuer { .. }));
    assert!(error.to_string().len() < 1000 && !error.to_string().contains('\n'));
}

#[tokio::test]
async fn nothing_is_fetched_before_a_token_comes() {
    let fetch = FakeFetch::serving(&IDP);
    let issuers = serving(&Config::from_issuers([email_issuer()]), &fetch);
    assert_eq!(fetch.requests(), 0);
    assert_eq!(reason(&issuers, &IDP.token()).await, "accepted");
    assert_eq!(reason(&issuers, &IDP.token()).await, "accepted");
    assert_eq!(fetch.requests(), 2);
}

#[tokio::test]
async fn every_issuer_of_a_pattern_has_its_own_keys() {
    let (one, other) = (
        idp("https://a.example.com/x"),
        idp("https://b.example.com/x"),
    );
    let fetch = FakeFetch::serving(&one);
    fetch.serve(&other);
    let meta = pattern("https://*.example.com/x", "sigstore", IssuerKind::Email);
    let issuers = serving(&Config::from_issuers([meta]), &fetch);
    for idp in [&one, &other, &one] {
        let identity = issuers
            .authenticate(&idp.token(), FakeIdp::now())
            .await
            .unwrap();
        let mut extensions = identity.principal().extensions.iter();
        assert_eq!(extensions.next().unwrap().1, idp.issuer());
    }
    assert_eq!(fetch.requests(), 4);
    let forged = one.draft().signed_by(other.key()).mint();
    assert_eq!(reason(&issuers, &forged).await, "signature");
    let elsewhere = idp("https://a.b.example.com/x").token();
    assert_eq!(reason(&issuers, &elsewhere).await, "unknown-issuer");
}

#[tokio::test]
async fn a_url_wins_over_a_pattern_and_the_more_specific_pattern_over_the_other() {
    let patterns = [
        pattern("https://issuer.example.com/*", "least", IssuerKind::Email),
        pattern(
            "https://issuer.example.com/tenant-*",
            "more",
            IssuerKind::Email,
        ),
    ];
    let address = IssuerAddress::Url("https://issuer.example.com/tenant-1".into());
    let url = IssuerConfig::new(address, "most", IssuerKind::Email);
    let forwards = Config::from_issuers(patterns.iter().cloned().chain([url.clone()]));
    let backwards = Config::from_issuers([url].into_iter().chain(patterns.into_iter().rev()));
    for config in [forwards, backwards] {
        for (issuer, audience) in [
            ("https://issuer.example.com/tenant-1", "most"),
            ("https://issuer.example.com/tenant-2", "more"),
            ("https://issuer.example.com/other", "least"),
        ] {
            for offered in ["least", "more", "most"] {
                let idp = idp(issuer).for_audience(offered);
                let issuers = serving(&config, &FakeFetch::serving(&idp));
                let expected = if offered == audience {
                    "accepted"
                } else {
                    "audience"
                };
                assert_eq!(
                    reason(&issuers, &idp.token()).await,
                    expected,
                    "{issuer} {offered}"
                );
            }
        }
    }
}

#[tokio::test]
async fn of_two_issuers_with_one_url_the_audience_decides() {
    let mut strict = email_issuer();
    strict.client_id = "strict".into();
    let mut lax = email_issuer();
    lax.client_id = "lax".into();
    lax.skip_email_verification = true;
    let issuers = serving(
        &Config::from_issuers([strict, lax]),
        &FakeFetch::serving(&IDP),
    );
    let draft = IDP.draft().claim("email_verified", false);
    for (audience, expected) in [
        ("strict", "email-unverified"),
        ("lax", "accepted"),
        ("neither", "audience"),
    ] {
        let token = draft.clone().claim("aud", audience).mint();
        assert_eq!(reason(&issuers, &token).await, expected, "{audience}");
    }
}

#[tokio::test]
async fn issuers_of_an_unknown_type_are_listed_and_do_not_stop_the_others() {
    let mut private = email_issuer();
    private.kind = IssuerKind::Other("private".into());
    private.address = IssuerAddress::Url("https://private.example.com".into());
    let fetch = FakeFetch::serving(&IDP);
    let issuers = serving(&Config::from_issuers([private, email_issuer()]), &fetch);
    let unserved: Vec<_> = issuers.unserved().map(|one| one.issuer.as_str()).collect();
    assert_eq!(unserved, ["https://private.example.com"]);
    assert_eq!(reason(&issuers, &IDP.token()).await, "accepted");
    let token = IDP
        .draft()
        .claim("iss", "https://private.example.com")
        .mint();
    let error = issuers
        .authenticate(&token, FakeIdp::now())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "kind-not-served");
    assert!(error.to_string().contains("private.example.com"), "{error}");
}

#[test]
fn an_issuer_that_lacks_what_its_type_needs_is_refused() {
    for (kind, expected) in [
        (IssuerKind::CiProvider, "no templates"),
        (IssuerKind::Spiffe, "no trust domain"),
        (IssuerKind::Uri, "no URL"),
    ] {
        let mut issuer = email_issuer();
        issuer.kind = kind;
        issuer.subject_domain = ":".into();
        let config = Config::from_issuers([issuer]);
        let outcome = Issuers::new(&config, &|_| Ok(Arc::new(FakeFetch::default())));
        let error = outcome.unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains(ISSUER),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_told_apart_from_a_bad_token() {
    let fetch = FakeFetch::serving(&IDP);
    fetch.answer(&IDP.discovery_url(), Answer::Status(503));
    let issuers = serving(&Config::from_issuers([email_issuer()]), &fetch);
    let authenticator: &dyn Authenticator = &issuers;
    let error = authenticator
        .authenticate(&IDP.token(), FakeIdp::now())
        .await
        .unwrap_err();
    assert_eq!(
        (error.fault(), error.reason()),
        (Fault::Provider, "unreachable")
    );
    let error = authenticator
        .authenticate("a.b", FakeIdp::now())
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Token);
    let unverified = IDP.draft().claim("email_verified", false).mint();
    fetch.serve(&IDP);
    let fresh = serving(&Config::from_issuers([email_issuer()]), &fetch);
    let error = Authenticator::authenticate(&fresh, &unverified, FakeIdp::now())
        .await
        .unwrap_err();
    assert_eq!(
        (error.fault(), error.reason()),
        (Fault::Token, "email-unverified")
    );
}

#[test]
fn a_way_to_ask_is_made_once_for_each_issuer_that_is_served() {
    let asked = std::sync::Mutex::new(Vec::new());
    let config = Config::from_issuers([
        email_issuer(),
        pattern("https://*.example.com/x", "x", IssuerKind::Email),
        pattern(
            "https://*.example.org/x",
            "x",
            IssuerKind::Other("private".into()),
        ),
    ]);
    Issuers::new(&config, &|issuer| {
        asked.lock().unwrap().push(issuer.to_string());
        Ok(Arc::new(FakeFetch::default()))
    })
    .unwrap();
    assert_eq!(*asked.lock().unwrap(), [ISSUER, "https://*.example.com/x"]);
}

#[test]
fn a_failure_to_make_one_names_the_issuer_and_keeps_the_cause() {
    let config = Config::from_issuers([email_issuer()]);
    let error = Issuers::new(&config, &|_| Err(Box::new(FetchError::Url))).unwrap_err();
    assert!(matches!(&error, LoadError::Fetch { issuer, source }
        if issuer == ISSUER && source.is::<FetchError>()));
}

#[test]
fn issuers_that_cannot_be_told_apart_are_refused() {
    let ties = [
        [email_issuer(), email_issuer()],
        [
            pattern("https://*.ab.com/x", "one", IssuerKind::Email),
            pattern("https://ab.*.com/x", "two", IssuerKind::Email),
        ],
    ];
    for tie in ties {
        let config = Config::from_issuers(tie);
        let outcome = Issuers::new(&config, &|_| Ok(Arc::new(FakeFetch::default())));
        assert!(matches!(outcome, Err(LoadError::Conflict { .. })));
    }
}

#[tokio::test]
async fn keys_stay_over_a_new_configuration_where_an_issuer_is_asked_as_before() {
    const PATTERN: &str = "https://*.example.net";
    let near = idp("https://a.example.net");
    let fetch = FakeFetch::serving(&IDP);
    fetch.serve(&near);
    let family = |text, client_id| pattern(text, client_id, IssuerKind::Email);
    let first = Config::from_issuers([email_issuer(), family(PATTERN, "sigstore")]);
    let first = serving(&first, &fetch);
    for token in [IDP.token(), near.token()] {
        assert_eq!(reason(&first, &token).await, "accepted");
    }
    assert_eq!(fetch.requests(), 4);

    // Other rules, and another audience, for the same keys; twice, for a reload may follow a reload.
    let mut changed = email_issuer();
    changed.client_id = "other".to_owned();
    let second = Config::from_issuers([changed, family(PATTERN, "other")]);
    let second = serving(&second, &fetch).resuming(&first);
    let third = Config::from_issuers([email_issuer(), family(PATTERN, "other")]);
    let third = serving(&third, &fetch).resuming(&second);
    assert_eq!(reason(&third, &IDP.token()).await, "accepted");
    assert_eq!(reason(&third, &near.token()).await, "audience");
    let token = near.draft().claim("aud", "other").mint();
    assert_eq!(reason(&third, &token).await, "accepted");
    assert_eq!(fetch.requests(), 4);

    // Who answers under another root may be another.
    let mut moved = email_issuer();
    moved.ca_certificates = vec![vec![1].into()];
    let fourth = Config::from_issuers([moved, family("https://a.*.net", "sigstore")]);
    let fourth = serving(&fourth, &fetch).resuming(&third);
    assert_eq!(reason(&fourth, &IDP.token()).await, "accepted");
    assert_eq!(fetch.requests(), 6);
    // Another pattern, asked in the same way.
    assert_eq!(reason(&fourth, &near.token()).await, "accepted");
    assert_eq!(fetch.requests(), 6);
}

#[tokio::test]
async fn it_is_known_whose_keys_could_not_be_fetched() {
    const PATTERN: &str = "https://*.example.net";
    let near = idp("https://a.example.net");
    let fetch = FakeFetch::serving(&near);
    let config = [
        email_issuer(),
        pattern(PATTERN, "sigstore", IssuerKind::Email),
    ];
    let issuers = serving(&Config::from_issuers(config), &fetch);
    let failed = |address| issuers.last_failure(address).map(|error| error.reason());
    assert_eq!((failed(ISSUER), failed(PATTERN)), (None, None));
    assert_eq!(reason(&issuers, &IDP.token()).await, "unreachable");
    assert_eq!(
        (failed(ISSUER), failed(PATTERN)),
        (Some("unreachable"), None)
    );
    // Anybody can make up an issuer that matches.
    let made_up = idp("https://b.example.net");
    assert_eq!(reason(&issuers, &made_up.token()).await, "unreachable");
    assert_eq!(failed(PATTERN), None);
    assert_eq!(reason(&issuers, &near.token()).await, "accepted");
    assert_eq!(failed(PATTERN), None);
    fetch.answer(&near.jwks_url(), Answer::Status(500));
    let unknown = near.draft().parameter("kid", "unknown").mint();
    assert_ne!(reason(&issuers, &unknown).await, "accepted");
    assert_eq!(failed(PATTERN), Some("unreachable"));
    assert_eq!(failed("https://nobody.example"), None);
}
