use core::fmt;

use aws_lc_rs::{
    encoding::AsDer as _,
    error::Unspecified,
    pkcs8::Document,
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use const_oid::db::{
    rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1},
    rfc8410::ID_ED_25519,
};
use der::{Decode as _, asn1::ObjectIdentifier};
use fulcio_signer::{Algorithm, Error, ErrorKind, Signature, Signer, Signing};
use pkcs1::RsaPrivateKeyRef;
use pkcs8::PrivateKeyInfoRef;
use pki_types::SubjectPublicKeyInfoDer;
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use crate::{
    KeyError, encrypted,
    error::named,
    pem::{KeyBlock, KeyKind},
    sigstore,
};

/// A private key in this process, ready to sign.
///
/// [`FileSigner`](crate::FileSigner) and [`EphemeralSigner`](crate::EphemeralSigner) have one each;
/// it is also for whoever has keys from elsewhere.
pub struct KeyPair {
    private: Private,
    algorithm: Algorithm,
    spki: SubjectPublicKeyInfoDer<'static>,
}

enum Private {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl KeyPair {
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let private = match algorithm {
            Algorithm::EcdsaP256Sha256
            | Algorithm::EcdsaP384Sha384
            | Algorithm::EcdsaP521Sha512 => {
                EcdsaKeyPair::generate(ecdsa(algorithm)?).map(Private::Ecdsa)
            }
            Algorithm::Ed25519 => Ed25519KeyPair::generate().map(Private::Ed25519),
            Algorithm::RsaPkcs1Sha256 => rsa::KeyPair::generate(KeySize::Rsa3072).map(Private::Rsa),
            other => return Err(KeyError::NotMade(other)),
        }
        .map_err(|_unspecified| KeyError::NotMade(algorithm))?;
        Self::new(private, algorithm)
    }

    pub(crate) fn from_pem(
        text: &[u8],
        password: Option<&Zeroizing<String>>,
    ) -> Result<Self, KeyError> {
        let block = KeyBlock::first(text)?;
        let password = || password.ok_or(KeyError::PasswordMissing);
        let der = match &block.legacy {
            Some(encryption) => encryption.decrypt(&block.der, password()?)?,
            None => block.der,
        };
        match block.kind {
            KeyKind::EncryptedPkcs8 => {
                Self::from_pkcs8(encrypted::decrypt(&der, password()?)?.as_bytes())
            }
            KeyKind::Pkcs1 => Self::from_pkcs1(&der),
            KeyKind::Pkcs8 => Self::from_pkcs8(&der),
            KeyKind::Sec1 => Self::from_sec1(&der),
            KeyKind::Sigstore => Self::from_pkcs8(&sigstore::decrypt(&der, password()?)?),
        }
    }

