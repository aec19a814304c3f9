//! Keys that come as two halves, without any structure around them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_file::{KeyError, KeyPair};
use fulcio_testkit::signer_conformance;

/// RFC 6979 appendix A.2.5.
fn p256() -> (Vec<u8>, Vec<u8>) {
    (
        hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"),
        hex(concat!(
            "04",
            "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
            "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
        )),
    )
}

/// RFC 8032 section 7.1, test 1.
fn ed25519() -> (Vec<u8>, Vec<u8>) {
    (
        hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
        hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
    )
}

#[tokio::test]
async fn both_halves_make_a_signer() {
    for (algorithm, (private, public)) in [
        (Algorithm::EcdsaP256Sha256, p256()),
        (Algorithm::Ed25519, ed25519()),
    ] {
        let pair = KeyPair::from_halves(algorithm, &private, &public).unwrap();
        assert_eq!(pair.algorithm(), algorithm);
        assert!(pair.public_key().ends_with(&public));
        signer_conformance(&pair).await;
    }
}

#[test]
fn halves_that_do_not_belong_together_make_none() {
    for (algorithm, (private, public)) in [
        (Algorithm::EcdsaP256Sha256, p256()),
        (Algorithm::Ed25519, ed25519()),
    ] {
        let swapped = (&public, &private);
        let mut other = private.clone();
        other[0] ^= 1;
        for (private, public) in [
            (&other, &public),
            swapped,
            (&private[1..].to_vec(), &public),
            (&private, &public[1..].to_vec()),
            (&private, &Vec::new()),
            (&Vec::new(), &public),
        ] {
            let error = KeyPair::from_halves(algorithm, private, public).unwrap_err();
            assert!(matches!(error, KeyError::Rejected(_)), "{error:?}");
        }
    }
}

#[test]
fn an_algorithm_of_another_key_makes_none() {
    let (private, public) = p256();
    let of = |algorithm| KeyPair::from_halves(algorithm, &private, &public).unwrap_err();
    assert!(matches!(
        of(Algorithm::EcdsaP384Sha384),
        KeyError::Rejected(_)
    ));
    assert!(matches!(of(Algorithm::Ed25519), KeyError::Rejected(_)));
    assert!(matches!(
        of(Algorithm::RsaPkcs1Sha256),
        KeyError::NotMade(Algorithm::RsaPkcs1Sha256)
    ));
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
