//! How one extension lies in a certificate (RFC 5280 section 4.1), and the OIDs that are written.

use crate::writer::{Writer, element_len, tag};

/// An OID as people write it and as DER does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oid {
    pub(crate) dotted: &'static str,
    /// The content octets.
    pub(crate) der: &'static [u8],
}

pub(crate) const SUBJECT_KEY_IDENTIFIER: Oid = Oid {
    dotted: "2.5.29.14",
    der: &[0x55, 0x1d, 14],
};
pub(crate) const KEY_USAGE: Oid = Oid {
    dotted: "2.5.29.15",
    der: &[0x55, 0x1d, 15],
};
pub(crate) const SUBJECT_ALT_NAME: Oid = Oid {
    dotted: "2.5.29.17",
    der: &[0x55, 0x1d, 17],
};
pub(crate) const BASIC_CONSTRAINTS: Oid = Oid {
    dotted: "2.5.29.19",
    der: &[0x55, 0x1d, 19],
};
pub(crate) const NAME_CONSTRAINTS: Oid = Oid {
    dotted: "2.5.29.30",
    der: &[0x55, 0x1d, 30],
};
pub(crate) const AUTHORITY_KEY_IDENTIFIER: Oid = Oid {
    dotted: "2.5.29.35",
    der: &[0x55, 0x1d, 35],
};
pub(crate) const EXTENDED_KEY_USAGE: Oid = Oid {
    dotted: "2.5.29.37",
    der: &[0x55, 0x1d, 37],
};
/// RFC 6962 section 3.3.
pub(crate) const SCT_LIST: Oid = Oid {
    dotted: "1.3.6.1.4.1.11129.2.4.2",
    der: &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2],
};
/// RFC 6962 section 3.1.
pub(crate) const POISON: Oid = Oid {
    dotted: "1.3.6.1.4.1.11129.2.4.3",
    der: &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3],
};
/// The arc of Fulcio's own extensions, 1.3.6.1.4.1.57264.1; each adds one octet.
pub(crate) const FULCIO_ARC: [u8; 9] = [0x2b, 6, 1, 4, 1, 0x83, 0xbf, 0x30, 1];

/// `ExtKeyUsageSyntax` with id-kp-codeSigning (RFC 5280 section 4.2.1.12) alone.
pub(crate) const CODE_SIGNING: [u8; 12] = [
    0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03,
];

const CRITICAL: [u8; 3] = [tag::BOOLEAN, 1, 0xff];

/// Adds an extension up to its value; the caller adds the `value_len` bytes of that.
pub(crate) fn open(out: &mut Writer, oid: &[u8], critical: bool, value_len: usize) {
    out.header(tag::SEQUENCE, content_len(oid.len(), critical, value_len));
    out.element(tag::OID, oid);
    if critical {
        out.bytes(&CRITICAL);
    }
    out.header(tag::OCTET_STRING, value_len);
}

/// Adds a whole extension.
pub(crate) fn write(out: &mut Writer, oid: Oid, critical: bool, value: &[u8]) {
    open(out, oid.der, critical, value.len());
    out.bytes(value);
}

/// How long a whole extension is.
pub(crate) const fn len(oid_len: usize, critical: bool, value_len: usize) -> usize {
    element_len(content_len(oid_len, critical, value_len))
}

const fn content_len(oid_len: usize, critical: bool, value_len: usize) -> usize {
    let flag = if critical { CRITICAL.len() } else { 0 };
    element_len(oid_len) + flag + element_len(value_len)
}

/// The value of a subject key identifier extension.
pub(crate) fn key_identifier(identifier: &[u8; 20]) -> [u8; 22] {
    let mut value = [0; 22];
    value[..2].copy_from_slice(&[tag::OCTET_STRING, 20]);
    value[2..].copy_from_slice(identifier);
    value
}
