use fulcio_api::proto::v2::{
    CreateSigningCertificateRequest, Credentials, SigningCertificate, credentials,
};
use serde_json::Value;
use tonic::{Code, Status};

use super::{
    super::common::{Answer, IdpServer, Server, get, grpc, http},
    broken::raw,
    signing::{Row, SIGNING},
};

const MESSAGE_LIMIT: usize = 4 << 20;

pub(super) fn start(flags: &[&str]) -> Server {
    let idp = IdpServer::start();
    let folder = tempfile::tempdir().unwrap();
    let config = format!("--config-path={}", idp.write_config(folder.path()));
    let mut all = vec!["--ca=ephemeralca", "--ct-log-url=", &config];
    all.extend(flags);
    Server::start_on_one_port(&all)
}

fn post(server: &Server, path: &str, body: &[u8]) -> Answer {
    http("POST", &server.url(path), &[], Some(body))
}

const SIGNING_PATHS: [&str; 2] = ["/api/v2/signingCert", "/api/v1/signingCert"];

#[test]
fn refuses_what_is_not_json() {
    let server = start(&[]);
    for body in [
        "{",
        "}",
        "[]",
        "null x",
        "nul",
        "\"text\"",
        "1",
        "{\"credentials\":1}",
        "{\"credentials\":{\"oidcIdentityToken\":1}}",
        "{\"credentials\":{}",
        "{\"certificateSigningRequest\":\"not base64!\"}",
        "{'credentials':{}}",
        "\u{feff}{}",
        "{\"publicKey\":{\"content\":\"not base64!\"}, \"publicKeyRequest\":{\"publicKey\":1}}",
    ] {
        for path in SIGNING_PATHS {
            if path.contains("v1") && body.contains("credentials\":") && body.ends_with('}') {
                // The first version has no such field, and fields that are unknown are ignored.
                continue;
            }
            let answer = post(&server, path, body.as_bytes());
            assert_is_malformed(&format!("{path} {body:?}"), &answer);
        }
    }
    let answer = post(&server, SIGNING_PATHS[0], b"{\"credentials\":\"\xff\"}");
    assert_is_malformed("no UTF-8", &answer);
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    let answer = post(&server, SIGNING_PATHS[0], deep.as_bytes());
    assert_is_malformed("deep nesting", &answer);
    let answer = get(&server.url("/healthz"));
    assert_eq!(answer.status, 200);
}

/// The text is that of whatever read the JSON; the rest is fixed.
#[track_caller]
fn assert_is_malformed(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    let mut body: Value = answer.json();
    let message = body["message"].take();
    assert!(!message.as_str().unwrap().is_empty(), "{what}");
    // Were it understood, a missing token would be the fault.
    assert_ne!(
        message, "There was an error processing the identity token",
        "{what}"
    );
    assert_eq!(
        body.to_string(),
        r#"{"code":3,"details":[],"message":null}"#,
        "{what}"
    );
}

#[test]
fn takes_messages_of_four_mebibytes_and_no_more() {
    let server = start(&[]);
    let body = |length: usize| {
        let frame = r#"{"x":""}"#.len();
        format!(r#"{{"x":"{}"}}"#, "a".repeat(length - frame)).into_bytes()
    };
    let token = Row::invalid("There was an error processing the identity token");
    let key = Row::invalid("The public key supplied in the request could not be parsed");
    let large = Row::invalid("http: request body too large");
    // The first version asks for the key first.
    for (path, understood) in SIGNING_PATHS.into_iter().zip([token, key]) {
        understood.is_answer(path, &post(&server, path, &body(MESSAGE_LIMIT)));
        large.is_answer(path, &post(&server, path, &body(MESSAGE_LIMIT + 1)));
        large.is_answer(path, &post(&server, path, &body(2 * MESSAGE_LIMIT)));
    }
    let chunked = format!(
        "POST /api/v2/signingCert HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n500001\r\n{}\r\n0\r\n\r\n",
        "a".repeat(0x50_0001)
    );
    let answer = raw(server.http(), chunked.as_bytes(), false);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.ends_with(r#""message":"http: request body too large","details":[]}"#),
        "{answer}"
    );

    // A message is its fields' tags and lengths, and the token.
    let status = sign(&server, MESSAGE_LIMIT - 10).unwrap_err();
    token.is_status("at the limit", &status);
    let status = sign(&server, MESSAGE_LIMIT).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
}

#[track_caller]
pub(super) fn sign(server: &Server, token_length: usize) -> Result<SigningCertificate, Status> {
    let token = credentials::Credentials::OidcIdentityToken("a".repeat(token_length));
    let request = CreateSigningCertificateRequest {
        credentials: Some(Credentials {
            credentials: Some(token),
        }),
        key: None,
    };
    grpc(server.grpc(), SIGNING, &[], request)
}

#[test]
fn knows_its_paths_and_their_methods() {
    let server = start(&[]);
    let unknown = Row {
        status: 404,
        code: 5,
        ..Row::invalid("Not Found")
    };
    for path in [
        "/",
        "/api",
        "/api/v2",
        "/api/v2/",
        "/api/v3/signingCert",
        "/api/v2/signingCert/",
        "/api/v2/SigningCert",
        "//api/v2/signingCert",
        "/healthz/",
        "/metrics",
        "/ct-log/checkpoint",
    ] {
        for method in ["GET", "POST", "PUT"] {
            let body = (method != "GET").then_some(&b"{}"[..]);
            let answer = http(method, &server.url(path), &[], body);
            unknown.is_answer(&format!("{method} {path}"), &answer);
        }
    }
    let not_allowed = Row {
        status: 501,
        code: 12,
        ..Row::invalid("Method Not Allowed")
    };
    for (path, right) in [
        ("/api/v2/signingCert", "POST"),
        ("/api/v2/trustBundle", "GET"),
        ("/api/v2/configuration", "GET"),
        ("/api/v1/signingCert", "POST"),
        ("/api/v1/rootCert", "GET"),
        ("/healthz", "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if method == right {
                continue;
            }
            let body = ["POST", "PUT", "PATCH"]
                .contains(&method)
                .then_some(&b"{}"[..]);
            let answer = http(method, &server.url(path), &[], body);
            not_allowed.is_answer(&format!("{method} {path}"), &answer);
        }
        let answer = http("HEAD", &server.url(path), &[], None);
        assert_eq!((answer.status, answer.body.len()), (501, 0), "HEAD {path}");
    }
    let query = get(&server.url("/healthz?verbose=1"));
    assert_eq!(query.status, 200);
}
