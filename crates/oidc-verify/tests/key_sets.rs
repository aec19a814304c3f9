//! Key sets as documents; what their keys verify is in `vectors.rs`.

use fulcio_oidc_verify::{Algorithm, Error, KeySet};
use fulcio_testkit::idp::{FakeIdp, FakeKey};
use serde_json::json;

#[test]
fn refuses_what_is_not_a_set() {
    for json in [
        "",
        "null",
        "[]",
        "[[]]",
        r#"{"keys":[["oct",null,null,null,null,null,null,null,null,null,null,"AA",null,null,null]]}"#,
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[]}x"#,
        "<html>",
    ] {
        let refused = KeySet::parse(json.as_bytes());
        assert!(matches!(refused, Err(Error::KeySet(_))), "{json}");
    }
    assert!(
        KeySet::parse(br#"{"keys":[],"more":1}"#)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn counts_usable_keys_only() {
    let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es256))
        .with_key(FakeKey::generate(Algorithm::EdDsa).published_with("use", "sig"))
        .with_key(FakeKey::generate(Algorithm::Es384).published_with("use", "enc"))
        .with_key(
            FakeKey::generate(Algorithm::Es512)
                .published_with("kty", "oct")
                .published_with("k", "AAAA"),
        )
        .with_key(FakeKey::generate(Algorithm::Es256).published_with("alg", "ES384"));
    let keys = KeySet::parse(idp.jwks().to_string().as_bytes()).unwrap();
    assert_eq!(keys.len(), 2);
}

#[test]
fn prints_names_and_algorithms() {
    let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es256).named("one"));
    let keys = KeySet::parse(idp.jwks().to_string().as_bytes()).unwrap();
    assert_eq!(
        format!("{keys:?}"),
        r#"[Key { id: Some("one"), algorithms: {Es256} }]"#
    );
}

#[test]
fn leaves_out_rsa_keys_below_2048_bits() {
    for case in [
        include_str!("vectors/rsa_1024.json"),
        include_str!("vectors/rsa_2047.json"),
    ] {
        let case: serde_json::Value = serde_json::from_str(case).unwrap();
        let keys = KeySet::parse(case["jwks"].to_string().as_bytes()).unwrap();
        assert!(keys.is_empty());
    }
}

/// As in Fulcio, where one such key leaves all tokens of the issuer unverified.
#[test]
fn one_key_that_cannot_be_read_spoils_the_set() {
    let key = || FakeKey::generate(Algorithm::Es256);
    let rsa = || FakeKey::generate(Algorithm::Rs256);
    let point = |jwk: &serde_json::Value, name: &str| jwk[name].as_str().expect("text").to_owned();
    let good = key();
    for (what, bad) in [
        ("no kind", json!({})),
        ("null", json!(null)),
        ("a number", json!(5)),
        (
            "an unknown kind",
            json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }),
        ),
        (
            "an unknown curve",
            key().published_with("crv", "secp256k1").jwk(),
        ),
        ("Ed448", json!({ "kty": "OKP", "crv": "Ed448", "x": "AA" })),
        (
            "no coordinate",
            key().published_with("y", json!(null)).jwk(),
        ),
        ("a short coordinate", key().published_with("x", "AA").jwk()),
        (
            "a point off the curve",
            key().published_with("x", point(&good.jwk(), "x")).jwk(),
        ),
        (
            "padding",
            key()
                .published_with("x", point(&good.jwk(), "x") + "=")
                .jwk(),
        ),
        ("no modulus", json!({ "kty": "RSA", "e": "AQAB" })),
        ("no exponent", rsa().published_with("e", "").jwk()),
        ("no secret", json!({ "kty": "oct" })),
        (
            "a kid that is a number",
            rsa().published_with("kid", 7).jwk(),
        ),
        (
            "no certificate",
            key().published_with("x5c", json!(["AAAA"])).jwk(),
        ),
        ("no base64", key().published_with("x5c", json!(["%"])).jwk()),
        (
            "no list of certificates",
            key().published_with("x5c", "AAAA").jwk(),
        ),
        (
            "a thumbprint that is too short",
            key().published_with("x5t", "AAAA").jwk(),
        ),
        (
            "a thumbprint that is no base64",
            key().published_with("x5t#S256", "%").jwk(),
        ),
    ] {
        let set = json!({ "keys": [good.jwk(), bad] });
        let refused = KeySet::parse(set.to_string().as_bytes());
        assert!(matches!(refused, Err(Error::KeySet(_))), "{what}");
    }
}

#[test]
fn a_key_may_have_its_certificate_beside_it() {
    use base64::prelude::*;
    let key = FakeKey::generate(Algorithm::Rs256);
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(key.jwk()["n"].as_str().expect("n"));
    // Only what a certificate has in common with its key is looked at.
    let certificate = [b"before", &modulus.expect("base64")[..], b"after"].concat();
    let digest = |algorithm| {
        let digest = aws_lc_rs::digest::digest(algorithm, &certificate);
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    };
    let (sha1, sha256) = (
        digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY),
        digest(&aws_lc_rs::digest::SHA256),
    );
    let with = |x5t: &str, x5t_s256: &str| {
        let key = key.clone().published_with("x5t", x5t);
        let key = key.published_with("x5t#S256", x5t_s256);
        let key = key.published_with("x5c", json!([BASE64_STANDARD.encode(&certificate)]));
        let set = json!({ "keys": [key.jwk()] });
        KeySet::parse(set.to_string().as_bytes()).map(|keys| keys.len())
    };
    assert_eq!(with("", "").ok(), Some(1));
    assert_eq!(with(&sha1, &sha256).ok(), Some(1));
    assert!(with(&sha256, "").is_err());
    assert!(with("", &digest(&aws_lc_rs::digest::SHA384)).is_err());
    let other = BASE64_URL_SAFE_NO_PAD.encode([7; 32]);
    assert!(with("", &other).is_err());
}
