use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use der::{
    Decode as _, Encode as _, EncodePem as _,
    asn1::{BitString, SetOfVec},
    pem::LineEnding,
};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{
    Certificate,
    name::Name,
    request::{CertReq, CertReqInfo, Version},
};
use zeroize::Zeroizing;

use crate::Error;

/// A fresh P-256 key for one certificate.
pub struct ClientKey {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    random: SystemRandom,
}

impl ClientKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// The machine gave no random numbers.
    pub fn generate() -> Result<Self, Error> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(Error::Key)?;
        let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8)
            .map_err(Error::KeyRejected)?;
        Ok(Self {
            pair,
            pkcs8,
            random,
        })
    }

    /// The private key as an unencrypted PKCS#8 PEM file (RFC 5958).
    ///
    /// # Errors
    /// Never for a key made here.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        pem_rfc7468::encode_string("PRIVATE KEY", LineEnding::LF, &self.pkcs8)
            .map(Zeroizing::new)
            .map_err(Error::Pem)
    }

    /// A certificate signing request for this key, in PEM (RFC 2986). Its subject is empty: the
    /// authority takes nothing but the key from it.
    ///
    /// # Errors
    /// The machine gave no random numbers.
    pub fn certificate_request(&self) -> Result<String, Error> {
        let info = CertReqInfo {
            version: Version::V1,
            subject: Name::default(),
            public_key: self.public_key()?,
            attributes: SetOfVec::default(),
        };
        let signature = self
            .pair
            .sign(&self.random, &info.to_der()?)
            .map_err(Error::Key)?;
        let request = CertReq {
            info,
            algorithm: AlgorithmIdentifierOwned {
                oid: const_oid::db::rfc5912::ECDSA_WITH_SHA_256,
                parameters: None,
            },
            signature: BitString::from_bytes(signature.as_ref())?,
        };
        Ok(request.to_pem(LineEnding::LF)?)
    }

    /// Whether `certificate` is for this key.
    ///
    /// # Errors
    /// The certificate is not well formed.
    pub fn is_key_of(&self, certificate: &[u8]) -> Result<bool, Error> {
        let certificate = Certificate::from_der(certificate)?;
        let certified = certificate.tbs_certificate().subject_public_key_info();
        Ok(*certified == self.public_key()?)
    }

    fn public_key(&self) -> Result<SubjectPublicKeyInfoOwned, Error> {
        Ok(SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned {
                oid: const_oid::db::rfc5912::ID_EC_PUBLIC_KEY,
                parameters: Some((&const_oid::db::rfc5912::SECP_256_R_1).into()),
            },
            subject_public_key: BitString::from_bytes(self.pair.public_key().as_ref())?,
        })
    }
}

impl core::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ClientKey").finish_non_exhaustive()
    }
}
