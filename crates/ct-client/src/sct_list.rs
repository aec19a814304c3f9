use crate::{
    SctError, SignedCertificateTimestamp,
    tls::{Reader, write_vector},
};

/// Writes a `SignedCertificateTimestampList` (RFC 6962 section 3.3): the content of the
/// certificate extension 1.3.6.1.4.1.11129.2.4.2, inside both of its octet strings.
///
/// # Panics
/// The list is longer than 65,535 bytes, which takes more than 31 timestamps.
#[must_use]
pub fn encode_sct_list(timestamps: &[SignedCertificateTimestamp]) -> Vec<u8> {
    let mut items = Vec::new();
    for timestamp in timestamps {
        write_vector(&mut items, &timestamp.encode());
    }
    let mut list = Vec::with_capacity(2 + items.len());
    write_vector(&mut list, &items);
    list
}

/// Reads a `SignedCertificateTimestampList`.
///
/// # Errors
/// The bytes are not that, the list is empty, or one of its items is not a timestamp of version 1.
pub fn decode_sct_list(bytes: &[u8]) -> Result<Vec<SignedCertificateTimestamp>, SctError> {
    let mut outer = Reader::new(bytes);
    let mut items = Reader::new(outer.vector()?);
    outer.finish()?;
    if items.is_empty() {
        return Err(SctError::Malformed);
    }
    let mut timestamps = Vec::new();
    while !items.is_empty() {
        timestamps.push(SignedCertificateTimestamp::decode(items.vector()?)?);
    }
    Ok(timestamps)
}
