//! Keysets made by Tink's own library against real key services: each judged by the suite for
//! signers, by OpenSSL, and by what Tink says its public key is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, sync::OnceLock, time::Instant};

use fulcio_signer::{Algorithm, KeyUnwrap, Signer as _};
use fulcio_signer_aws_kms::{AwsConfig, AwsKmsUnwrap};
use fulcio_signer_hashivault::{HashivaultUnwrap, VaultConfig};
use fulcio_signer_tink::{Error, KeysetError, TinkSigner};
use fulcio_test_services::{Minivault, Moto, TinkKeysets, causes, minivault, openssl_verifies};
use fulcio_testkit::signer_conformance;

/// A key service, and the keysets that a key of it has encrypted.
struct Wrapped {
    key_uri: String,
    keysets: TinkKeysets,
    other_key_uri: String,
    service: &'static str,
    variables: BTreeMap<&'static str, String>,
    _vault: Option<Minivault>,
}

impl Wrapped {
    /// By AWS KMS and by Vault; one of each for all tests of this file.
    fn both() -> impl Iterator<Item = &'static Self> {
        static AWS: OnceLock<Option<Wrapped>> = OnceLock::new();
        static VAULT: OnceLock<Option<Wrapped>> = OnceLock::new();
        let aws = AWS.get_or_init(Self::aws).iter();
        aws.chain(VAULT.get_or_init(Self::vault))
    }

    fn aws() -> Option<Self> {
        let (programs, moto) = (TinkKeysets::programs()?, Moto::shared()?);
        let key = || {
            format!(
                "aws-kms://{}",
                moto.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
            )
        };
        let (key_uri, variables) = (key(), moto.variables());
        Some(Self {
            keysets: TinkKeysets::make(&programs, &key_uri, &variables),
            key_uri,
            other_key_uri: key(),
            service: "AWS KMS",
            variables,
            _vault: None,
        })
    }

    fn vault() -> Option<Self> {
        let (programs, vault) = (TinkKeysets::programs()?, Minivault::start(&minivault()?));
        let key = |name: &str| {
            vault.key(name, "aes256-gcm96");
            format!("hcvault:///transit/keys/{name}")
        };
        let (key_uri, variables) = (key("keysets"), vault.variables());
        Some(Self {
            keysets: TinkKeysets::make(&programs, &key_uri, &variables),
            key_uri,
            other_key_uri: key("others"),
            service: "Vault",
            variables,
            _vault: Some(vault),
        })
    }

    async fn key(&self, uri: &str) -> Box<dyn KeyUnwrap> {
        let variable = |name: &str| self.variables.get(name).cloned();
        if uri.starts_with("aws-kms:") {
            let config = AwsConfig::from_variables(variable, Vec::new());
            Box::new(
                AwsKmsUnwrap::open(&uri.parse().unwrap(), &config)
                    .await
                    .unwrap(),
            )
        } else {
            let config = VaultConfig::from_variables(variable).unwrap();
            Box::new(
                HashivaultUnwrap::open(&uri.parse().unwrap(), &config)
                    .await
                    .unwrap(),
            )
        }
    }

    async fn open(&self, file: &str) -> Result<TinkSigner, Error> {
        let key = self.key(&self.key_uri).await;
        TinkSigner::open(self.keysets.path(file), &*key).await
    }

    async fn refused(&self, file: &str) -> KeysetError {
        match self.open(file).await {
            Err(Error::Keyset { source, .. }) => source,
            other => panic!("{}, {file}: {other:?}", self.service),
        }
    }
}

async fn conforms(name: &str, algorithm: Algorithm) {
    for wrapped in Wrapped::both() {
        for format in ["json", "binary"] {
            let start = Instant::now();
            let signer = wrapped.open(&format!("{name}.{format}")).await.unwrap();
            let opening = start.elapsed();
            assert_eq!(signer.algorithm(), algorithm);
            let spki: String = signer
                .public_key()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let public = wrapped.keysets.public_half(name);
            assert!(spki.ends_with(&public), "{spki}, {public}");
            signer_conformance(&signer).await;

            let message = b"to be judged by OpenSSL";
            let start = Instant::now();
            let mut signature = Vec::new();
            for _ in 0..COUNT {
                signature = signer.sign(message).await.unwrap().0;
            }
            println!(
                "{name}, {format}, wrapped by {}: opened in {opening:?}, {:?} a signature",
                wrapped.service,
                start.elapsed() / COUNT
            );
            openssl_verifies(&signer, message, &signature);
        }
    }
}

const COUNT: u32 = 100;

#[tokio::test]
async fn signs_on_p256() {
    conforms("ECDSA_P256", Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p256_where_tink_would_write_no_prefix() {
    conforms("ECDSA_P256_RAW", Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p256_in_der_where_tink_would_write_ieee_p1363() {
    conforms("ECDSA_P256_IEEE_P1363", Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p384() {
    conforms("ECDSA_P384_SHA384", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn signs_on_p384_with_sha384_where_tink_would_use_sha512() {
    conforms("ECDSA_P384_SHA512", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn signs_on_p521() {
    conforms("ECDSA_P521", Algorithm::EcdsaP521Sha512).await;
}

#[tokio::test]
async fn signs_with_ed25519() {
    conforms("ED25519", Algorithm::Ed25519).await;
}

#[tokio::test]
async fn signs_with_the_primary_key_of_several() {
    conforms("ROTATED", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn says_which_types_it_takes_instead_of_others() {
    for wrapped in Wrapped::both() {
        for format in ["json", "binary"] {
            for (name, kind) in [
                ("HMAC", "HmacKey"),
                ("ML_DSA", "MlDsaPrivateKey"),
                ("RSA", "RsaSsaPkcs1PrivateKey"),
            ] {
                let error = wrapped.refused(&format!("{name}.{format}")).await;
                assert!(
                    matches!(error, KeysetError::Unsupported { .. }),
                    "{error:?}"
                );
                let text = error.to_string();
                assert!(text.contains(kind) && text.contains("or Ed25519"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn refuses_a_keyset_in_the_clear() {
    for wrapped in Wrapped::both() {
        for format in ["json", "binary"] {
            let error = wrapped.refused(&format!("CLEARTEXT.{format}")).await;
            assert!(matches!(error, KeysetError::Cleartext), "{error:?}");
        }
    }
}

/// moto, unlike AWS, answers as if it was not permitted.
#[tokio::test]
async fn a_key_that_did_not_encrypt_the_keyset_does_not_open_it() {
    for wrapped in Wrapped::both() {
        let key = wrapped.key(&wrapped.other_key_uri).await;
        for format in ["json", "binary"] {
            let file = format!("ED25519.{format}");
            let error = TinkSigner::open(wrapped.keysets.path(&file), &*key).await;
            let text = causes(&error.unwrap_err());
            let why = match wrapped.service {
                "Vault" => "it was encrypted with another key",
                _ => "AccessDeniedException",
            };
            assert!(text.contains(&file) && text.contains(why), "{text}");
        }
    }
}

#[tokio::test]
async fn says_that_associated_data_may_be_why_it_is_not_decrypted() {
    let Some(wrapped) = Wrapped::both().find(|wrapped| wrapped.service == "AWS KMS") else {
        return;
    };
    let text = causes(&wrapped.refused("ASSOCIATED_DATA.json").await);
    assert!(text.contains("encryption context"), "{text}");
}
