//! Key sets as documents; what their keys verify is in `vectors.rs`.

use fulcio_oidc_verify::{Algorithm, Error, KeySet};
use fulcio_testkit::idp::{FakeIdp, FakeKey};

#[test]
fn refuses_what_is_not_a_set() {
    for json in [
        "",
        "null",
        "[]",
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
        .with_key(FakeKey::generate(Algorithm::Es512).published_with("kty", "oct"))
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
