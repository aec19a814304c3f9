//! Every algorithm, judged by a second implementation.

#![allow(clippy::unwrap_used, reason = "tests may")]

use fulcio_oidc_verify::{Algorithm, AlgorithmSet, Error, Expectation, KeySet, UnverifiedToken};
use fulcio_testkit::idp::{FakeIdp, FakeKey};
use jsonwebtoken::{DecodingKey, Validation, jwk::Jwk};
use p521::ecdsa::signature::Verifier as _;
use serde_json::Value;

fn ours(idp: &FakeIdp, token: &str, algorithms: AlgorithmSet) -> Result<(), Error> {
    let keys = KeySet::parse(idp.jwks().to_string().as_bytes())?;
    let expected = Expectation::new(idp.issuer(), idp.audience(), algorithms);
    UnverifiedToken::parse(token)?
        .verify(&keys, &expected, FakeIdp::now())
        .map(drop)
}

/// Whether jsonwebtoken takes `token` for one that the provider's first key signed.
fn judge(idp: &FakeIdp, token: &str, algorithm: Algorithm) -> bool {
    let jwk: Jwk = serde_json::from_value(idp.key().jwk()).unwrap();
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    let mut rules = Validation::new(algorithm.name().parse().unwrap());
    rules.validate_exp = false;
    rules.set_audience(&[idp.audience()]);
    jsonwebtoken::decode::<Value>(token, &key, &rules).is_ok()
}

/// The token with the bit `bit` of its signature turned over.
fn tampered(token: &str, bit: usize) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64.decode(signature).unwrap();
    signature[bit / 8] ^= 1 << (bit % 8);
    format!("{signed}.{}", BASE64.encode(signature))
}

#[test]
fn accepts_what_the_judge_accepts_and_nothing_tampered() {
    for algorithm in Algorithm::ALL {
        let idp = FakeIdp::new(FakeKey::generate(algorithm).named("k"));
        let token = idp.token();
        let bad = tampered(&token, 77);
        ours(&idp, &token, AlgorithmSet::ALL).unwrap();
        assert!(matches!(
            ours(&idp, &bad, AlgorithmSet::ALL),
            Err(Error::Signature)
        ));
        // It has no P-521.
        if algorithm != Algorithm::Es512 {
            assert!(judge(&idp, &token, algorithm), "{algorithm}");
            assert!(!judge(&idp, &bad, algorithm), "{algorithm}");
        }
    }
}

#[test]
fn es512_is_what_another_p521_makes_of_it() {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es512));
    let token = idp.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let jwk = idp.key().jwk();
    let coordinate = |name: &str| BASE64.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
    let signature = p521::ecdsa::Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap();
    key.verify(signed.as_bytes(), &signature).unwrap();
    ours(&idp, &token, AlgorithmSet::ALL).unwrap();
}

#[test]
fn refuses_an_algorithm_that_the_issuer_does_not_use() {
    let key = FakeKey::generate(Algorithm::Rs256);
    let idp = FakeIdp::new(key.clone());
    ours(&idp, &idp.token(), AlgorithmSet::RS256).unwrap();
    let other = FakeIdp::new(key.signing_with(Algorithm::Ps256));
    assert!(matches!(
        ours(&other, &other.token(), AlgorithmSet::RS256),
        Err(Error::Algorithm(Algorithm::Ps256))
    ));
    ours(
        &other,
        &other.token(),
        [Algorithm::Ps256].into_iter().collect(),
    )
    .unwrap();
}

#[test]
fn refuses_a_token_whose_header_names_another_algorithm_than_made_it() {
    let key = FakeKey::generate(Algorithm::Rs256);
    let idp = FakeIdp::new(key);
    for named in Algorithm::ALL
        .into_iter()
        .filter(|named| *named != Algorithm::Rs256)
    {
        let token = idp.draft().parameter("alg", named.name()).mint();
        assert!(
            matches!(ours(&idp, &token, AlgorithmSet::ALL), Err(Error::Signature)),
            "{named}"
        );
    }
}

#[test]
fn refuses_none_and_hmac_whatever_is_permitted() {
    let idp = FakeIdp::new(FakeKey::generate(Algorithm::Rs256));
    let modulus = idp.key().jwk()["n"].to_string();
    for token in [
        idp.draft().mint_unsigned(),
        idp.draft().mint_with_secret(modulus.as_bytes()),
        idp.draft().parameter("alg", "None").mint(),
        idp.draft().parameter("alg", "rs256").mint(),
        idp.draft().parameter("alg", Value::Null).mint(),
        idp.draft().without_parameter("alg").mint(),
    ] {
        let error = ours(&idp, &token, AlgorithmSet::ALL).unwrap_err();
        assert_eq!(
            error.reason(),
            if token.contains(NULL) {
                "malformed"
            } else {
                "algorithm"
            }
        );
    }
}

/// The header `{"alg":null}`.
const NULL: &str = "eyJhbGciOm51bGx9";
