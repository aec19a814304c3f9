//! Key sets and tokens made with Python's `cryptography`, one file a case.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{fs, path::Path};

use fulcio_oidc_verify::{AlgorithmSet, Expectation, KeySet, UnverifiedToken};
use fulcio_testkit::idp::FakeIdp;
use serde_json::Value;

fn outcome(case: &Value) -> &'static str {
    let keys = match KeySet::parse(case["jwks"].to_string().as_bytes()) {
        Ok(keys) => keys,
        Err(error) => return error.reason(),
    };
    let expected = Expectation::new("https://issuer.example.com", "sigstore", AlgorithmSet::ALL);
    let verified = UnverifiedToken::parse(case["token"].as_str().unwrap())
        .and_then(|token| token.verify(&keys, &expected, FakeIdp::now()));
    match verified {
        Ok(token) => {
            assert_eq!(token.claim("email").unwrap(), "ada@example.com");
            "accepted"
        }
        Err(error) => error.reason(),
    }
}

#[test]
fn every_vector_ends_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut cases = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            outcome(&case),
            case["expected"],
            "{}: {}",
            path.display(),
            case["what"]
        );
        cases += 1;
    }
    assert!(cases > 40, "only {cases} vectors were found");
}
