//! The tokens, judged by the crate that the certificate authority verifies them with.

mod support;

use std::{sync::Arc, time::Duration};

use fulcio_dev_idp::{DevIdp, Error, Keys, TokenRequest};
use fulcio_oidc_verify::{Fetch, FetchError, Fetching, Provider, UnverifiedToken, VerifiedToken};
use support::{IDP, ISSUER, get, now, text};

/// Asks the provider without a network.
#[derive(Debug)]
struct Direct;

impl Fetch for Direct {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let path = url.strip_prefix(ISSUER).ok_or(FetchError::Url)?;
            let response = get(path);
            match response.status().as_u16() {
                200 => Ok(response.into_body().to_vec()),
                status => Err(FetchError::Status(status)),
            }
        })
    }
}

async fn verified(token: &str) -> Result<VerifiedToken, fulcio_oidc_verify::Error> {
    let provider = Provider::new(ISSUER, "sigstore", Arc::new(Direct));
    provider.verify(UnverifiedToken::parse(token)?, now()).await
}

#[tokio::test]
async fn a_token_of_each_algorithm_is_verified_by_discovery_and_key_set() {
    for algorithm in ["RS256", "ES256"] {
        let response = get(&format!("/token?email=ada@example.com&alg={algorithm}"));
        assert_eq!(response.status(), 200);
        let token = verified(text(&response)).await.unwrap();
        assert_eq!(token.issuer(), ISSUER);
        assert_eq!(token.subject(), "ada@example.com");
        assert_eq!(token.claim("email").unwrap(), "ada@example.com");
        assert_eq!(token.claim("email_verified").unwrap(), true);
        assert_eq!(token.claim("development").unwrap(), true);
        assert_eq!(token.claim("iat").unwrap(), 1_800_000_000);
        assert_eq!(token.claim("exp").unwrap(), 1_800_000_600);
        assert_eq!(token.claim("nonce"), None);
    }
}

#[tokio::test]
async fn a_token_expires_after_ten_minutes() {
    let request = TokenRequest::for_email("ada@example.com");
    let earlier = |seconds| now() - Duration::from_secs(seconds);
    let young = IDP.token(&request, earlier(599)).unwrap();
    let old = IDP.token(&request, earlier(601)).unwrap();
    assert!(verified(&young).await.is_ok());
    assert_eq!(verified(&old).await.unwrap_err().reason(), "expired");
}

#[tokio::test]
async fn a_token_is_for_the_audience_that_was_asked_for() {
    let response = get("/token?email=ada@example.com&audience=elsewhere");
    let error = verified(text(&response)).await.unwrap_err();
    assert_eq!(error.reason(), "audience");
}

#[tokio::test]
async fn kept_keys_still_verify_old_tokens_and_new_keys_do_not() {
    let token = TokenRequest::for_email("ada@example.com");
    let (rsa, p256) = (
        IDP.keys().rsa_pkcs8().unwrap(),
        IDP.keys().p256_pkcs8().unwrap(),
    );
    let kept = DevIdp::new(ISSUER, Keys::from_pkcs8(&rsa, &p256).unwrap()).unwrap();
    let fresh = DevIdp::new(ISSUER, Keys::generate().unwrap()).unwrap();
    assert!(verified(&kept.token(&token, now()).unwrap()).await.is_ok());
    let error = verified(&fresh.token(&token, now()).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "signature");
}

#[test]
fn a_broken_key_file_says_which_one_it_is() {
    let rsa = IDP.keys().rsa_pkcs8().unwrap();
    let error = Keys::from_pkcs8(&rsa, b"nonsense").unwrap_err();
    assert!(matches!(error, Error::Key { name: "P-256", .. }));
    let error = Keys::from_pkcs8(b"nonsense", &rsa).unwrap_err();
    assert!(matches!(error, Error::Key { name: "RSA", .. }));
}

#[test]
fn a_request_for_no_email_or_an_unknown_algorithm_is_refused() {
    for path in [
        "/token",
        "/token?email=",
        "/token?email=ada",
        "/token?email=a%0ab@c.d",
        "/token?email=ada@example.com&alg=none",
        "/token?email=ada@example.com&email=eve@example.com",
    ] {
        let response = get(path);
        assert_eq!(response.status(), 400, "{path}");
        assert!(!text(&response).contains("eyJ"), "{path}");
    }
}

#[test]
fn a_provider_off_this_machine_cannot_be_built() {
    for url in [
        "https://accounts.example.com",
        "http://0.0.0.0:5555",
        "http://10.0.0.1/x",
    ] {
        let error = DevIdp::new(url, Keys::generate().unwrap()).unwrap_err();
        assert!(matches!(error, Error::IssuerUrl { .. }), "{url}");
        assert!(error.to_string().contains(url));
    }
}

#[test]
fn the_private_keys_stay_out_of_debug_output() {
    let keys = IDP.keys();
    let debug = format!("{keys:?}");
    // Two identifiers of 43 characters, and their names.
    assert!(debug.len() < 120, "{debug}");
}
