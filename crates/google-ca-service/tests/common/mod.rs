//! What the tests share: the double, somebody with a key, and an authority that asks the double.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test program uses its own part of this")]

use core::time::Duration;
use std::sync::Arc;

use fulcio_cert_builder::{CertificateProfile, Leaf, SerialNumber};
use fulcio_challenge::{PermittedAlgorithms, Proof, ProvenKey};
use fulcio_google_ca_service::{Credentials, Error, GoogleCaService, GoogleConfig};
use fulcio_issuance::{
    CertificateAuthority as _, Certified, Clock as _, Error as IssuanceError, RequestContext,
    SystemClock,
};
use fulcio_principal::{Extension, Extensions, Identity, Principal, SubjectAltName};
use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_file::EphemeralSigner;
use fulcio_test_services::ca_service::CaService;

pub(crate) const CHALLENGE: &str = "ada@example.com";

/// A pool with one authority, `first`, below a root.
pub(crate) async fn pool() -> CaService {
    let pool = CaService::start().await;
    pool.add("first");
    pool
}

/// Times in which a test can wait for the end of patience.
pub(crate) fn config(pool: &CaService) -> GoogleConfig {
    let mut config = GoogleConfig::new(Credentials::Anonymous);
    config.endpoint = Some(pool.address.clone());
    config.timeout = Duration::from_secs(3);
    config.try_timeout = Duration::from_secs(1);
    config
}

/// Opens the pool of the double, or one authority of it.
pub(crate) async fn open(pool: &CaService, authority: Option<&str>) -> GoogleCaService {
    try_open(&config(pool), authority).await.unwrap()
}

pub(crate) async fn try_open(
    config: &GoogleConfig,
    authority: Option<&str>,
) -> Result<GoogleCaService, Error> {
    let pool = CaService::POOL;
    let parent = match authority {
        Some(id) => format!("{pool}/certificateAuthorities/{id}"),
        None => pool.to_owned(),
    };
    GoogleCaService::open(&parent.parse().unwrap(), config).await
}

pub(crate) fn email() -> SubjectAltName {
    SubjectAltName::Email("ada@example.com".to_owned())
}

/// Whom `subject` names, with some build facts besides.
pub(crate) fn identity(subject: SubjectAltName) -> Identity {
    let mut extensions = Extensions::for_issuer("https://issuer.example.com");
    extensions.set(Extension::RunnerEnvironment, "github-hosted");
    extensions.set(
        Extension::SourceRepositoryUri,
        "https://example.com/übersicht/".to_owned() + &"x".repeat(200),
    );
    Identity::vouched_for(Principal::new(CHALLENGE, subject, extensions))
}

/// A fresh key that its holder has shown to hold.
pub(crate) async fn proven(algorithm: Algorithm) -> ProvenKey {
    let signer = EphemeralSigner::generate(algorithm).unwrap();
    let signature = signer.sign(CHALLENGE.as_bytes()).await.unwrap();
    let key = signer.public_key();
    let proof = Proof::Challenge {
        key: &key,
        signature: &signature.0,
    };
    proof
        .verify(CHALLENGE, &PermittedAlgorithms::default())
        .unwrap()
}

/// What a certificate for Ada is to say, from now on.
pub(crate) async fn leaf(algorithm: Algorithm) -> Leaf<'static> {
    let key = proven(algorithm).await;
    let serial = SerialNumber::from_random([7; 20]);
    CertificateProfile::CODE_SIGNING
        .leaf(
            identity(email()).principal(),
            key.spki(),
            serial,
            SystemClock.now(),
        )
        .unwrap()
        .into_owned()
}

/// A certificate for a fresh P-256 key.
pub(crate) async fn issue(service: &GoogleCaService) -> Result<Certified, IssuanceError> {
    let leaf = leaf(Algorithm::EcdsaP256Sha256).await;
    service.issue(&leaf, &RequestContext::new("test")).await
}

/// Why there was no certificate, where that is the service's fault.
#[track_caller]
pub(crate) fn reason(issued: Result<Certified, IssuanceError>) -> Arc<Error> {
    match issued.unwrap_err() {
        IssuanceError::Authority(error) => Arc::new(*error.downcast().unwrap()),
        other => panic!("not the authority's fault: {other}"),
    }
}
