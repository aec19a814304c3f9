//! The whole way of a request on one thread: an RS256 token that is verified with cached keys, a
//! P-256 key with a signed challenge, and a certificate.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot begin has to stop"
)]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    },
};
use divan::Bencher;
use fulcio_cert_builder::{CaChain, CaTemplate, SerialNumber};
use fulcio_challenge::Proof;
use fulcio_ct_client::TransparencyLog;
use fulcio_identity::{Config, IssuerAddress, IssuerConfig, IssuerKind, Issuers};
use fulcio_issuance::{
    CertificateIssuer, Clock, IssuingKey, LocalAuthority, Pipeline, Request, RequestContext,
    ca_certificate,
};
use fulcio_oidc_verify::{Algorithm as TokenAlgorithm, Fetch};
use fulcio_signer::Algorithm;
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::{
    idp::{FakeFetch, FakeIdp, FakeKey},
    log::FakeLog,
};
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 50, sample_size = 50)]
fn p256_without_log(bencher: Bencher<'_, '_>) {
    bench(bencher, Algorithm::EcdsaP256Sha256, None);
}

#[divan::bench(sample_count = 50, sample_size = 50)]
fn p384_without_log(bencher: Bencher<'_, '_>) {
    bench(bencher, Algorithm::EcdsaP384Sha384, None);
}

/// The log signs its promises on this thread, which is not part of our own work: about 16 µs.
#[divan::bench(sample_count = 50, sample_size = 50)]
fn p384_with_a_log_in_memory(bencher: Bencher<'_, '_>) {
    bench(
        bencher,
        Algorithm::EcdsaP384Sha384,
        Some(Arc::new(FakeLog::new())),
    );
}

/// What no pipeline can do without: one RSA-2048 and one P-256 verification, one P-256 signature.
#[divan::bench(sample_count = 50, sample_size = 50)]
fn p256_cryptography_alone(bencher: Bencher<'_, '_>) {
    let random = SystemRandom::new();
    let issuer = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let mut of_token = vec![0; issuer.public_modulus_len()];
    issuer
        .sign(&RSA_PKCS1_SHA256, &random, MESSAGE, &mut of_token)
        .unwrap();
    let issuer_key =
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, issuer.public_key().as_ref()).unwrap();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let of_challenge = pair.sign(&random, MESSAGE).unwrap();
    let caller_key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.public_key());
    bencher.bench_local(|| {
        issuer_key.verify_sig(MESSAGE, &of_token).unwrap();
        caller_key.verify(MESSAGE, of_challenge.as_ref()).unwrap();
        pair.sign(&random, MESSAGE).unwrap()
    });
}

const MESSAGE: &[u8] = &[0; 500];

fn bench(bencher: Bencher<'_, '_>, algorithm: Algorithm, log: Option<Arc<dyn TransparencyLog>>) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let idp = FakeIdp::new(FakeKey::generate(TokenAlgorithm::Rs256));
    let pipeline = runtime.block_on(pipeline(&idp, algorithm, log));
    let claims = idp.draft().claim("email", "ada@example.com");
    let token = claims.claim("email_verified", true).mint();
    let caller = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let key = caller.public_key().as_der().unwrap();
    let signature = caller
        .sign(&SystemRandom::new(), b"ada@example.com")
        .unwrap();
    let request = Request {
        token: &token,
        proof: Proof::Challenge {
            key: key.as_ref(),
            signature: signature.as_ref(),
        },
    };
    let context = RequestContext::new("bench");
    // The first request fetches the keys.
    issue(&runtime, &pipeline, request, &context);
    bencher.bench_local(|| issue(&runtime, &pipeline, request, &context));
}

fn issue(runtime: &Runtime, pipeline: &Pipeline, request: Request<'_>, context: &RequestContext) {
    let certified = runtime.block_on(pipeline.issue(request, context));
    divan::black_box(certified.unwrap());
}

#[derive(Debug)]
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

async fn pipeline(
    idp: &FakeIdp,
    algorithm: Algorithm,
    log: Option<Arc<dyn TransparencyLog>>,
) -> Pipeline {
    let now = FakeIdp::now();
    let signer = EphemeralSigner::generate(algorithm).unwrap();
    let serial = SerialNumber::from_random([1; 20]);
    let root = ca_certificate(&CaTemplate::ephemeral(), &signer, None, serial, now).await;
    let chain = CaChain::new(vec![root.unwrap()], now).unwrap();
    let key = IssuingKey::new(chain, Box::new(signer)).unwrap();
    let authority = match log {
        Some(log) => LocalAuthority::with_embedded_timestamps(key, log),
        None => LocalAuthority::new(key),
    };

    let address = IssuerAddress::Url(idp.issuer().to_owned());
    let config = Config::from_issuers([IssuerConfig::new(
        address,
        idp.audience(),
        IssuerKind::Email,
    )]);
    let fetch: Arc<dyn Fetch> = Arc::new(FakeFetch::serving(idp));
    let issuers = Issuers::new(&config, &|_issuer| Ok(Arc::clone(&fetch))).unwrap();
    let issuer = CertificateIssuer::new(Arc::new(authority)).with_clock(Arc::new(Stopped(now)));
    Pipeline::new(Arc::new(issuers), issuer).with_deadline(Duration::from_secs(12))
}
