use der::{
    Decode, Reader, SliceReader,
    asn1::{AnyRef, BitStringRef},
};

use crate::DecodeError;

/// The parts of a certificate as they lie in it, undecoded (RFC 5280 section 4.1).
///
/// Names are compared and signatures verified over these bytes: encoding a decoded part again need
/// not give them back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawCertificate<'a> {
    pub(crate) to_be_signed: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    pub(crate) public_key: &'a [u8],
    /// The content of the `AlgorithmIdentifier`, the same inside and outside.
    pub(crate) signature_algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> RawCertificate<'a> {
    pub(crate) fn slice(der: &'a [u8]) -> Result<Self, DecodeError> {
        let (to_be_signed, outer, signature) = SliceReader::new(der)?.sequence(|certificate| {
            Ok::<_, der::Error>((
                certificate.tlv_bytes()?,
                certificate.tlv_bytes()?,
                BitStringRef::decode(certificate)?,
            ))
        })?;
        let mut fields = SliceReader::new(sequence_content(to_be_signed)?)?;
        let first = fields.tlv_bytes()?;
        if first.first() == Some(&0xa0) {
            fields.tlv_bytes()?; // the serial number after the version
        }
        let inner = fields.tlv_bytes()?;
        if inner != outer {
            return Err(DecodeError::rule(
                "the signature algorithm inside differs from the one outside",
            ));
        }
        let issuer = fields.tlv_bytes()?;
        fields.tlv_bytes()?; // validity
        Ok(Self {
            to_be_signed,
            issuer,
            subject: fields.tlv_bytes()?,
            public_key: fields.tlv_bytes()?,
            signature_algorithm: sequence_content(outer)?,
            signature: signature
                .as_bytes()
                .ok_or(DecodeError::rule("the signature has unused bits"))?,
        })
    }
}

pub(crate) fn sequence_content(der: &[u8]) -> Result<&[u8], der::Error> {
    Ok(AnyRef::from_der(der)?.value())
}
