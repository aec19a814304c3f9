use der::{Encode as _, Sequence, asn1::UintRef};

use crate::Error;

/// An ECDSA signature as X.509 wants it (`ECDSA-Sig-Value`, RFC 3279 section 2.2.3, in DER), made
/// from `r || s` (IEEE P1363), as PKCS#11 and some key services give it.
///
/// Whether it is a signature shows when it is verified.
///
/// # Errors
/// `fixed` is empty, has two halves of different length, or is longer than any signature.
pub fn ecdsa_sig_value(fixed: &[u8]) -> Result<Vec<u8>, Error> {
    let wrong = || Error::SignatureLength { bytes: fixed.len() };
    if fixed.is_empty() || !fixed.len().is_multiple_of(2) || fixed.len() > LONGEST {
        return Err(wrong());
    }
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let number = |bytes| UintRef::new(bytes).map_err(|_der| wrong());
    let value = EcdsaSigValue {
        r: number(r)?,
        s: number(s)?,
    };
    value.to_der().map_err(|_der| wrong())
}

#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// Both numbers on P-521.
const LONGEST: usize = 132;
