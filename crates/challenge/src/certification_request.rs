use der::{
    Reader, SliceReader, Tag, TagNumber,
    asn1::{AnyRef, BitStringRef, IntRef},
};
use spki::AlgorithmIdentifierRef;

use crate::{
    Error, Hash, Malformed, Proof, PublicKey,
    name::{read_attributes, read_subject},
    pem,
    scheme::Scheme,
    unchecked_key::UncheckedKey,
};

/// A certification request (PKCS#10, RFC 2986) that was read to its end, its signature unchecked.
///
/// Of what it asks for, only the key matters here.
pub(crate) struct CertificationRequest {
    /// The bytes that were signed, as they came: encoding them again could change them.
    to_be_signed: Vec<u8>,
    key: UncheckedKey,
    scheme: Option<Scheme>,
    signature: Vec<u8>,
}

impl CertificationRequest {
    /// Reads a request in PEM.
    pub(crate) fn parse(pem: &[u8]) -> Result<Self, Error> {
        if pem.is_empty() {
            return Err(Error::CsrMalformed(Malformed::Absent));
        }
        if pem.len() > Proof::LONGEST {
            let limit = Proof::LONGEST;
            return Err(Error::CsrMalformed(Malformed::TooLong { limit }));
        }
        let block = pem::first_block(pem).ok_or(Error::CsrMalformed(Malformed::NoPem))?;
        match block.label {
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {
                Self::from_der(&block.contents).map_err(Error::CsrMalformed)
            }
            _ => Err(Error::CsrMalformed(Malformed::PemLabel)),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let parts = Parts::read(der).map_err(Malformed::der)?;
        let request = Self {
            to_be_signed: parts.to_be_signed.to_vec(),
            key: UncheckedKey::from_csr(parts.key)?,
            scheme: Scheme::named_by(&parts.algorithm),
            signature: parts
                .signature
                .as_bytes()
                .ok_or(Malformed::BitString)?
                .to_vec(),
        };
        read_subject(parts.subject)?;
        read_attributes(parts.attributes)?;
        Ok(request)
    }

    /// Holds the key to the policy, and the signature against the key; gives the key, and the hash
    /// it signed with.
    pub(crate) fn verify(self) -> Result<(PublicKey, Hash), Error> {
        let key = self.key.approve().map_err(Error::InsecureKey)?;
        let scheme = self.scheme.ok_or(Error::Signature)?;
        scheme.verify(&key, &self.to_be_signed, &self.signature)?;
        let hash = scheme.hash().map_err(Error::CsrAlgorithm)?;
        Ok((key, hash))
    }
}

/// The outer form of a request (RFC 2986 section 4), by the bytes that were sent.
struct Parts<'a> {
    to_be_signed: &'a [u8],
    subject: AnyRef<'a>,
    key: &'a [u8],
    attributes: AnyRef<'a>,
    algorithm: AlgorithmIdentifierRef<'a>,
    signature: BitStringRef<'a>,
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Result<Self, der::Error> {
        let mut reader = SliceReader::new(der)?;
        let parts = reader.sequence(|reader| {
            let to_be_signed = reader.tlv_bytes()?;
            SliceReader::new(to_be_signed)?.sequence(|info| {
                // The version; like Go, we do not look at it.
                info.decode::<IntRef<'_>>()?;
                let parts = Self {
                    to_be_signed,
                    subject: info.decode()?,
                    key: info.tlv_bytes()?,
                    attributes: info.decode()?,
                    algorithm: reader.decode()?,
                    signature: reader.decode()?,
                };
                parts.attributes.header().tag().assert_eq(ATTRIBUTES)?;
                Ok::<_, der::Error>(parts)
            })
        })?;
        reader.finish()?;
        Ok(parts)
    }
}

const ATTRIBUTES: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};
