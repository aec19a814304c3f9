//! Keys and chains that do not belong together make no issuing key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::Arc;

use fulcio_cert_builder::Deviation;
use fulcio_issuance::{
    CertificateIssuer, Certified, Error, IssuingKey, IssuingKeyError, LocalAuthority, Refusal,
};
use fulcio_signer::{Algorithm, ErrorKind, Signature, Signer, Signing};
use fulcio_signer_file::EphemeralSigner;
use pki_types::SubjectPublicKeyInfoDer;

#[tokio::test]
async fn every_algorithm_makes_one() {
    for algorithm in [
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
        Algorithm::EcdsaP521Sha512,
        Algorithm::Ed25519,
        Algorithm::RsaPkcs1Sha256,
    ] {
        let key = common::issuing_key(algorithm).await;
        assert_eq!(key.chain().len(), 1, "{algorithm}");
    }
}

#[tokio::test]
async fn refuses_a_chain_for_another_key() {
    let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let other = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let chain = common::chain(&other).await;
    let error = IssuingKey::new(chain, Box::new(signer)).unwrap_err();
    assert!(matches!(error, IssuingKeyError::KeyMismatch));
}

#[tokio::test]
async fn refuses_a_signer_that_signs_otherwise_than_its_certificate_says() {
    /// Claims an algorithm that is not its key's.
    #[derive(Debug)]
    struct Mislabelled(EphemeralSigner);

    impl Signer for Mislabelled {
        fn algorithm(&self) -> Algorithm {
            Algorithm::EcdsaP384Sha384
        }
        fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
            self.0.sign(message)
        }
    }

    let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let chain = common::chain(&signer).await;
    let error = IssuingKey::new(chain, Box::new(Mislabelled(signer))).unwrap_err();
    assert!(matches!(error, IssuingKeyError::Algorithm { .. }));
}

/// Shows one key and signs with another; says of itself whether that can happen.
#[derive(Debug)]
struct Replaced {
    shown: EphemeralSigner,
    signing: EphemeralSigner,
    vouches: bool,
}

impl Signer for Replaced {
    fn algorithm(&self) -> Algorithm {
        self.shown.algorithm()
    }
    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.shown.public_key()
    }
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.signing.sign(message)
    }
    fn is_verified(&self) -> bool {
        self.vouches
    }
}

/// Signs with no octets at all, and vouches for that.
#[derive(Debug)]
struct Empty(EphemeralSigner);

impl Signer for Empty {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.0.public_key()
    }
    fn sign<'a>(&'a self, _message: &'a [u8]) -> Signing<'a> {
        Box::pin(async { Ok(Signature(Vec::new())) })
    }
    fn is_verified(&self) -> bool {
        true
    }
}

async fn replaced(vouches: bool) -> IssuingKey {
    let [shown, signing] =
        [(); 2].map(|()| EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap());
    let chain = common::chain(&shown).await;
    let signer = Replaced {
        shown,
        signing,
        vouches,
    };
    IssuingKey::new(chain, Box::new(signer)).unwrap()
}

async fn issued_with(key: IssuingKey) -> Result<Certified, Error> {
    let authority = Arc::new(LocalAuthority::new(key));
    let pipeline = common::pipeline(CertificateIssuer::new(authority));
    common::send(&pipeline, "ada@example.com", "ada@example.com").await
}

#[tokio::test]
async fn what_a_signer_does_not_vouch_for_is_verified_before_it_is_used() {
    let error = issued_with(replaced(false).await).await.unwrap_err();
    let Error::Sign(cause) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(cause.kind(), ErrorKind::WrongKey);
    assert_eq!(error.refusal(), Refusal::Authority);
}

#[tokio::test]
async fn what_a_signer_vouches_for_is_not_verified_again() {
    assert!(issued_with(replaced(true).await).await.is_ok());
}

#[tokio::test]
async fn keys_in_this_process_vouch_for_what_they_sign() {
    let signer = EphemeralSigner::generate(Algorithm::Ed25519).unwrap();
    assert!(signer.is_verified());
    assert!((Box::new(signer) as Box<dyn Signer>).is_verified());
}

#[tokio::test]
async fn a_certificate_that_is_not_what_its_profile_says_does_not_leave() {
    let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let chain = common::chain(&signer).await;
    let key = IssuingKey::new(chain, Box::new(Empty(signer))).unwrap();
    let error = issued_with(key).await.unwrap_err();
    assert!(matches!(error, Error::Profile(Deviation::Signature)));
    assert_eq!(error.refusal(), Refusal::Internal);
}
