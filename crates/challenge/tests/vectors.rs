//! Every file below `tests/vectors` is one proof and the answer to it.
//!
//! `fulcio_*` are requests to a running Fulcio with what it answered; `openssl_*` were made with the
//! OpenSSL command line; the answers of all others come from Go: `crypto/x509` and the libraries of
//! Fulcio, called in Fulcio's order.

#![expect(
    clippy::unwrap_used,
    reason = "what a helper cannot read fails the test"
)]

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use fulcio_challenge::{PermittedAlgorithms, Proof, ProvenBy, PublicKey};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "why")]
    _why: String,
    /// What the identity's challenge is.
    #[serde(default)]
    challenge: String,
    key_pem: Option<String>,
    /// Base64, as the other bytes here.
    key_der: Option<String>,
    #[serde(default)]
    signature: String,
    csr: Option<String>,
    /// Names of algorithms, where it is not the default.
    permitted: Option<Vec<String>>,
    /// The key that is proven.
    spki: Option<String>,
    /// What the caller is told instead.
    refusal: Option<String>,
}

fn bytes(base64: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(base64).unwrap()
}

fn vectors() -> BTreeMap<String, Vector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let vector = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            (name, vector)
        })
        .collect()
}

#[test]
fn every_proof_is_answered_as_fulcio_answers_it() {
    let vectors = vectors();
    assert!(vectors.len() > 200, "only {} vectors", vectors.len());
    let mut wrong = Vec::new();
    for (name, vector) in &vectors {
        let key = vector
            .key_der
            .as_deref()
            .map(bytes)
            .or_else(|| vector.key_pem.clone().map(Vec::from))
            .unwrap_or_default();
        let signature = bytes(&vector.signature);
        let proof = match &vector.csr {
            Some(csr) => Proof::Csr(csr.as_bytes()),
            None => Proof::Challenge {
                key: &key,
                signature: &signature,
            },
        };
        let permitted = match &vector.permitted {
            Some(names) => {
                PermittedAlgorithms::from_names(names.iter().map(String::as_str)).unwrap()
            }
            None => PermittedAlgorithms::default(),
        };
        let answer = proof.verify(&vector.challenge, &permitted);
        let expected = match (&vector.spki, &vector.refusal) {
            (Some(spki), None) => Ok(bytes(spki)),
            (None, Some(refusal)) => Err(refusal.clone()),
            _ => panic!("{name} expects both or nothing"),
        };
        match answer {
            Ok(proven) => {
                if expected.as_deref() != Ok(proven.spki().as_ref()) {
                    wrong.push(format!("{name}: proven, not {expected:?}"));
                }
                let by = match vector.csr {
                    Some(_) => ProvenBy::Csr,
                    None => ProvenBy::Challenge(vector.challenge.clone()),
                };
                assert_eq!(proven.proven_by(), &by, "{name}");
                let again = PublicKey::parse(proven.spki().as_ref());
                assert_eq!(again.as_ref(), Ok(proven.public_key()), "{name}");
            }
            Err(error) => {
                if expected.as_ref() != Err(&error.to_string()) {
                    wrong.push(format!("{name}: {error} ({error:?}), not {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
