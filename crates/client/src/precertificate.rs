use const_oid::db::rfc6962::CT_PRECERT_SCTS;
use der::{
    Decode, Encode as _, Header, Length, Reader as _, SliceReader, Tag, TagNumber, Tagged as _,
    asn1::{AnyRef, ObjectIdentifier},
};

use crate::Error;

/// The `TBSCertificate` that the log signed for: that of `certificate` without its list of
/// timestamps (RFC 6962 section 3.2).
pub(crate) fn log_entry_tbs(certificate: &[u8]) -> Result<Vec<u8>, Error> {
    let certificate = AnyRef::from_der(certificate)?;
    let tbs = SliceReader::new(certificate.value())?.decode::<AnyRef<'_>>()?;

    let mut body = Vec::with_capacity(tbs.value().len());
    let mut fields = SliceReader::new(tbs.value())?;
    while !fields.is_finished() {
        let field = fields.tlv_bytes()?;
        let parsed = AnyRef::from_der(field)?;
        if parsed.tag() == EXTENSIONS {
            let kept = without_timestamps(parsed.value())?;
            if !kept.is_empty() {
                let list = wrapped(Tag::Sequence, &kept)?;
                body.extend(wrapped(EXTENSIONS, &list)?);
            }
        } else {
            body.extend_from_slice(field);
        }
    }
    wrapped(Tag::Sequence, &body)
}

/// `extensions [3] EXPLICIT Extensions` of RFC 5280 section 4.1.
const EXTENSIONS: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(3),
};

fn without_timestamps(extensions: &[u8]) -> Result<Vec<u8>, Error> {
    let list = AnyRef::from_der(extensions)?;
    let mut reader = SliceReader::new(list.value())?;
    let mut kept = Vec::with_capacity(list.value().len());
    while !reader.is_finished() {
        let extension = reader.tlv_bytes()?;
        let inside = AnyRef::from_der(extension)?;
        let oid: ObjectIdentifier = SliceReader::new(inside.value())?.decode()?;
        if oid != CT_PRECERT_SCTS {
            kept.extend_from_slice(extension);
        }
    }
    Ok(kept)
}

/// An element with this content.
pub(crate) fn wrapped(tag: Tag, value: &[u8]) -> Result<Vec<u8>, Error> {
    let mut der = Header::new(tag, Length::try_from(value.len())?).to_der()?;
    der.extend_from_slice(value);
    Ok(der)
}
