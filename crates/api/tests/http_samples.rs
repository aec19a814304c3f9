//! Replays `tests/samples`: requests that Fulcio was sent, and what it answered.
//!
//! The back end here answers what Fulcio's did, so what is compared is the way from the bytes of a
//! request to a question, and from an answer to the bytes of a response.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, path::Path};

use bytes::Bytes;
use fulcio_issuance::{Certified, Refusal, Timestamp};
use http::HeaderMap;
use http_body_util::Full;
use pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;
use support::{Answer, FakeBackend, Fixture, refusals, timestamp};

/// What the back end has to answer, so that the response can be `body`.
fn backend_for(sample: &Value) -> FakeBackend {
    let body = sample["response"]["body"].as_str().unwrap();
    let pem = body.replace("\\n", "\n").replace('"', "\n");
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap();
    if !chain.is_empty() {
        let timestamp = if body.contains("Embedded") {
            Timestamp::Embedded(vec![timestamp()])
        } else {
            Timestamp::None
        };
        let mut backend = FakeBackend::new(Answer::Issue(Certified::new(chain.clone(), timestamp)));
        backend.chains = vec![chain];
        return backend;
    }
    let message = serde_json::from_str(body)
        .ok()
        .and_then(|status: Value| Some(status["message"].as_str()?.to_owned()))
        .unwrap_or_default();
    if message.starts_with("signing algorithm not permitted: ") {
        return FakeBackend::refusing(Refusal::AlgorithmNotPermitted(message));
    }
    refusals()
        .into_iter()
        .map(|(refusal, ..)| refusal)
        .find(|refusal| refusal.to_string() == message)
        .map_or_else(FakeBackend::issuing, FakeBackend::refusing)
}

fn request_of(sample: &Value) -> http::Request<Full<Bytes>> {
    let request = &sample["request"];
    let body = match request["body"].as_str().unwrap_or_default() {
        "<5242920 bytes>" => format!("{{\"x\":\"{}\"}}", "a".repeat(5_242_912)),
        body => body.to_owned(),
    };
    let mut builder = http::Request::builder()
        .method(request["method"].as_str().unwrap())
        .uri(request["path"].as_str().unwrap());
    for (name, value) in request["headers"].as_object().unwrap() {
        builder = builder.header(name, value.as_str().unwrap());
    }
    builder.body(Full::from(body)).unwrap()
}

fn headers_of(sample: &Value) -> HeaderMap {
    let headers = sample["response"]["headers"].as_object().unwrap();
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.parse().unwrap(),
                value.as_str().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn answers_every_sample_as_fulcio_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut replayed = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let sample: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let fixture = Fixture::new(backend_for(&sample)).with_cors();

        let reply = fixture.send(request_of(&sample)).await;

        assert_eq!(
            reply.status.as_u16(),
            sample["response"]["status"],
            "{name}"
        );
        assert_eq!(reply.headers, headers_of(&sample), "{name}");
        if sample["request"]["method"] != "HEAD" {
            assert_eq!(
                reply.body,
                sample["response"]["body"].as_str().unwrap(),
                "{name}"
            );
        }
        replayed += 1;
    }
    assert!(replayed >= 49, "only {replayed} samples were found");
}
