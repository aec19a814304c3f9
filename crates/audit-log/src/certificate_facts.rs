use core::fmt;

use der::{
    AnyRef, Decode as _, Header, Reader as _, SliceReader, asn1::UintRef, oid::ObjectIdentifier,
};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::Digest;

/// What a record says of a certificate that its identity does not. Only these fields are read: the
/// request waits.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts<'a> {
    /// Its serial number.
    pub serial: SerialNumber<'a>,
    /// The name of its issuer, in DER.
    pub issuer: &'a [u8],
    /// The name of its subject, in DER.
    pub subject: &'a [u8],
    /// What kind of key it certifies.
    pub key: KeyKind,
    spki: &'a [u8],
}

/// The serial number of a certificate; it shows itself in hexadecimal.
#[derive(Debug, PartialEq, Eq)]
pub struct SerialNumber<'a>(&'a [u8]);

/// What kind of key is certified; it shows itself as people call it.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// On this curve.
    Ecdsa(&'static str),
    /// RFC 8410.
    Ed25519,
    /// With this algorithm.
    Other(ObjectIdentifier),
    /// RFC 8017.
    Rsa {
        /// The length of the modulus.
        bits: usize,
    },
}

impl<'a> CertificateFacts<'a> {
    /// Reads them (RFC 5280 section 4.1).
    ///
    /// # Errors
    /// The bytes do not begin as a certificate does.
    pub fn read(certificate: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(certificate)?;
        for _sequence in ["Certificate", "TBSCertificate"] {
            Header::decode(&mut reader)?;
        }
        let _version = AnyRef::decode(&mut reader)?;
        let serial = UintRef::decode(&mut reader)?;
        let _signature = reader.tlv_bytes()?;
        let issuer = reader.tlv_bytes()?;
        let _validity = reader.tlv_bytes()?;
        let subject = reader.tlv_bytes()?;
        let spki = reader.tlv_bytes()?;
        let key = SubjectPublicKeyInfoRef::from_der(spki)?;
        Ok(Self {
            serial: SerialNumber(serial.as_bytes()),
            issuer,
            subject,
            key: KeyKind::read(&key)?,
            spki,
        })
    }

    /// SHA-256 of the key that it certifies (`SubjectPublicKeyInfo`).
    #[must_use]
    pub fn key_hash(&self) -> Digest {
        Digest::of(self.spki)
    }
}

impl KeyKind {
    fn read(key: &SubjectPublicKeyInfoRef<'_>) -> der::Result<Self> {
        Ok(match key.algorithm.oid {
            ED25519 => Self::Ed25519,
            EC => Self::Ecdsa(match key.algorithm.parameters_oid() {
                Ok(P256) => "P-256",
                Ok(P384) => "P-384",
                Ok(P521) => "P-521",
                _ => "of another curve",
            }),
            RSA => {
                let mut reader = SliceReader::new(key.subject_public_key.raw_bytes())?;
                Header::decode(&mut reader)?;
                let modulus = UintRef::decode(&mut reader)?;
                let leading = modulus
                    .as_bytes()
                    .first()
                    .map_or(0, |byte| byte.leading_zeros());
                Self::Rsa {
                    bits: modulus.as_bytes().len() * 8 - leading as usize,
                }
            }
            other => Self::Other(other),
        })
    }
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

impl fmt::Display for SerialNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        f.write_str(&digits.map(digit).collect::<String>())
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(curve) => write!(f, "ECDSA {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(oid) => write!(f, "{oid}"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
        }
    }
}
