use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use der::{
    Decode, Reader, SliceReader,
    asn1::{AnyRef, BitStringRef},
};
use pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer, alg_id};
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::{DecodeError, Error};

/// A look into a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicKey<'a> {
    /// The content of the `AlgorithmIdentifier`, without its `SEQUENCE`.
    algorithm: &'a [u8],
    /// The content of the `BIT STRING`, without the octet that counts unused bits.
    key: &'a [u8],
}

impl<'a> PublicKey<'a> {
    pub(crate) fn parse(spki: &'a SubjectPublicKeyInfoDer<'_>) -> Result<Self, DecodeError> {
        let mut reader = SliceReader::new(spki.as_ref())?;
        let parsed = reader.sequence(|spki| {
            let algorithm = spki.tlv_bytes()?;
            AlgorithmIdentifierRef::from_der(algorithm)?;
            let key = BitStringRef::decode(spki)?;
            let key = key.as_bytes().ok_or(der::ErrorKind::Value {
                tag: der::Tag::BitString,
            })?;
            Ok::<_, der::Error>(Self {
                algorithm: AnyRef::from_der(algorithm)?.value(),
                key,
            })
        })?;
        reader.finish()?;
        Ok(parsed)
    }

    /// The key identifier of RFC 5280 section 4.2.1.2 method 1, which Fulcio gives to leaves.
    pub(crate) fn sha1_identifier(&self) -> [u8; 20] {
        let mut identifier = [0; 20];
        identifier.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, self.key).as_ref());
        identifier
    }

    /// The key identifier of RFC 7093 section 2 method 1, which Go gives to authorities.
    pub(crate) fn sha256_identifier(&self) -> [u8; 20] {
        let mut identifier = [0; 20];
        identifier.copy_from_slice(&digest(&SHA256, self.key).as_ref()[..20]);
        identifier
    }

    /// The content of its `AlgorithmIdentifier`.
    pub(crate) fn algorithm(&self) -> &'a [u8] {
        self.algorithm
    }

    /// The key itself, in the form of its algorithm.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.key
    }

    /// How an authority with this key signs.
    pub(crate) fn signature_algorithm(&self) -> Result<AlgorithmIdentifier, Error> {
        SIGNATURES
            .iter()
            .find(|(key, _)| key.as_ref() == self.algorithm)
            .map(|(_, signature)| *signature)
            .ok_or(Error::AuthorityKey)
    }
}

/// What each kind of key signs with.
const SIGNATURES: [(AlgorithmIdentifier, AlgorithmIdentifier); 5] = [
    (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
    (alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
    (alg_id::ECDSA_P521, alg_id::ECDSA_SHA512),
    (alg_id::ED25519, alg_id::ED25519),
    (alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256),
];
