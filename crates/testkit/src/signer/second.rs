use aws_lc_rs::digest::{SHA256, digest};
use der::Decode as _;
use fulcio_signer::Algorithm;
use num_bigint::BigUint;
use p256::ecdsa::signature::Verifier as _;
use pkcs1::RsaPublicKeyRef;
use spki::{DecodePublicKey as _, SubjectPublicKeyInfoRef};

/// A second implementation of the same verification, in pure Rust.
pub(super) enum SecondOpinion {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa { modulus: BigUint, exponent: BigUint },
}

impl SecondOpinion {
    /// `None` where the key is none, or the algorithm one that the suite does not know.
    pub(super) fn new(spki: &[u8], algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::EcdsaP256Sha256 => p256::ecdsa::VerifyingKey::from_public_key_der(spki)
                .map(Self::P256)
                .ok(),
            Algorithm::EcdsaP384Sha384 => p384::ecdsa::VerifyingKey::from_public_key_der(spki)
                .map(Self::P384)
                .ok(),
            Algorithm::EcdsaP521Sha512 => p521::ecdsa::VerifyingKey::from_public_key_der(spki)
                .map(Self::P521)
                .ok(),
            Algorithm::Ed25519 => ed25519_dalek::VerifyingKey::from_public_key_der(spki)
                .map(Self::Ed25519)
                .ok(),
            Algorithm::RsaPkcs1Sha256 => rsa(spki),
            _ => None,
        }
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::P521(key) => p521::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Rsa { modulus, exponent } => {
                let length = modulus.bits().div_ceil(8) as usize;
                let number = BigUint::from_bytes_be(signature);
                signature.len() == length
                    && number < *modulus
                    && number.modpow(exponent, modulus)
                        == BigUint::from_bytes_be(&padded(message, length))
            }
        }
    }
}

fn rsa(spki: &[u8]) -> Option<SecondOpinion> {
    let spki = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
    let key = RsaPublicKeyRef::from_der(spki.subject_public_key.raw_bytes()).ok()?;
    Some(SecondOpinion::Rsa {
        modulus: BigUint::from_bytes_be(key.modulus.as_bytes()),
        exponent: BigUint::from_bytes_be(key.public_exponent.as_bytes()),
    })
}

/// What an RSA signature is the root of (EMSA-PKCS1-v1_5, RFC 8017 section 9.2): there is one
/// signature for each message, and no other is right.
fn padded(message: &[u8], length: usize) -> Vec<u8> {
    let digest = digest(&SHA256, message);
    let tail = [&[0], SHA256_DIGEST_INFO, digest.as_ref()].concat();
    let filling = vec![0xff; length.saturating_sub(2 + tail.len())];
    [&[0, 1], &filling[..], &tail].concat()
}

/// What stands before a SHA-256 digest in RSASSA-PKCS1-v1_5.
const SHA256_DIGEST_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
