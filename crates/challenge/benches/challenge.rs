//! What a proof costs.

use std::{fs, hint::black_box, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use divan::Bencher;
use fulcio_challenge::{PermittedAlgorithms, Proof, PublicKey};

fn main() {
    divan::main();
}

fn vector(name: &str) -> serde_json::Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let bytes = fs::read(folder.join(name).with_extension("json")).expect("the vector is there");
    serde_json::from_slice(&bytes).expect("the vector is JSON")
}

fn text(vector: &serde_json::Value, field: &str) -> String {
    vector[field]
        .as_str()
        .expect("the field is text")
        .to_owned()
}

const CHALLENGES: [&str; 7] = [
    "challenge_p256_pem",
    "challenge_p384_pem",
    "challenge_p521_pem",
    "challenge_ed25519_pem",
    "challenge_rsa2048_pem",
    "challenge_rsa3072_pem",
    "challenge_rsa4096_pem",
];

#[divan::bench(args = CHALLENGES)]
fn verify_challenge(bencher: Bencher<'_, '_>, name: &str) {
    let vector = vector(name);
    let key = text(&vector, "key_pem");
    let challenge = text(&vector, "challenge");
    let signature = BASE64_STANDARD
        .decode(text(&vector, "signature"))
        .expect("the signature is base64");
    let permitted = PermittedAlgorithms::default();
    bencher.bench_local(|| {
        Proof::Challenge {
            key: black_box(key.as_bytes()),
            signature: &signature,
        }
        .verify(&challenge, &permitted)
        .expect("the proof holds")
    });
}

#[divan::bench(args = ["csr_p256_sha256", "csr_rsa2048_sha256", "csr_ed25519"])]
fn verify_csr(bencher: Bencher<'_, '_>, name: &str) {
    let csr = text(&vector(name), "csr");
    let permitted = PermittedAlgorithms::default();
    bencher.bench_local(|| {
        Proof::Csr(black_box(csr.as_bytes()))
            .verify("", &permitted)
            .expect("the proof holds")
    });
}

#[divan::bench(args = CHALLENGES)]
fn parse_key(bencher: Bencher<'_, '_>, name: &str) {
    let key = text(&vector(name), "key_pem");
    bencher.bench_local(|| PublicKey::parse(black_box(key.as_bytes())).expect("the key is good"));
}
