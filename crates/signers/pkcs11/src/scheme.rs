use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512, digest};
use cryptoki::{
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::ObjectHandle,
    session::Session,
};
use der::{Encode as _, Sequence, asn1::UintRef};
use fulcio_signer::Algorithm;

use crate::Error;

/// Signs `message` as X.509 wants it: we hash, the token signs, and we encode.
///
/// Every token has the mechanisms that take a digest, and with them no more than the digest has
/// to travel to it.
pub(crate) fn sign(
    session: &Session,
    key: ObjectHandle,
    algorithm: Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let ecdsa = |hash: &'static digest::Algorithm| {
        let digest = digest(hash, message);
        let fixed = session.sign(&Mechanism::Ecdsa, key, digest.as_ref())?;
        ecdsa_sig_value(&fixed).ok_or(Error::Signature)
    };
    match algorithm {
        Algorithm::EcdsaP256Sha256 => ecdsa(&SHA256),
        Algorithm::EcdsaP384Sha384 => ecdsa(&SHA384),
        Algorithm::EcdsaP521Sha512 => ecdsa(&SHA512),
        Algorithm::Ed25519 => {
            let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
            Ok(session.sign(&pure, key, message)?)
        }
        Algorithm::RsaPkcs1Sha256 => {
            let digest = digest(&SHA256, message);
            let info = [SHA256_DIGEST_INFO, digest.as_ref()].concat();
            Ok(session.sign(&Mechanism::RsaPkcs, key, &info)?)
        }
        other => Err(Error::UnsupportedKey {
            kind: other.to_string(),
        }),
    }
}

/// `r || s`, which PKCS#11 gives, as RFC 3279 section 2.2.3 wants it.
fn ecdsa_sig_value(fixed: &[u8]) -> Option<Vec<u8>> {
    if fixed.is_empty() || !fixed.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = fixed.split_at(fixed.len() / 2);
    EcdsaSigValue {
        r: UintRef::new(r).ok()?,
        s: UintRef::new(s).ok()?,
    }
    .to_der()
    .ok()
}

#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// What stands before a SHA-256 digest in RSASSA-PKCS1-v1_5 (RFC 8017 section 9.2).
const SHA256_DIGEST_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_der_wants_them() {
        let der = |fixed: &[u8]| ecdsa_sig_value(fixed).unwrap();
        assert_eq!(der(&[1, 2]), [0x30, 6, 2, 1, 1, 2, 1, 2]);
        assert_eq!(der(&[0, 1, 0, 0x80]), [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
        assert_eq!(der(&[0, 0, 0, 0]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
        assert_eq!(ecdsa_sig_value(&[]), None);
        assert_eq!(ecdsa_sig_value(&[1, 2, 3]), None);
    }
}
