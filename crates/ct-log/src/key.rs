use core::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use fulcio_ct_client::{DigitallySigned, LogKey, SignatureScheme};
use pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::Error;

/// What the log signs with: ECDSA on P-256 with SHA-256, as static-ct-api wants.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    public: LogKey,
    random: SystemRandom,
}

impl SigningKey {
    /// Makes a new key; gives the file to keep it in beside it (PKCS#8 in PEM).
    pub(crate) fn generate() -> Result<(Self, Zeroizing<String>), Error> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| Error::Sign)?;
        let document = pair.to_pkcs8v1().map_err(|_| Error::Sign)?;
        let pem = private_pem(document.as_ref())?;
        Ok((Self::new(pair)?, pem))
    }

    /// Takes a key in PKCS#8.
    pub(crate) fn from_pkcs8(der: &PrivatePkcs8KeyDer<'_>) -> Result<Self, Error> {
        let der = der.secret_pkcs8_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der);
        Self::new(pair.map_err(|_| Error::Key)?)
    }

    /// Reads the file that [`generate`](Self::generate) made.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| Error::Key)?;
        let read = Self::from_pkcs8(&der);
        der.zeroize();
        read
    }

    fn new(pair: EcdsaKeyPair) -> Result<Self, Error> {
        let spki = [SPKI_PREFIX, pair.public_key().as_ref()].concat();
        let public =
            LogKey::from_spki(SubjectPublicKeyInfoDer::from(spki)).map_err(|_| Error::Key)?;
        Ok(Self {
            pair,
            public,
            random: SystemRandom::new(),
        })
    }

    pub(crate) fn public(&self) -> &LogKey {
        &self.public
    }

    pub(crate) fn public_pem(&self) -> String {
        let spki = self.public.spki();
        pem_rfc7468::encode_string("PUBLIC KEY", pem_rfc7468::LineEnding::LF, spki)
            .expect("a key of 91 bytes")
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<DigitallySigned, Error> {
        let signature = self
            .pair
            .sign(&self.random, message)
            .map_err(|_| Error::Sign)?;
        Ok(DigitallySigned {
            scheme: SignatureScheme::ECDSA_SHA256,
            signature: signature.as_ref().to_vec(),
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

/// The file of a private key: PKCS#8 in PEM (RFC 7468, section 10).
pub(crate) fn private_pem(pkcs8: &[u8]) -> Result<Zeroizing<String>, Error> {
    let pem = pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, pkcs8);
    pem.map(Zeroizing::new).map_err(|_| Error::Sign)
}

/// A `SubjectPublicKeyInfo` for id-ecPublicKey on secp256r1, up to the 65 bytes of the point.
const SPKI_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
