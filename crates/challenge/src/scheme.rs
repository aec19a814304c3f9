use core::fmt;

use aws_lc_rs::{
    digest::{self, Digest},
    error::Unspecified,
    signature::{self, UnparsedPublicKey, VerificationAlgorithm},
};
use const_oid::{
    ObjectIdentifier,
    db::{rfc5912, rfc8410},
};
use der::Sequence;
use spki::AlgorithmIdentifierRef;

use crate::{Error, Hash, KeyKind, PublicKey};

/// A way of signing that can be checked. That alone does not make it one that is accepted: see
/// [`Scheme::hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    EcdsaSha1,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Ed25519,
    RsaPkcs1Sha1,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
}

/// A signature algorithm of a CSR whose signature holds, but which is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnrecognizedAlgorithm {
    /// ECDSA with SHA-1.
    EcdsaSha1,
    /// RSASSA-PKCS1-v1_5 with SHA-1.
    RsaPkcs1Sha1,
    /// RSASSA-PSS with SHA-256.
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384.
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512.
    RsaPssSha512,
}

/// OIW's second name for RSA with SHA-1; certificates and CSRs of old tools carry it.
const OIW_SHA_1_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.29");
const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

impl Scheme {
    /// How a key of this kind signs challenges.
    pub(crate) fn of_challenge(key: KeyKind) -> Self {
        match key {
            KeyKind::EcdsaP256 => Self::EcdsaSha256,
            KeyKind::EcdsaP384 => Self::EcdsaSha384,
            KeyKind::EcdsaP521 => Self::EcdsaSha512,
            KeyKind::Ed25519 => Self::Ed25519,
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => Self::RsaPkcs1Sha256,
        }
    }

    /// The scheme that a CSR names; none for one that cannot be checked, as MD5 and DSA are.
    /// Parameters count only where they carry a choice, as Go has it.
    pub(crate) fn named_by(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<Self> {
        Some(match algorithm.oid {
            ECDSA_WITH_SHA_1 => Self::EcdsaSha1,
            rfc5912::ECDSA_WITH_SHA_256 => Self::EcdsaSha256,
            rfc5912::ECDSA_WITH_SHA_384 => Self::EcdsaSha384,
            rfc5912::ECDSA_WITH_SHA_512 => Self::EcdsaSha512,
            rfc8410::ID_ED_25519 if algorithm.parameters.is_none() => Self::Ed25519,
            rfc5912::SHA_1_WITH_RSA_ENCRYPTION | OIW_SHA_1_WITH_RSA => Self::RsaPkcs1Sha1,
            rfc5912::SHA_256_WITH_RSA_ENCRYPTION => Self::RsaPkcs1Sha256,
            rfc5912::SHA_384_WITH_RSA_ENCRYPTION => Self::RsaPkcs1Sha384,
            rfc5912::SHA_512_WITH_RSA_ENCRYPTION => Self::RsaPkcs1Sha512,
            rfc5912::ID_RSASSA_PSS => algorithm
                .parameters?
                .decode_as::<RsassaPssParams<'_>>()
                .ok()?
                .scheme()?,
            _ => return None,
        })
    }

    /// The hash, for the schemes that are accepted.
    pub(crate) fn hash(self) -> Result<Hash, UnrecognizedAlgorithm> {
        match self {
            Self::Ed25519 => Ok(Hash::None),
            Self::EcdsaSha256 | Self::RsaPkcs1Sha256 => Ok(Hash::Sha256),
            Self::EcdsaSha384 | Self::RsaPkcs1Sha384 => Ok(Hash::Sha384),
            Self::EcdsaSha512 | Self::RsaPkcs1Sha512 => Ok(Hash::Sha512),
            Self::EcdsaSha1 => Err(UnrecognizedAlgorithm::EcdsaSha1),
            Self::RsaPkcs1Sha1 => Err(UnrecognizedAlgorithm::RsaPkcs1Sha1),
            Self::RsaPssSha256 => Err(UnrecognizedAlgorithm::RsaPssSha256),
            Self::RsaPssSha384 => Err(UnrecognizedAlgorithm::RsaPssSha384),
            Self::RsaPssSha512 => Err(UnrecognizedAlgorithm::RsaPssSha512),
        }
    }

    /// Holds a signature (ECDSA: in DER) over a message against a key; a scheme for another kind of
    /// key does not hold.
    pub(crate) fn verify(
        self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        if let Some(ready) = &key.ready
            && self == Self::of_challenge(key.kind)
        {
            return ready
                .verify_sig(message, signature)
                .or(Err(Error::Signature));
        }
        let algorithm = self.algorithm(key.kind).ok_or(Error::Signature)?;
        let key = UnparsedPublicKey::new(algorithm, &key.spki);
        let verified = match self {
            Self::EcdsaSha1 => {
                sha_1_as_sha_256(message).and_then(|digest| key.verify_digest(&digest, signature))
            }
            _ => key.verify(message, signature),
        };
        verified.or(Err(Error::Signature))
    }

    fn algorithm(self, key: KeyKind) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (key, self) {
            (KeyKind::EcdsaP256, Self::EcdsaSha1 | Self::EcdsaSha256) => {
                &signature::ECDSA_P256_SHA256_ASN1
            }
            (KeyKind::EcdsaP256, Self::EcdsaSha384) => &signature::ECDSA_P256_SHA384_ASN1,
            (KeyKind::EcdsaP256, Self::EcdsaSha512) => &signature::ECDSA_P256_SHA512_ASN1,
            (KeyKind::EcdsaP384, Self::EcdsaSha1 | Self::EcdsaSha256) => {
                &signature::ECDSA_P384_SHA256_ASN1
            }
            (KeyKind::EcdsaP384, Self::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1,
            (KeyKind::EcdsaP384, Self::EcdsaSha512) => &signature::ECDSA_P384_SHA512_ASN1,
            (KeyKind::EcdsaP521, Self::EcdsaSha1 | Self::EcdsaSha256) => {
                &signature::ECDSA_P521_SHA256_ASN1
            }
            (KeyKind::EcdsaP521, Self::EcdsaSha384) => &signature::ECDSA_P521_SHA384_ASN1,
            (KeyKind::EcdsaP521, Self::EcdsaSha512) => &signature::ECDSA_P521_SHA512_ASN1,
            (KeyKind::Ed25519, Self::Ed25519) => &signature::ED25519,
            (KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096, scheme) => match scheme {
                Self::RsaPkcs1Sha1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                Self::RsaPkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Self::RsaPkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Self::RsaPkcs1Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Self::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
                Self::RsaPssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
                Self::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
                _ => return None,
            },
            _ => return None,
        })
    }
}

