//! What the tests of the pipeline share: an authority, a caller, and seams that do as they are told.

#![allow(
    clippy::unwrap_used,
    reason = "clippy does not see that this is a test"
)]
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, SerialNumber};
use fulcio_challenge::Proof;
use fulcio_issuance::{
    Admission, Admitting, Authenticator, CertificateIssuer, Clock, Decision, Denied, IssuingKey,
    Journal, JournalError, LocalAuthority, Pipeline, Recording, Request, RequestContext,
    ca_certificate,
};
use fulcio_principal::{
    Authenticating, AuthenticationError, Extensions, Fault, Identity, Principal, SubjectAltName,
};
use fulcio_signer::Algorithm;
use fulcio_signer_file::EphemeralSigner;
use fulcio_testkit::log::FakeLog;

/// 2027-01-15T08:00:00Z.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A clock that stands.
#[derive(Debug)]
pub(crate) struct Stopped(pub(crate) SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

/// Takes an e-mail address for a token.
#[derive(Debug)]
pub(crate) struct Trusting;

impl Authenticator for Trusting {
    fn authenticate<'a>(&'a self, token: &'a str, _now: SystemTime) -> Authenticating<'a> {
        Box::pin(async move {
            match token {
                "hang" => core::future::pending().await,
                "forged" => Err(AuthenticationError::new(
                    Fault::Token,
                    "signature",
                    "forged",
                )),
                "orphan" => Err(AuthenticationError::new(Fault::Provider, "timeout", "gone")),
                "nameless" => Err(AuthenticationError::new(
                    Fault::Principal,
                    "template",
                    "claim \"url\" is missing",
                )
                .with_challenge("nameless")),
                email => Ok(identity(email)),
            }
        })
    }
}

pub(crate) fn identity(email: &str) -> Identity {
    let extensions = Extensions::for_issuer("https://issuer.example.com");
    let subject = SubjectAltName::Email(email.to_owned());
    Identity::vouched_for(Principal::new(email, subject, extensions))
}

/// A self-signed authority of one day, whose key signs with `algorithm`.
pub(crate) async fn issuing_key(algorithm: Algorithm) -> IssuingKey {
    let signer = EphemeralSigner::generate(algorithm).unwrap();
    let chain = chain(&signer).await;
    IssuingKey::new(chain, Box::new(signer)).unwrap()
}

pub(crate) async fn chain(signer: &EphemeralSigner) -> CaChain {
    let mut root = CaTemplate::root(DistinguishedName::new("Tests", "Root"));
    root.lifetime = fulcio_cert_builder::Lifetime::Exactly(Duration::from_secs(86_400));
    let serial = SerialNumber::from_random([7; 20]);
    let root = ca_certificate(&root, signer, None, serial, now()).await;
    CaChain::new(vec![root.unwrap()], now()).unwrap()
}

/// A caller's key.
pub(crate) struct Caller(EcdsaKeyPair);

impl Caller {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn public_key(&self) -> Vec<u8> {
        self.0.public_key().as_der().unwrap().as_ref().to_vec()
    }

    pub(crate) fn sign(&self, challenge: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        let signature = self.0.sign(&random, challenge.as_bytes()).unwrap();
        signature.as_ref().to_vec()
    }
}

/// Sends what a caller named `token` sends, with a proof over `challenge`.
pub(crate) async fn send(
    pipeline: &Pipeline,
    token: &str,
    challenge: &str,
) -> Result<fulcio_issuance::Certified, fulcio_issuance::Error> {
    let caller = Caller::new();
    let (key, signature) = (caller.public_key(), caller.sign(challenge));
    let proof = Proof::Challenge {
        key: &key,
        signature: &signature,
    };
    let context = RequestContext::new("test");
    pipeline.issue(Request { token, proof }, &context).await
}

pub(crate) fn pipeline(issuer: CertificateIssuer) -> Pipeline {
    let issuer = issuer.with_clock(Arc::new(Stopped(now())));
    Pipeline::new(Arc::new(Trusting), issuer)
}

pub(crate) async fn authority() -> LocalAuthority {
    LocalAuthority::new(issuing_key(Algorithm::EcdsaP256Sha256).await)
}

pub(crate) async fn logging_authority(log: &Arc<FakeLog>) -> LocalAuthority {
    let key = issuing_key(Algorithm::EcdsaP256Sha256).await;
    LocalAuthority::with_embedded_timestamps(key, Arc::clone(log))
}

/// Remembers decisions, or fails to.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) decisions: Mutex<Vec<String>>,
    /// Of each certificate, how many timestamps came with it and how many besides.
    pub(crate) timestamps: Mutex<Vec<(usize, usize)>>,
    pub(crate) full: bool,
}

impl Journal for Memory {
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a> {
        let line = match decision {
            Decision::Issued {
                identity,
                certified,
            } => {
                let counts = (
                    certified.timestamps().len(),
                    certified.further_timestamps.len(),
                );
                self.timestamps.lock().unwrap().push(counts);
                format!(
                    "{} issued {}",
                    context.request_id,
                    identity.principal().challenge
                )
            }
            Decision::Refused { identity, error } => {
                let who = identity.map_or("nobody", |identity| &identity.principal().challenge);
                format!("{} refused {who}: {error}", context.request_id)
            }
        };
        self.decisions.lock().unwrap().push(line);
        let full = self.full;
        Box::pin(async move {
            if full {
                Err(JournalError::new("disk full"))
            } else {
                Ok(())
            }
        })
    }
}

/// Lets nobody pass.
#[derive(Debug)]
pub(crate) struct Closed(pub(crate) Denied);

impl Admission for Closed {
    fn admit<'a>(
        &'a self,
        _identity: &'a Identity,
        _key: &'a fulcio_challenge::ProvenKey,
        _context: &'a RequestContext,
    ) -> Admitting<'a> {
        let denied = self.0.clone();
        Box::pin(async move { Err(denied) })
    }
}

/// A key that does not sign any more since its certificate was made.
pub(crate) async fn failing_key(
    algorithm: Algorithm,
    kind: fulcio_signer::ErrorKind,
) -> IssuingKey {
    let signer = EphemeralSigner::generate(algorithm).unwrap();
    let chain = chain(&signer).await;
    let failing = fulcio_testkit::signer::FailingSigner::new(signer, kind);
    IssuingKey::new(chain, Box::new(failing)).unwrap()
}
