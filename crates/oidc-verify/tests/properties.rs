//! What strangers may send: anything.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::sync::LazyLock;

use fulcio_oidc_verify::{Algorithm, AlgorithmSet, Expectation, KeySet, UnverifiedToken};
use fulcio_testkit::idp::{FakeIdp, FakeKey};
use proptest::prelude::*;
use serde_json::Value;

static IDP: LazyLock<FakeIdp> =
    LazyLock::new(|| FakeIdp::new(FakeKey::generate(Algorithm::Es256).named("k")));
static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::parse(IDP.jwks().to_string().as_bytes()).unwrap());
static TOKEN: LazyLock<String> = LazyLock::new(|| IDP.token());

fn verifies(raw: &str) -> bool {
    let expected = Expectation::new(IDP.issuer(), IDP.audience(), AlgorithmSet::ALL);
    UnverifiedToken::parse(raw)
        .and_then(|token| token.verify(&KEYS, &expected, FakeIdp::now()))
        .is_ok()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(".*", inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_is_a_token(raw in ".*") {
        prop_assert!(!verifies(&raw));
    }

    #[test]
    fn no_letter_of_a_token_can_be_changed(at in 0..TOKEN.len(), letter in any::<char>()) {
        let mut raw = TOKEN.clone();
        raw.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
        prop_assert_eq!(verifies(&raw), raw == *TOKEN);
    }

    #[test]
    fn no_token_can_be_cut_short(end in 0..TOKEN.len()) {
        prop_assert!(!verifies(&TOKEN[..end]));
    }

    #[test]
    fn any_claim_beside_the_registered_ones_is_read_as_it_was_written(value in json()) {
        let raw = IDP.draft().claim("x", value.clone()).mint();
        let expected = Expectation::new(IDP.issuer(), IDP.audience(), AlgorithmSet::ALL);
        let token = UnverifiedToken::parse(&raw).unwrap();
        let token = token.verify(&KEYS, &expected, FakeIdp::now()).unwrap();
        prop_assert_eq!(token.claim("x"), Some(&value));
    }

    #[test]
    fn any_header_and_payload_give_an_answer(header: Vec<u8>, payload: Vec<u8>) {
        let draft = IDP.draft();
        verifies(&draft.clone().header(header).mint());
        prop_assert!(!verifies(&draft.payload(payload).mint()));
    }

    #[test]
    fn any_registered_claim_gives_an_answer(
        name in proptest::sample::select(vec!["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "_claim_names", "_claim_sources"]),
        value in json(),
    ) {
        verifies(&IDP.draft().claim(name, value).mint());
    }

    #[test]
    fn any_key_set_gives_an_answer(value in json()) {
        let set = serde_json::json!({ "keys": [value] }).to_string();
        prop_assert_eq!(KeySet::parse(set.as_bytes()).map_or(0, |keys| keys.len()), 0);
        let _refused = KeySet::parse(value.to_string().as_bytes());
    }

    #[test]
    fn any_member_of_a_key_gives_an_answer(
        name in proptest::sample::select(vec!["kty", "crv", "x", "y", "kid", "alg", "use", "key_ops"]),
        value in json(),
    ) {
        let key = IDP.key().clone().published_with(name, value);
        let set = serde_json::json!({ "keys": [key.jwk()] }).to_string();
        prop_assert!(KeySet::parse(set.as_bytes()).map_or(0, |keys| keys.len()) <= 1);
    }
}