/// A SHA-1 digest in the length of SHA-256, for the curves that aws-lc-rs has no SHA-1 for.
///
/// ECDSA takes a digest shorter than the order as the number it is (FIPS 186-5 section 6.4.2), so
/// leading zeros change nothing.
fn sha_1_as_sha_256(message: &[u8]) -> Result<Digest, Unspecified> {
    let short = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message);
    let mut long = [0; digest::SHA256_OUTPUT_LEN];
    long[digest::SHA256_OUTPUT_LEN - digest::SHA1_OUTPUT_LEN..].copy_from_slice(short.as_ref());
    Digest::import_less_safe(&long, &digest::SHA256)
}

/// RFC 8017 appendix A.2.3, without the defaults that stand for SHA-1.
#[derive(Sequence)]
struct RsassaPssParams<'a> {
    #[asn1(context_specific = "0")]
    hash: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "1")]
    mask_generation: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "2")]
    salt_length: u8,
    #[asn1(context_specific = "3", default = "trailer_bc")]
    trailer: u8,
}

fn trailer_bc() -> u8 {
    1
}

impl RsassaPssParams<'_> {
    /// One hash throughout, a salt of its length and the only trailer there is: what Go knows.
    fn scheme(&self) -> Option<Scheme> {
        let mask_hash: AlgorithmIdentifierRef<'_> =
            self.mask_generation.parameters?.decode_as().ok()?;
        let plain = |hash: &AlgorithmIdentifierRef<'_>| {
            hash.parameters
                .is_none_or(|parameters| parameters.is_null())
        };
        if self.mask_generation.oid != rfc5912::ID_MGF_1
            || mask_hash.oid != self.hash.oid
            || !plain(&self.hash)
            || !plain(&mask_hash)
            || self.trailer != trailer_bc()
        {
            return None;
        }
        match (self.hash.oid, self.salt_length) {
            (rfc5912::ID_SHA_256, 32) => Some(Scheme::RsaPssSha256),
            (rfc5912::ID_SHA_384, 48) => Some(Scheme::RsaPssSha384),
            (rfc5912::ID_SHA_512, 64) => Some(Scheme::RsaPssSha512),
            _ => None,
        }
    }
}

/// As Go names it.
impl fmt::Display for UnrecognizedAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaSha1 => "ECDSA-SHA1",
            Self::RsaPkcs1Sha1 => "SHA1-RSA",
            Self::RsaPssSha256 => "SHA256-RSAPSS",
            Self::RsaPssSha384 => "SHA384-RSAPSS",
            Self::RsaPssSha512 => "SHA512-RSAPSS",
        })
    }
}
