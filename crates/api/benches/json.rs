//! What the wire costs: reading a request, writing an answer, and the whole way between them with a
//! back end that costs nothing.

use std::sync::Arc;

use bytes::Bytes;
use divan::{Bencher, black_box};
use fulcio_api::{
    ApiMetrics, Backend, HttpApi, Issuing, OidcIssuer, Readiness,
    json::{self, KeyMaterial, SigningRequest},
};
use fulcio_issuance::{Certified, Refusal, Request, RequestContext, Timestamp};
use http_body_util::Full;
use pki_types::CertificateDer;
use tower::ServiceExt as _;

fn main() {
    divan::main();
}

/// A token as long as most, a key, a signature.
fn key_body() -> Vec<u8> {
    let key = KeyMaterial::PublicKey {
        content: concat!(
            "-----BEGIN PUBLIC KEY-----\n",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDFw1daAnG7lGHNBTMd7vygsVcn9Y\n",
            "fRQqa50jn2gF7ihqvW8TnNon8cLqSZk8wTIi0XxDZkUi+/0fqkuvDZuMMA==\n",
            "-----END PUBLIC KEY-----\n",
        )
        .into(),
        proof: vec![7; 71],
    };
    SigningRequest::new("a".repeat(850), key).to_json()
}

fn csr_body() -> Vec<u8> {
    SigningRequest::new("a".repeat(850), KeyMaterial::Csr(vec![b'A'; 500])).to_json()
}

fn certified() -> Certified {
    let chain = [725, 541, 514].map(|length| vec![7; length].into());
    Certified::new(chain.to_vec(), Timestamp::None)
}

#[divan::bench]
fn decode_a_request_with_a_key(bencher: Bencher<'_, '_>) {
    let body = key_body();
    bencher
        .bench(|| SigningRequest::from_json(black_box(&body)).map(|request| request.token.len()));
}

#[divan::bench]
fn decode_a_request_with_a_csr(bencher: Bencher<'_, '_>) {
    let body = csr_body();
    bencher
        .bench(|| SigningRequest::from_json(black_box(&body)).map(|request| request.token.len()));
}

#[divan::bench]
fn encode_an_answer(bencher: Bencher<'_, '_>) {
    let certified = certified();
    bencher.bench(|| json::signing_certificate(black_box(&certified)));
}

#[divan::bench]
fn whole_way_of_a_request(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let metrics = Arc::new(ApiMetrics::new(&metrics::NoopRecorder));
    let api = HttpApi::new(Arc::new(Ready(certified())), metrics);
    let body = Bytes::from(key_body());
    bencher.bench_local(|| {
        let mut request = http::Request::new(Full::new(body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/api/v2/signingCert");
        runtime.block_on(api.clone().oneshot(request))
    });
}

/// Has its certificate already.
#[derive(Debug)]
struct Ready(Certified);

impl Backend for Ready {
    fn issue<'a>(&'a self, _request: Request<'a>, _context: &'a RequestContext) -> Issuing<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal> {
        Ok(Vec::new())
    }

    fn configuration(&self) -> Vec<OidcIssuer> {
        Vec::new()
    }

    fn readiness(&self) -> Readiness {
        Readiness::default()
    }
}
