//! Whom the provider answers, and with what.

mod support;

use bytes::Bytes;
use fulcio_dev_idp::DevIdp;
use http::{Method, Request};
use proptest::prelude::*;
use support::{IDP, ISSUER, encode, get, json, now, post, request, send, text};

#[test]
fn the_discovery_document_names_only_what_is_there() {
    let document = json(&get("/.well-known/openid-configuration"));
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["development"], true);
    for endpoint in [
        "authorization_endpoint",
        "jwks_uri",
        "token_endpoint",
        "service_documentation",
    ] {
        let url = document[endpoint].as_str().unwrap();
        let status = get(url.strip_prefix(ISSUER).unwrap()).status();
        assert_ne!(status, 404, "{endpoint}");
    }
}

#[test]
fn every_page_says_that_it_is_for_development() {
    for page in [
        get(""),
        get("/"),
        get("/authorize"),
        get("/authorize?client_id=x"),
    ] {
        assert!(
            text(&page).contains("For development only."),
            "{}",
            text(&page)
        );
        assert_eq!(page.headers()["x-frame-options"], "DENY");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
}

#[test]
fn a_name_that_is_not_this_machine_is_refused() {
    for host in [
        "evil.example",
        "evil.example:5555",
        "localhost.evil.example",
        "10.0.0.1",
        "",
    ] {
        let request = Request::get("/dev-idp/token?email=ada@example.com")
            .header("host", host)
            .body(Bytes::new())
            .unwrap();
        let response = IDP.handle(&request, now());
        assert_eq!(response.status(), 421, "{host}");
        assert!(!text(&response).contains("eyJ"), "{host}");
    }
    let nameless = Request::get("/dev-idp/").body(Bytes::new()).unwrap();
    assert_eq!(IDP.handle(&nameless, now()).status(), 421);
    let two = request(Method::GET, "/").header("host", "localhost");
    assert_eq!(send(two, "").status(), 421);
}

#[test]
fn the_name_may_stand_in_the_uri_as_in_http_2() {
    let to = |uri: &str| {
        let request = Request::get(uri).body(Bytes::new()).unwrap();
        IDP.handle(&request, now()).status()
    };
    assert_eq!(to("http://localhost:5555/dev-idp/"), 200);
    assert_eq!(to("http://[::1]:5555/dev-idp/"), 200);
    assert_eq!(to("http://evil.example/dev-idp/"), 421);
}

#[test]
fn other_sites_pages_are_refused() {
    for (header, value) in [
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:5555"),
        ("origin", "http://127.0.0.1:8080"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in ["/authorize", "/token"] {
            let request = request(Method::POST, path)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("sec-fetch-mode", "navigate")
                .header(header, value);
            let status = send(request, encode(&[("email", "ada@example.com")])).status();
            assert_eq!(status, 403, "{path} {header}: {value}");
        }
    }
    let script = request(Method::GET, "/token?email=ada@example.com")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "no-cors");
    assert_eq!(send(script, "").status(), 403);
}

#[test]
fn its_own_pages_and_links_from_elsewhere_are_answered() {
    let own = request(Method::POST, "/authorize")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://127.0.0.1:5555")
        .header("sec-fetch-site", "same-origin");
    // The form is empty, so the person is told what is missing.
    assert_eq!(send(own, "").status(), 400);
    let link = request(Method::GET, "/")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate");
    assert_eq!(send(link, "").status(), 200);
}

#[test]
fn what_is_not_there_and_what_is_not_a_form_is_told() {
    assert_eq!(get("/nothing").status(), 404);
    assert_eq!(get("x").status(), 404);
    assert_eq!(send(request(Method::DELETE, "/token"), "").status(), 405);
    assert_eq!(post("/keys", &[]).status(), 405);
    let json = request(Method::POST, "/token").header("content-type", "application/json");
    assert_eq!(send(json, "{}").status(), 415);
    assert_eq!(send(request(Method::POST, "/token"), "").status(), 415);
    let long = "x".repeat(DevIdp::BODY_LIMIT + 1);
    assert_eq!(post("/token", &[("code", &long)]).status(), 413);
    assert_eq!(get("/authorize?state=a&state=b").status(), 400);
}

#[test]
fn it_owns_the_paths_below_its_issuer() {
    for path in ["/dev-idp", "/dev-idp/", "/dev-idp/token"] {
        assert!(IDP.owns(path), "{path}");
    }
    for path in ["/", "/dev-idpx", "/api/dev-idp"] {
        assert!(!IDP.owns(path), "{path}");
    }
}

proptest! {
    #[test]
    fn no_form_breaks_it(
        path in "/(authorize|token|keys|)",
        is_post in any::<bool>(),
        fields in proptest::collection::vec(("(client_id|redirect_uri|state|code|email|scope|response_type|\\PC{0,4})", "\\PC{0,12}|code|openid|http://localhost/\\PC{0,6}"), 0..8),
        noise in "\\PC{0,40}",
    ) {
        let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let encoded = encode(&fields);
        let response = if is_post {
            let request = request(Method::POST, &path)
                .header("content-type", "application/x-www-form-urlencoded");
            send(request, if fields.is_empty() { noise } else { encoded })
        } else {
            get(&format!("{path}?{encoded}"))
        };
        prop_assert!(response.status() != 500);
        prop_assert!(!text(&response).contains("<script"));
    }

    #[test]
    fn only_names_of_this_machine_get_a_token(host in "[a-z0-9.:@\\[\\]-]{1,24}") {
        let request = Request::get("/dev-idp/token?email=a@b.c")
            .header("host", &host)
            .body(Bytes::new())
            .unwrap();
        let served = IDP.handle(&request, now()).status() == 200;
        let local = ["localhost", "127.", "[::1]", "[0"].iter().any(|name| host.starts_with(name));
        prop_assert!(!served || local, "{}", host);
    }
}
