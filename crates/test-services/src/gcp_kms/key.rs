//! The keys themselves.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, RandomizedNonceKey},
    digest::{Algorithm, Digest, SHA256, SHA384, SHA512},
    encoding::AsDer as _,
    rand::{SystemRandom, fill},
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
        RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A key, of the kind that its algorithm wants.
#[derive(Debug)]
pub(super) enum Pair {
    Ecdsa(EcdsaKeyPair, &'static Algorithm),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding, &'static Algorithm),
    Symmetric(RandomizedNonceKey),
}

/// What is to be signed.
pub(super) enum Signed<'a> {
    Data(&'a [u8]),
    Digest(&'a str, &'a [u8]),
}

impl Pair {
    /// Makes one for an algorithm as Google names it.
    pub(super) fn generate(algorithm: &str) -> Self {
        let rsa = |size, encoding: &'static dyn RsaEncoding, hash| {
            Self::Rsa(RsaKeyPair::generate(size).unwrap(), encoding, hash)
        };
        match algorithm {
            "EC_SIGN_P256_SHA256" => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
                Self::Ecdsa(pair, &SHA256)
            }
            "EC_SIGN_P384_SHA384" => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
                Self::Ecdsa(pair, &SHA384)
            }
            "EC_SIGN_ED25519" => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            "RSA_SIGN_PKCS1_2048_SHA256" => rsa(KeySize::Rsa2048, &RSA_PKCS1_SHA256, &SHA256),
            "RSA_SIGN_PKCS1_3072_SHA256" => rsa(KeySize::Rsa3072, &RSA_PKCS1_SHA256, &SHA256),
            "RSA_SIGN_PKCS1_4096_SHA256" => rsa(KeySize::Rsa4096, &RSA_PKCS1_SHA256, &SHA256),
            "RSA_SIGN_PKCS1_4096_SHA512" => rsa(KeySize::Rsa4096, &RSA_PKCS1_SHA512, &SHA512),
            "RSA_SIGN_PSS_2048_SHA256" => rsa(KeySize::Rsa2048, &RSA_PSS_SHA256, &SHA256),
            "GOOGLE_SYMMETRIC_ENCRYPTION" => {
                let mut key = [0; 32];
                fill(&mut key).unwrap();
                Self::Symmetric(RandomizedNonceKey::new(&AES_256_GCM, &key).unwrap())
            }
            other => panic!("{other} is not made here"),
        }
    }

    /// The public half in PEM.
    pub(super) fn pem(&self) -> Option<String> {
        let der = match self {
            Self::Ecdsa(pair, _hash) => pair.public_key().as_der().unwrap(),
            Self::Ed25519(pair) => pair.public_key().as_der().unwrap(),
            Self::Rsa(pair, ..) => pair.public_key().as_der().unwrap(),
            Self::Symmetric(_) => return None,
        };
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(64)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        Some(format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        ))
    }

    /// A signature; what is wrong with what is to be signed.
    pub(super) fn sign(&self, signed: Signed<'_>) -> Result<Vec<u8>, String> {
        match (self, signed) {
            (Self::Ecdsa(pair, hash), Signed::Digest(name, digest)) => {
                let digest = imported(hash, name, digest)?;
                Ok(pair.sign_digest(&digest).unwrap().as_ref().to_vec())
            }
            (Self::Rsa(pair, encoding, hash), Signed::Digest(name, digest)) => {
                let digest = imported(hash, name, digest)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(*encoding, &digest, &mut signature)
                    .unwrap();
                Ok(signature)
            }
            (Self::Rsa(pair, encoding, _hash), Signed::Data(data)) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), data, &mut signature)
                    .unwrap();
                Ok(signature)
            }
            (Self::Ecdsa(pair, _hash), Signed::Data(data)) => {
                let signature = pair.sign(&SystemRandom::new(), data).unwrap();
                Ok(signature.as_ref().to_vec())
            }
            (Self::Ed25519(pair), Signed::Data(data)) => Ok(pair.sign(data).as_ref().to_vec()),
            (Self::Ed25519(_), Signed::Digest(..)) => {
                Err("a digest is not for this algorithm; data is".to_owned())
            }
            (Self::Symmetric(_), _) => Err("the key does not sign".to_owned()),
        }
    }

    /// The nonce, and what is encrypted with it.
    pub(super) fn encrypt(&self, plaintext: &[u8], associated: &[u8]) -> Vec<u8> {
        let Self::Symmetric(key) = self else {
            panic!("the key does not encrypt")
        };
        let mut sealed = plaintext.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(associated), &mut sealed);
        let mut whole = nonce.unwrap().as_ref().to_vec();
        whole.append(&mut sealed);
        whole
    }

    /// What was encrypted, if it was by this key.
    pub(super) fn decrypt(&self, whole: &[u8], associated: &[u8]) -> Option<Vec<u8>> {
        let Self::Symmetric(key) = self else {
            return None;
        };
        let (nonce, sealed) = whole.split_first_chunk::<12>()?;
        let mut sealed = sealed.to_vec();
        let opened = key.open_in_place(nonce.into(), Aad::from(associated), &mut sealed);
        Some(opened.ok()?.to_vec())
    }
}

fn imported(hash: &'static Algorithm, name: &str, digest: &[u8]) -> Result<Digest, String> {
    let wanted = if *hash == SHA256 {
        "sha256"
    } else if *hash == SHA384 {
        "sha384"
    } else {
        "sha512"
    };
    if name != wanted {
        return Err(format!("a digest of {wanted} is wanted, and not of {name}"));
    }
    Digest::import_less_safe(digest, hash)
        .map_err(|_length| format!("{} bytes are no digest of {name}", digest.len()))
}
