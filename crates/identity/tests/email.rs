//! Issuers of type `email`.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod support;

use fulcio_identity::{ClaimPath, Error, IssuerConfig};
use fulcio_principal::{Extension, Fault, SubjectAltName};
use serde_json::{Value, json};
use support::{IDP, ISSUER, authenticate, email_issuer};

fn with_path(path: &str) -> IssuerConfig {
    let mut issuer = email_issuer();
    issuer.issuer_claim = Some(ClaimPath::parse(path).unwrap());
    issuer
}

fn skipping() -> IssuerConfig {
    let mut issuer = email_issuer();
    issuer.skip_email_verification = true;
    issuer
}

#[tokio::test]
async fn the_address_is_challenge_and_name() {
    let identity = authenticate(email_issuer(), IDP.draft()).await.unwrap();
    let principal = identity.principal();
    assert_eq!(principal.challenge, "ada@example.com");
    assert_eq!(
        principal.subject,
        SubjectAltName::Email("ada@example.com".into())
    );
    let extensions: Vec<_> = principal.extensions.iter().collect();
    assert_eq!(
        extensions,
        [
            (Extension::IssuerV1, ISSUER),
            (Extension::IssuerV2, ISSUER),
            (Extension::TokenSubject, "1234"),
        ]
    );
}

#[tokio::test]
async fn an_empty_subject_is_no_extension() {
    for draft in [
        IDP.draft().claim("sub", ""),
        IDP.draft().without_claim("sub"),
    ] {
        let identity = authenticate(email_issuer(), draft).await.unwrap();
        let extensions = &identity.principal().extensions;
        assert_eq!(extensions.value(Extension::TokenSubject), None);
        assert_eq!(extensions.iter().count(), 2);
    }
}

#[tokio::test]
async fn email_verified_may_be_a_boolean_or_its_name() {
    let outcome = async |issuer, value: Value| {
        let draft = IDP.draft().claim("email_verified", value);
        authenticate(issuer, draft)
            .await
            .map_err(|error| error.reason())
    };
    for yes in [json!(true), json!("true"), json!("True")] {
        assert!(outcome(email_issuer(), yes).await.is_ok());
    }
    for no in [json!(false), json!("false"), json!("False")] {
        assert_eq!(
            outcome(email_issuer(), no.clone()).await.unwrap_err(),
            "email-unverified"
        );
        assert!(outcome(skipping(), no).await.is_ok());
    }
    for neither in [
        json!("TRUE"),
        json!("yes"),
        json!(1),
        json!(null),
        json!([true]),
        json!(""),
    ] {
        for issuer in [email_issuer(), skipping()] {
            let reason = outcome(issuer, neither.clone()).await.unwrap_err();
            assert_eq!(reason, "email-verified-malformed", "{neither}");
        }
    }
}

#[tokio::test]
async fn email_verified_may_be_absent_only_where_it_is_skipped() {
    let draft = IDP.draft().without_claim("email_verified");
    let error = authenticate(email_issuer(), draft.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::EmailUnverified));
    assert!(authenticate(skipping(), draft).await.is_ok());
}

#[tokio::test]
async fn a_token_without_an_address_is_refused() {
    let absent = IDP.draft().without_claim("email");
    let error = authenticate(email_issuer(), absent).await.unwrap_err();
    assert!(matches!(error, Error::EmailAbsent));
    for value in [json!(""), json!(null), json!(7), json!(["ada@example.com"])] {
        let draft = IDP.draft().claim("email", value);
        let error = authenticate(email_issuer(), draft).await.unwrap_err();
        assert!(matches!(error, Error::EmailAbsent));
        assert_eq!(error.fault(), Fault::Token);
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused_even_when_it_is_said_to_be_verified() {
    for address in [
        "not-an-email",
        "ada@localhost",
        "ada@example.com\n",
        "a b@example.com",
        "@b.c",
    ] {
        for issuer in [email_issuer(), skipping()] {
            let draft = IDP.draft().claim("email", address);
            let error = authenticate(issuer, draft).await.unwrap_err();
            assert!(matches!(error, Error::EmailInvalid), "{address:?}");
        }
    }
}

#[tokio::test]
async fn the_name_of_the_issuer_may_come_from_a_claim() {
    let draft = IDP.draft().claim(
        "federated_claims",
        json!({ "connector_id": "https://github.com/login/oauth" }),
    );
    let issuer = with_path("$.federated_claims.connector_id");
    let identity = authenticate(issuer, draft).await.unwrap();
    let extensions = &identity.principal().extensions;
    for extension in [Extension::IssuerV1, Extension::IssuerV2] {
        assert_eq!(
            extensions.value(extension),
            Some("https://github.com/login/oauth")
        );
    }
}

#[tokio::test]
async fn a_token_without_the_claim_is_refused_and_not_named_after_iss() {
    for claims in [
        json!({}),
        json!(null),
        json!("text"),
        json!({ "connector_id": { "a": 1 } }),
    ] {
        let draft = IDP.draft().claim("federated_claims", claims);
        let issuer = with_path("$.federated_claims.connector_id");
        let error = authenticate(issuer, draft).await.unwrap_err();
        assert_eq!(error.reason(), "issuer-claim");
        assert_eq!(error.fault(), Fault::Token);
    }
}

#[tokio::test]
async fn an_empty_name_is_told_to_the_caller() {
    let draft = IDP.draft().claim("connector", "");
    let error = authenticate(with_path("$.connector"), draft)
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Principal);
    let Error::Unnameable { challenge, source } = error else {
        panic!("{error:?}");
    };
    assert_eq!(challenge, "ada@example.com");
    assert!(matches!(*source, Error::IssuerNameEmpty), "{source:?}");
}

#[tokio::test]
async fn two_claims_of_one_name_are_refused() {
    let draft = IDP
        .draft()
        .claims_ending_in(r#","email":"eve@example.com""#);
    let error = authenticate(email_issuer(), draft).await.unwrap_err();
    assert_eq!(error.reason(), "malformed");
}