    /// Takes both halves of an ECDSA or Ed25519 key without any structure around them.
    ///
    /// Of ECDSA the private half is the number, as long as the field of the curve, and the public
    /// half the uncompressed point (SEC 1 section 2.3.3); of Ed25519 both are the 32 bytes of
    /// RFC 8032.
    ///
    /// # Errors
    /// They are no halves of such a key, or do not belong together; an RSA key has no such halves.
    pub fn from_halves(
        algorithm: Algorithm,
        private: &[u8],
        public: &[u8],
    ) -> Result<Self, KeyError> {
        let pair = if algorithm == Algorithm::Ed25519 {
            Ed25519KeyPair::from_seed_and_public_key(private, public).map(Private::Ed25519)
        } else {
            EcdsaKeyPair::from_private_key_and_public_key(ecdsa(algorithm)?, private, public)
                .map(Private::Ecdsa)
        };
        Self::new(pair.map_err(KeyError::Rejected)?, algorithm)
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let info =
            PrivateKeyInfoRef::from_der(der).map_err(|_der| malformed("it is not PKCS#8"))?;
        match info.algorithm.oid {
            ID_EC_PUBLIC_KEY => {
                let curve = info.algorithm.parameters_oid().ok();
                let algorithm = on_curve(curve)?;
                let pair =
                    EcdsaKeyPair::from_pkcs8(ecdsa(algorithm)?, der).map_err(KeyError::Rejected)?;
                Self::new(Private::Ecdsa(pair), algorithm)
            }
            // With or without the public key (RFC 5958 and RFC 5208): OpenSSL writes it without.
            ID_ED_25519 => {
                let pair =
                    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(KeyError::Rejected)?;
                Self::new(Private::Ed25519(pair), Algorithm::Ed25519)
            }
            RSA_ENCRYPTION => Self::from_pkcs1(info.private_key.as_bytes()),
            oid => Err(KeyError::Unsupported { kind: named(oid) }),
        }
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPrivateKeyRef::from_der(der).map_err(|_der| malformed("it is not PKCS#1"))?;
        let bits = bit_length(key.modulus.as_bytes());
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
            return Err(KeyError::RsaLength { bits });
        }
        let pair = rsa::KeyPair::from_der(der).map_err(KeyError::Rejected)?;
        Self::new(Private::Rsa(pair), Algorithm::RsaPkcs1Sha256)
    }

    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        let key = EcPrivateKey::from_der(der).map_err(|_der| malformed("it is not SEC 1"))?;
        let algorithm = on_curve(key.parameters.and_then(EcParameters::named_curve))?;
        let pair = EcdsaKeyPair::from_private_key_der(ecdsa(algorithm)?, der)
            .map_err(KeyError::Rejected)?;
        Self::new(Private::Ecdsa(pair), algorithm)
    }

    fn new(private: Private, algorithm: Algorithm) -> Result<Self, KeyError> {
        let spki = match &private {
            Private::Ecdsa(pair) => pair.public_key().as_der(),
            Private::Ed25519(pair) => pair.public_key().as_der(),
            Private::Rsa(pair) => pair.public_key().as_der(),
        }
        .map_err(|_unspecified| KeyError::NotMade(algorithm))?;
        Ok(Self {
            spki: SubjectPublicKeyInfoDer::from(spki.as_ref().to_vec()),
            private,
            algorithm,
        })
    }

    /// The key in PKCS#8; the copy is wiped when it is dropped.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let pkcs8 = |document: Document| Zeroizing::new(document.as_ref().to_vec());
        match &self.private {
            Private::Ecdsa(pair) => pair.to_pkcs8v1().map(pkcs8),
            Private::Ed25519(pair) => pair.to_pkcs8v1().map(pkcs8),
            Private::Rsa(pair) => pair
                .as_der()
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
        }
        .map_err(|_unspecified| KeyError::NotMade(self.algorithm))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Ecdsa(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Private::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl Signer for KeyPair {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.spki.as_ref())
    }

    /// Signs at once: the promise is kept before it is first asked for, in less time than a
    /// thread would take to be woken.
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async {
            self.signature(message)
                .map(Signature)
                .map_err(|_unspecified| Error::new(ErrorKind::Unavailable, NO_SIGNATURE))
        })
    }

    /// The key is in this process.
    fn is_verified(&self) -> bool {
        true
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key", self.algorithm)
    }
}

fn on_curve(curve: Option<ObjectIdentifier>) -> Result<Algorithm, KeyError> {
    match curve {
        Some(SECP_256_R_1) => Ok(Algorithm::EcdsaP256Sha256),
        Some(SECP_384_R_1) => Ok(Algorithm::EcdsaP384Sha384),
        Some(SECP_521_R_1) => Ok(Algorithm::EcdsaP521Sha512),
        Some(oid) => Err(KeyError::Unsupported {
            kind: format!("ECDSA on curve {}", named(oid)),
        }),
        None => Err(KeyError::Unsupported {
            kind: "ECDSA on a curve that is not named".to_owned(),
        }),
    }
}

fn ecdsa(algorithm: Algorithm) -> Result<&'static EcdsaSigningAlgorithm, KeyError> {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => Ok(&ECDSA_P256_SHA256_ASN1_SIGNING),
        Algorithm::EcdsaP384Sha384 => Ok(&ECDSA_P384_SHA384_ASN1_SIGNING),
        Algorithm::EcdsaP521Sha512 => Ok(&ECDSA_P521_SHA512_ASN1_SIGNING),
        other => Err(KeyError::NotMade(other)),
    }
}

/// How many bits a big-endian number without leading zero bytes has.
fn bit_length(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |byte| byte.leading_zeros());
    8 * number.len() - leading as usize
}

fn malformed(reason: &'static str) -> KeyError {
    KeyError::Malformed { reason }
}

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 4096;
const NO_SIGNATURE: &str = "the cryptographic library made no signature";
