use aws_lc_rs::{
    digest::{self, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA384_ASN1,
        ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
        ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1,
        ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_FIXED, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
    },
};
use der::{Decode as _, Encode as _, Sequence, asn1::UintRef};
use fulcio_signer::Algorithm;

use super::{Finding, second::SecondOpinion};

/// Verifies the signatures of one key, and says what a wrong one is instead.
pub(super) struct Judge<'a> {
    spki: &'a [u8],
    rules: Rules,
    second: SecondOpinion,
}

/// How an algorithm is verified, and how it is commonly missed.
struct Rules {
    hash: Option<&'static digest::Algorithm>,
    right: &'static dyn VerificationAlgorithm,
    /// `r || s` (IEEE P1363), which X.509 does not use.
    fixed: Option<&'static dyn VerificationAlgorithm>,
    mistakes: &'static [(&'static dyn VerificationAlgorithm, &'static str)],
}

impl<'a> Judge<'a> {
    /// # Errors
    /// The suite does not know the algorithm, or the second implementation not the key.
    pub(super) fn new(spki: &'a [u8], algorithm: Algorithm) -> Result<Self, Finding> {
        let unknown = |key: &str| Finding::AlgorithmOfAnotherKey {
            key: key.to_owned(),
        };
        Ok(Self {
            spki,
            rules: rules(algorithm)
                .ok_or_else(|| unknown("for an algorithm that this suite does not know"))?,
            second: SecondOpinion::new(spki, algorithm)
                .ok_or_else(|| unknown("none of the kind that it says"))?,
        })
    }

    /// Answers with the first number of an ECDSA signature, nothing for other kinds.
    pub(super) fn check(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> Result<Option<Vec<u8>>, Finding> {
        if !self.verifies(self.rules.right, message, signature) {
            return Err(self.diagnosis(message, signature));
        }
        let nonce = match self.rules.fixed {
            Some(_ecdsa) => Some(nonce(signature)?),
            None => None,
        };
        if self.second.verifies(message, signature) {
            Ok(nonce)
        } else {
            Err(Finding::TwoOpinions {
                message: message.len(),
            })
        }
    }

    fn diagnosis(&self, message: &[u8], signature: &[u8]) -> Finding {
        let rules = &self.rules;
        if let Some(fixed) = rules.fixed
            && self.verifies(fixed, message, signature)
        {
            return Finding::SignatureEncoding {
                found: "r and s side by side, and X.509 wants an ECDSA-Sig-Value in DER",
            };
        }
        if let Some(hash) = rules.hash {
            let once = digest(hash, message);
            if self.verifies(rules.right, once.as_ref(), signature) {
                return Finding::HashedTwice {
                    message: message.len(),
                };
            }
            if self.verifies_unhashed(hash, message, signature) {
                return Finding::NotHashed {
                    message: message.len(),
                };
            }
        }
        Finding::WrongSignature {
            message: message.len(),
            hint: rules
                .mistakes
                .iter()
                .find(|(algorithm, _)| self.verifies(*algorithm, message, signature))
                .map(|(_, hint)| *hint),
        }
    }

    fn verifies(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        ParsedPublicKey::new(algorithm, self.spki)
            .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }

    /// Whether `message` itself was used where its digest belongs.
    fn verifies_unhashed(
        &self,
        hash: &'static digest::Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let Ok(digest) = digest::Digest::import_less_safe(message, hash) else {
            return false;
        };
        ParsedPublicKey::new(self.rules.right, self.spki)
            .is_ok_and(|key| key.verify_digest_sig(&digest, signature).is_ok())
    }
}

/// The first number of an ECDSA signature that is strict DER.
fn nonce(signature: &[u8]) -> Result<Vec<u8>, Finding> {
    let value = EcdsaSigValue::from_der(signature).map_err(|_not_der| NOT_DER)?;
    match value.to_der() {
        Ok(again) if again == signature => Ok(value.r.as_bytes().to_vec()),
        _ => Err(NOT_DER),
    }
}

/// RFC 3279 section 2.2.3.
#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

const NOT_DER: Finding = Finding::SignatureEncoding {
    found: "an ECDSA-Sig-Value that is not strict DER",
};

fn rules(algorithm: Algorithm) -> Option<Rules> {
    Some(match algorithm {
        Algorithm::EcdsaP256Sha256 => Rules {
            hash: Some(&digest::SHA256),
            right: &ECDSA_P256_SHA256_ASN1,
            fixed: Some(&ECDSA_P256_SHA256_FIXED),
            mistakes: &[
                (&ECDSA_P256_SHA384_ASN1, "it was made with SHA-384"),
                (&ECDSA_P256_SHA512_ASN1, "it was made with SHA-512"),
            ],
        },
        Algorithm::EcdsaP384Sha384 => Rules {
            hash: Some(&digest::SHA384),
            right: &ECDSA_P384_SHA384_ASN1,
            fixed: Some(&ECDSA_P384_SHA384_FIXED),
            mistakes: &[
                (&ECDSA_P384_SHA256_ASN1, "it was made with SHA-256"),
                (&ECDSA_P384_SHA512_ASN1, "it was made with SHA-512"),
            ],
        },
        Algorithm::EcdsaP521Sha512 => Rules {
            hash: Some(&digest::SHA512),
            right: &ECDSA_P521_SHA512_ASN1,
            fixed: Some(&ECDSA_P521_SHA512_FIXED),
            mistakes: &[
                (&ECDSA_P521_SHA256_ASN1, "it was made with SHA-256"),
                (&ECDSA_P521_SHA384_ASN1, "it was made with SHA-384"),
            ],
        },
        Algorithm::Ed25519 => Rules {
            hash: None,
            right: &ED25519,
            fixed: None,
            mistakes: &[],
        },
        Algorithm::RsaPkcs1Sha256 => Rules {
            hash: Some(&digest::SHA256),
            right: &RSA_PKCS1_2048_8192_SHA256,
            fixed: None,
            mistakes: &[
                (&RSA_PKCS1_2048_8192_SHA384, "it was made with SHA-384"),
                (&RSA_PKCS1_2048_8192_SHA512, "it was made with SHA-512"),
                (&RSA_PSS_2048_8192_SHA256, "it is padded as RSA-PSS"),
            ],
        },
        _ => return None,
    })
}
