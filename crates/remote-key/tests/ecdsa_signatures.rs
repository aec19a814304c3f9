//! `r || s` as DER, judged by another implementation of ECDSA.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use fulcio_remote_key::{Error, ecdsa_sig_value};
use proptest::prelude::*;

#[test]
fn numbers_are_as_short_as_der_wants_them() {
    let der = |fixed: &[u8]| ecdsa_sig_value(fixed).unwrap();
    assert_eq!(der(&[1, 2]), [0x30, 6, 2, 1, 1, 2, 1, 2]);
    assert_eq!(der(&[0, 1, 0, 0x80]), [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
    assert_eq!(der(&[0, 0, 0, 0]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
}

#[test]
fn what_cannot_be_two_numbers_is_refused() {
    for bytes in [0, 1, 63, 133, 134] {
        let error = ecdsa_sig_value(&vec![1; bytes]).unwrap_err();
        assert!(
            matches!(error, Error::SignatureLength { bytes: found } if found == bytes),
            "{error:?}"
        );
    }
}

/// One bit in 256 numbers is short, so that many are needed to see one.
fn numbers(length: usize) -> impl Strategy<Value = Vec<u8>> {
    (
        prop::collection::vec(any::<u8>(), length * 2),
        0..length,
        0..length,
    )
        .prop_map(move |(mut fixed, short_r, short_s)| {
            // Below the order of the curve, and not zero.
            for (start, short) in [(0, short_r), (length, short_s)] {
                fixed[start..start + short].fill(0);
                fixed[start] &= if length == 66 { 0 } else { 0x7f };
                fixed[start + length - 1] |= 1;
            }
            fixed
        })
}

proptest! {
    #[test]
    fn p256_is_what_rustcrypto_writes(fixed in numbers(32)) {
        let signature = p256::ecdsa::Signature::from_slice(&fixed).unwrap();
        prop_assert_eq!(ecdsa_sig_value(&fixed).unwrap(), signature.to_der().to_bytes().to_vec());
    }

    #[test]
    fn p384_is_what_rustcrypto_writes(fixed in numbers(48)) {
        let signature = p384::ecdsa::Signature::from_slice(&fixed).unwrap();
        prop_assert_eq!(ecdsa_sig_value(&fixed).unwrap(), signature.to_der().to_bytes().to_vec());
    }

    #[test]
    fn p521_is_what_rustcrypto_writes(fixed in numbers(66)) {
        let signature = p521::ecdsa::Signature::from_slice(&fixed).unwrap();
        prop_assert_eq!(ecdsa_sig_value(&fixed).unwrap(), signature.to_der().to_bytes().to_vec());
    }
}
