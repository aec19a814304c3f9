//! The two forms of an ECDSA signature: DER (RFC 3279 section 2.2.3) and the bare row of r and s
//! (IEEE P1363).

use der::{
    Encode, Header, Reader, Sequence, SliceReader, Tag,
    asn1::{IntRef, UintRef},
};

/// Twice the bytes of P-521's order.
const LONGEST_ROW: usize = 132;

#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// Whether it begins as a DER signature does, and so must be one.
pub(crate) fn is_der(signature: &[u8]) -> bool {
    let begins = || {
        let mut reader = SliceReader::new(signature)?;
        let header = reader.decode::<Header>()?;
        header.tag().assert_eq(Tag::Sequence)?;
        let mut integers = SliceReader::new(reader.read_slice(header.length())?)?;
        integers.decode::<IntRef<'_>>()?;
        integers.decode::<IntRef<'_>>()?;
        Ok::<_, der::Error>(())
    };
    begins().is_ok()
}

/// The DER of a row of r and s. As Fulcio does, this takes halves longer or shorter than the curve's
/// order as the numbers they are; none when it is no such row.
pub(crate) fn der_from_p1363(row: &[u8]) -> Option<Vec<u8>> {
    if row.len() > LONGEST_ROW || !row.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = row.split_at(row.len() / 2);
    EcdsaSigValue {
        r: UintRef::new(r).ok()?,
        s: UintRef::new(s).ok()?,
    }
    .to_der()
    .ok()
}
