//! The authorization code flow with PKCE, step by step as a client goes it.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod support;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Response};
use support::{encode, get, json, post, request, send, text};
use url::Url;

// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://localhost:40123/auth/callback";

fn wish() -> Vec<(&'static str, &'static str)> {
    vec![
        ("response_type", "code"),
        ("client_id", "sigstore"),
        ("client_secret", ""),
        ("scope", "openid email"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "a \"state\" & more"),
        ("nonce", "the nonce"),
    ]
}

fn with(changes: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut fields = wish();
    for (name, value) in changes {
        fields.retain(|(field, _)| field != name);
        fields.push((name, value));
    }
    fields
}

fn ask(fields: &[(&str, &str)]) -> Response<Bytes> {
    get(&format!("/authorize?{}", encode(fields)))
}

/// Fills in the login page, as a browser would.
fn log_in(page: &str, email: &str) -> Response<Bytes> {
    let mut fields = vec![("email".to_owned(), email.to_owned())];
    for input in page.split("<input type=\"hidden\" ").skip(1) {
        let mut quoted = input.split('"').skip(1).step_by(2);
        let mut next = || {
            quoted
                .next()
                .unwrap()
                .replace("&quot;", "\"")
                .replace("&amp;", "&")
        };
        fields.push((next(), next()));
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    post("/authorize", &fields)
}

fn location(response: &Response<Bytes>) -> Url {
    assert_eq!(response.status(), 303, "{}", text(response));
    let location = response.headers()["location"].to_str().unwrap();
    Url::parse(location).unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let mut pairs = url.query_pairs();
    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
}

fn code() -> String {
    let page = ask(&wish());
    parameter(&location(&log_in(text(&page), "ada@example.com")), "code")
}

fn exchange(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", "sigstore"),
        ("code_verifier", VERIFIER),
    ]
}

fn claims(token: &str) -> serde_json::Value {
    let payload = token.split('.').nth(1).unwrap();
    let json = base64::prelude::BASE64_URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn a_login_gives_a_code_and_the_code_a_token() {
    let page = ask(&wish());
    assert_eq!(page.status(), 200);
    assert!(text(&page).contains("For development only."));

    let back = location(&log_in(text(&page), "ada@example.com"));
    assert!(back.as_str().starts_with(CALLBACK));
    assert_eq!(parameter(&back, "state"), "a \"state\" & more");

    let response = post("/token", &exchange(&parameter(&back, "code")));
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = json(&response);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 600);
    assert_eq!(answer["access_token"], answer["id_token"]);
    let claims = claims(answer["id_token"].as_str().unwrap());
    assert_eq!(claims["email"], "ada@example.com");
    assert_eq!(claims["aud"], "sigstore");
    assert_eq!(claims["nonce"], "the nonce");
    assert_eq!(claims["development"], true);
}

#[test]
fn a_client_may_name_itself_by_basic_authentication() {
    let code = code();
    let mut fields = exchange(&code);
    fields.retain(|(name, _)| *name != "client_id");
    let basic = format!("Basic {}", BASE64_STANDARD.encode("sigstore:"));
    let request = request(Method::POST, "/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic);
    assert_eq!(send(request, encode(&fields)).status(), 200);
}

#[test]
fn a_client_without_a_listener_gets_its_code_by_a_person() {
    let page = ask(&with(&[("redirect_uri", "urn:ietf:wg:oauth:2.0:oob")]));
    let page = log_in(text(&page), "ada@example.com");
    assert_eq!(page.status(), 200);
    let code = text(&page).split("<pre>").nth(1).unwrap();
    let code = code.split('<').next().unwrap();
    let mut fields = exchange(code);
    fields[2].1 = "urn:ietf:wg:oauth:2.0:oob";
    assert_eq!(post("/token", &fields).status(), 200);
}

#[test]
fn a_code_is_good_once() {
    let code = code();
    assert_eq!(post("/token", &exchange(&code)).status(), 200);
    let again = post("/token", &exchange(&code));
    assert_eq!(again.status(), 400);
    assert_eq!(json(&again)["error"], "invalid_grant");
}

#[test]
fn a_code_is_only_for_who_asked_for_it() {
    for (field, value, error) in [
        ("grant_type", "password", "unsupported_grant_type"),
        ("code", "made-up", "invalid_grant"),
        ("code_verifier", "made-up", "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
        ("code_verifier", CHALLENGE, "invalid_grant"),
        ("redirect_uri", "http://localhost:1/", "invalid_grant"),
        ("client_id", "somebody-else", "invalid_grant"),
        ("client_id", "", "invalid_client"),
    ] {
        let code = code();
        let mut fields = exchange(&code);
        let at = fields.iter().position(|(name, _)| *name == field).unwrap();
        fields[at].1 = value;
        let response = post("/token", &fields);
        assert_eq!(response.status(), 400, "{field}={value}");
        assert_eq!(json(&response)["error"], error, "{field}={value}");
    }
}

#[test]
fn nobody_is_sent_off_this_machine() {
    for uri in [
        "https://evil.example/",
        "http://evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1@evil.example/",
        "https://localhost/",
        "javascript:alert(1)",
        "//evil.example",
        "http://localhost/#fragment",
        "",
    ] {
        let response = ask(&with(&[("redirect_uri", uri)]));
        assert_eq!(response.status(), 400, "{uri}");
        assert!(!response.headers().contains_key("location"), "{uri}");
        let mut fields = with(&[("redirect_uri", uri)]);
        fields.push(("email", "ada@example.com"));
        let response = post("/authorize", &fields);
        assert_eq!(response.status(), 400, "{uri}");
    }
}

#[test]
fn other_mistakes_are_told_to_the_client() {
    for (field, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "email", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
    ] {
        let back = location(&ask(&with(&[(field, value)])));
        assert_eq!(parameter(&back, "error"), error, "{field}={value}");
        assert_eq!(parameter(&back, "state"), "a \"state\" & more");
    }
}

#[test]
fn a_login_without_an_address_shows_the_page_again() {
    let page = ask(&wish());
    let again = log_in(text(&page), "nobody");
    assert_eq!(again.status(), 400);
    assert!(text(&again).contains("That is not an e-mail address."));
    let back = location(&log_in(text(&again), "ada@example.com"));
    assert_eq!(parameter(&back, "state"), "a \"state\" & more");
}

#[test]
fn what_a_client_sends_is_text_on_the_page() {
    let evil = "\"><script>alert(1)</script>";
    let page = ask(&with(&[
        ("client_id", evil),
        ("state", evil),
        ("login_hint", evil),
    ]));
    assert_eq!(page.status(), 200);
    assert!(!text(&page).contains("<script"));
}
