//! How the keys of Google Cloud KMS sign, and which of them sign certificates here.

use fulcio_signer::Algorithm;

/// What Google calls `CryptoKeyVersionAlgorithm`, and what it is here.
pub(crate) const SIGNING: &[(&str, Algorithm)] = &[
    ("EC_SIGN_P256_SHA256", Algorithm::EcdsaP256Sha256),
    ("EC_SIGN_P384_SHA384", Algorithm::EcdsaP384Sha384),
    ("EC_SIGN_ED25519", Algorithm::Ed25519),
    ("RSA_SIGN_PKCS1_2048_SHA256", Algorithm::RsaPkcs1Sha256),
    ("RSA_SIGN_PKCS1_3072_SHA256", Algorithm::RsaPkcs1Sha256),
    ("RSA_SIGN_PKCS1_4096_SHA256", Algorithm::RsaPkcs1Sha256),
];

/// How a key signs that Google describes so.
pub(crate) fn signing(name: &str) -> Option<Algorithm> {
    let found = SIGNING.iter().find(|(known, _algorithm)| *known == name);
    found.map(|(_name, algorithm)| *algorithm)
}
