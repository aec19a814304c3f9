//! Replays `tests/vectors`: bodies, and what Go's gateway makes of them (`encoding/json` up to the
//! end of the first value, then `protojson`).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use fulcio_api::json::{KeyMaterial, LegacySigningRequest, SigningRequest};
use serde_json::{Map, Value, json};

fn hex(bytes: &[u8]) -> Value {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn body_of(vector: &Value) -> Vec<u8> {
    if let Some(depth) = vector["nested"].as_u64() {
        let depth = usize::try_from(depth).unwrap();
        return format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into();
    }
    match vector["bodyHex"].as_str() {
        Some(body) => unhex(body),
        None => vector["body"].as_str().unwrap().into(),
    }
}

/// A proto3 field without presence: nothing is said of an empty one.
fn insert(fields: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    if !bytes.is_empty() {
        fields.insert(name.into(), hex(bytes));
    }
}

fn decoded(body: &[u8]) -> Value {
    let request = match SigningRequest::from_json(body) {
        Ok(request) => request,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let mut fields = Map::new();
    if !request.token.is_empty() {
        fields.insert("token".into(), request.token.into());
    }
    match request.key {
        KeyMaterial::Csr(csr) => {
            fields.insert("csr".into(), hex(&csr));
        }
        KeyMaterial::None => {}
        KeyMaterial::PublicKey { content, proof } => {
            fields.insert("key".into(), hex(content.as_bytes()));
            fields.insert("proof".into(), hex(&proof));
        }
    }
    fields.into()
}

fn legacy_decoded(body: &[u8]) -> Value {
    let request = match LegacySigningRequest::from_json(body) {
        Ok(request) => request,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let mut fields = Map::new();
    insert(&mut fields, "csr", &request.certificate_signing_request);
    insert(&mut fields, "proof", &request.signed_email_address);
    if let Some(key) = request.public_key {
        fields.insert("key".into(), hex(&key));
    }
    fields.into()
}

#[test]
fn decodes_every_vector_as_go_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut replayed = 0;
    let mut differences = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let vector: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let body = body_of(&vector);
        let found = match vector["message"].as_str().unwrap() {
            "v1" => legacy_decoded(&body),
            "v2" => decoded(&body),
            other => panic!("no message {other}"),
        };
        let expected = &vector["expected"];
        if found != *expected {
            differences.push(format!("{}: {found}, not {expected}", path.display()));
        }
        replayed += 1;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(replayed > 150, "only {replayed} vectors were found");
}
