//! Keys and chains that do not belong together make no issuing key.

mod common;

use fulcio_issuance::{IssuingKey, IssuingKeyError};
use fulcio_signer::{Algorithm, Signer, Signing};
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
