use der::{Decode, Reader, SliceReader, asn1::BitStringRef};
use pki_types::{CertificateSigningRequestDer, SubjectPublicKeyInfoDer};
use x509_cert::{name::Name, request::CertReq};

use crate::{
    CaTemplate, DecodeError, DistinguishedName, Error, Review, Unsigned,
    public_key::PublicKey,
    raw_certificate::sequence_content,
    signature::{self, Verdict},
    writer::{Writer, tag},
};

/// A request that somebody else certifies a key (RFC 2986), signed by that key.
///
/// Only the key and the name are taken from it. What it asks for besides is not read: the authority
/// that certifies the key decides.
#[derive(Clone, Debug)]
pub struct CertificationRequest {
    subject: Vec<u8>,
    public_key: SubjectPublicKeyInfoDer<'static>,
}

/// A request that only lacks its signature, by the very key that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct UnsignedRequest {
    unsigned: Unsigned,
    subject: Vec<u8>,
    public_key: SubjectPublicKeyInfoDer<'static>,
}

impl CertificationRequest {
    /// Decodes a request and verifies that its own key signed it.
    ///
    /// # Errors
    ///
    /// It is no such request, or another key signed it, or with an algorithm that is not accepted.
    pub fn verify(request: &CertificateSigningRequestDer<'_>) -> Result<Self, Error> {
        match Self::judge(request).map_err(Error::CertificationRequest)? {
            (verified, Verdict::Good) => Ok(verified),
            (_, Verdict::Unknown(algorithm)) => Err(Error::RequestAlgorithm { algorithm }),
            (_, Verdict::Bad) => Err(Error::RequestSignature),
        }
    }

    fn judge(der: &[u8]) -> Result<(Self, Verdict), DecodeError> {
        CertReq::from_der(der)?;
        let (info, algorithm, signed) = SliceReader::new(der)?.sequence(|request| {
            Ok::<_, der::Error>((
                request.tlv_bytes()?,
                request.tlv_bytes()?,
                BitStringRef::decode(request)?,
            ))
        })?;
        let signed = signed
            .as_bytes()
            .ok_or(DecodeError::rule("the signature has unused bits"))?;
        let mut fields = SliceReader::new(sequence_content(info)?)?;
        fields.tlv_bytes()?; // the version
        let (subject, public_key) = (fields.tlv_bytes()?, fields.tlv_bytes()?);
        let request = Self {
            subject: subject.to_vec(),
            public_key: SubjectPublicKeyInfoDer::from(public_key.to_vec()),
        };
        let algorithm = sequence_content(algorithm)?;
        let verdict = signature::judge(&request.public_key, algorithm, info, signed)?;
        Ok((request, verdict))
    }

    /// The key that asks, and that has signed.
    #[must_use]
    pub fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.public_key.as_ref())
    }

    /// The name that it asks for.
    ///
    /// # Errors
    ///
    /// The name has attributes that no certificate is given here, or one of them twice.
    pub fn subject(&self) -> Result<DistinguishedName, Error> {
        let name = Name::from_der(&self.subject)
            .map_err(|error| Error::CertificationRequest(error.into()))?;
        DistinguishedName::of(&name)
    }
}

impl UnsignedRequest {
    /// The DER `CertificationRequestInfo`: what the key signs.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        self.unsigned.to_be_signed()
    }

    /// Adds the signature, which is not checked.
    #[must_use]
    pub fn signed(self, signature: &[u8]) -> CertificateSigningRequestDer<'static> {
        // Certificates and requests are wrapped alike.
        CertificateSigningRequestDer::from(self.unsigned.signed(signature).to_vec())
    }

    /// What Sigstore's certificate specification says of an intermediate with this name and key.
    ///
    /// # Errors
    ///
    /// The key cannot be decoded.
    pub fn review(&self) -> Result<Review, Error> {
        Review::of_request(&self.subject, &self.public_key)
    }
}

impl CaTemplate {
    /// Writes a request that `public_key` is certified as this template says, with the extensions
    /// as an `extensionRequest` (RFC 2985 section 5.4.2). The lifetime cannot be asked for.
    ///
    /// # Errors
    ///
    /// When the subject is empty, or when the key cannot be decoded or sign certificates.
    pub fn request(
        &self,
        public_key: SubjectPublicKeyInfoDer<'_>,
    ) -> Result<UnsignedRequest, Error> {
        let subject = self.subject.to_der().ok_or(Error::NoSubject)?;
        let key = PublicKey::parse(&public_key).map_err(Error::PublicKey)?;
        let algorithm = key.signature_algorithm()?;
        let mut out = Writer::default();
        out.nested(tag::SEQUENCE, |info| {
            info.element(tag::INTEGER, &[0]);
            info.bytes(&subject);
            info.bytes(&public_key);
            info.nested(tag::context_constructed(0), |attributes| {
                attributes.nested(tag::SEQUENCE, |attribute| {
                    attribute.element(tag::OID, &EXTENSION_REQUEST);
                    attribute.nested(tag::SET, |values| {
                        values.nested(tag::SEQUENCE, |extensions| {
                            self.write_extensions(extensions, &key, None);
                        });
                    });
                });
            });
        });
        Ok(UnsignedRequest {
            unsigned: Unsigned {
                to_be_signed: out.finish(),
                algorithm,
            },
            subject,
            public_key: public_key.into_owned(),
        })
    }
}

/// 1.2.840.113549.1.9.14.
const EXTENSION_REQUEST: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
