//! Bodies: everything that JSON and proto3 JSON leave open.

use std::{collections::BTreeMap, fs};

use base64::prelude::{
    BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _,
};
use serde_json::{Value, json};

use super::{
    Case, Proof, Request, Stage,
    proof::{V1, V2},
    scene::Scene,
};

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set(stage);
    recorded_bodies(stage, &scene);
    values_at_every_place(stage, &scene);
    names_of_members(stage, &scene);
    both_arms(stage, &scene);
    base64_forms(stage, &scene);
    algorithms(stage, &scene);
    cut_short(stage, &scene);
}

fn post(path: &str, token: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::post(path)
        .header("content-type", "application/json")
        .header("authorization", &format!("Bearer {token}"))
        .body(body)
}

/// The bodies that the API's own tests have, with a good token beside them.
fn recorded_bodies(stage: &Stage, scene: &Scene) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../crates/api/tests/vectors"
    );
    let files: BTreeMap<_, _> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let vector: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            (name, vector)
        })
        .collect();
    assert!(files.len() > 100);
    for (name, vector) in files {
        let body = if let Some(depth) = vector["nested"].as_u64() {
            let depth = usize::try_from(depth).unwrap();
            format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
        } else if let Some(hex) = vector["bodyHex"].as_str() {
            (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect()
        } else {
            vector["body"].as_str().unwrap().as_bytes().to_vec()
        };
        for path in [V1, V2] {
            let case = Case::new(
                format!("json/{path} {name}"),
                post(path, &scene.token(), body.clone()),
            );
            stage.compare(&scene.pair, case);
        }
    }
}

/// The bodies of good requests.
fn good(scene: &Scene) -> [(&'static str, &'static str, Value); 4] {
    let (csr, proof) = (scene.key.csr(), scene.proof());
    let token = scene.token();
    [
        ("v1 csr", V1, csr.v1_body()),
        ("v1 key", V1, proof.v1_body()),
        ("v2 csr", V2, csr.v2_body(Some(&token))),
        ("v2 key", V2, proof.v2_body(Some(&token))),
    ]
}

/// The places of all members, as JSON pointers.
fn places(value: &Value, place: &str, all: &mut Vec<String>) {
    if let Value::Object(members) = value {
        for (name, member) in members {
            let place = format!("{place}/{name}");
            all.push(place.clone());
            places(member, &place, all);
        }
    }
}

fn values_at_every_place(stage: &Stage, scene: &Scene) {
    let values = [
        ("null", json!(null)),
        ("true", json!(true)),
        ("false", json!(false)),
        ("number", json!(1)),
        ("fraction", json!(1.5)),
        ("huge number", json!(1e300)),
        ("empty text", json!("")),
        ("text", json!("x")),
        ("words", json!("\u{e4}<&>\u{2028}\u{0}")),
        ("array", json!([])),
        ("array of texts", json!(["x"])),
        ("object", json!({})),
        ("object with a member", json!({ "x": 1 })),
    ];
    for (what, path, body) in good(scene) {
        let case = Case::new(
            format!("json/{what}"),
            post(path, &scene.token(), body.to_string()),
        );
        stage.compare(&scene.pair, case);
        let mut all = Vec::new();
        places(&body, "", &mut all);
        for place in &all {
            for (value_name, value) in &values {
                let mut body = body.clone();
                *body.pointer_mut(place).unwrap() = value.clone();
                let name = format!("json/{what} {place} is {value_name}");
                let case = Case::new(name, post(path, &scene.token(), body.to_string()));
                stage.compare(&scene.pair, case);
            }
            let mut without = body.clone();
            let (parent, member) = place.rsplit_once('/').unwrap();
            let parent = without.pointer_mut(parent).unwrap();
            parent.as_object_mut().unwrap().remove(member);
            let name = format!("json/{what} without {place}");
            let case = Case::new(name, post(path, &scene.token(), without.to_string()));
            stage.compare(&scene.pair, case);
        }
    }
    for (name, value) in values {
        for path in [V1, V2] {
            let request = post(path, &scene.token(), value.to_string());
            stage.compare(
                &scene.pair,
                Case::new(format!("json/{path} is {name}"), request),
            );
        }
    }
}

fn names_of_members(stage: &Stage, scene: &Scene) {
    let snake = |name: &str| -> String {
        name.chars()
            .flat_map(|one| {
                let (line, lower) = (one.is_uppercase().then_some('_'), one.to_ascii_lowercase());
                line.into_iter().chain([lower])
            })
            .collect()
    };
    let title = |name: &str| name[..1].to_uppercase() + &name[1..];
    for (what, path, body) in good(scene) {
        let mut all = Vec::new();
        places(&body, "", &mut all);
        for place in &all {
            let (_, name) = place.rsplit_once('/').unwrap();
            let text = body.to_string();
            let written = format!("\"{name}\":");
            let renamed = |to: &str| text.replacen(&written, &format!("\"{to}\":"), 1);
            let value = body.pointer(place).unwrap().to_string();
            let twice = |other: &str, value: &str| {
                text.replacen(&written, &format!("\"{other}\":{value},{written}"), 1)
            };
            let other_case = title(name);
            let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
            for (how, body) in [
                ("snake_case", renamed(&snake(name))),
                ("Title", renamed(&other_case)),
                ("UPPER", renamed(&name.to_uppercase())),
                ("escaped", renamed(&escaped)),
                ("with a space", renamed(&format!("{name} "))),
                ("empty", renamed("")),
                ("in brackets", renamed(&format!("[{name}]"))),
                ("twice", twice(name, &value)),
                ("null first", twice(name, "null")),
                (
                    "null twice",
                    twice(name, "null").replacen(&value, "null", 1),
                ),
                ("in both spellings", twice(&snake(name), &value)),
                (
                    "unknown before",
                    twice("unknown", "{\"a\":[1,{\"b\":null}]}"),
                ),
                ("unknown twice", twice("unknown\":1,\"unknown", "2")),
                (
                    "comment before",
                    text.replacen(&written, &format!("/**/{written}"), 1),
                ),
                (
                    "comma before",
                    text.replacen(&written, &format!(",{written}"), 1),
                ),
                (
                    "without its value",
                    text.replacen(&format!("{written}{value}"), &written, 1),
                ),
            ] {
                let name = format!("json/{what} {place} {how}");
                let case = Case::new(name, post(path, &scene.token(), body));
                stage.compare(&scene.pair, case);
            }
        }
    }
}

fn both_arms(stage: &Stage, scene: &Scene) {
    let token = scene.token();
    let (csr, proof) = (scene.key.csr(), scene.proof());
    let (csr, key) = (csr.v2_body(None), proof.v2_body(None));
    let (csr, key) = (&csr["certificateSigningRequest"], &key["publicKeyRequest"]);
    for (what, body) in [
        (
            "csr and key",
            format!("{{\"certificateSigningRequest\":{csr},\"publicKeyRequest\":{key}}}"),
        ),
        (
            "key and csr",
            format!("{{\"publicKeyRequest\":{key},\"certificateSigningRequest\":{csr}}}"),
        ),
        (
            "csr and null key",
            format!("{{\"certificateSigningRequest\":{csr},\"publicKeyRequest\":null}}"),
        ),
        (
            "null csr and key",
            format!("{{\"certificateSigningRequest\":null,\"publicKeyRequest\":{key}}}"),
        ),
        (
            "empty csr and key",
            format!("{{\"certificateSigningRequest\":\"\",\"publicKeyRequest\":{key}}}"),
        ),
        (
            "csr and empty key",
            format!("{{\"certificateSigningRequest\":{csr},\"publicKeyRequest\":{{}}}}"),
        ),
        (
            "empty csr",
            "{\"certificateSigningRequest\":\"\"}".to_owned(),
        ),
        ("empty key", "{\"publicKeyRequest\":{}}".to_owned()),
        (
            "key without proof",
            "{\"publicKeyRequest\":{\"publicKey\":{}}}".to_owned(),
        ),
        ("neither", "{}".to_owned()),
        (
            "neither but nulls",
            "{\"certificateSigningRequest\":null,\"publicKeyRequest\":null,\"credentials\":null}"
                .to_owned(),
        ),
        (
            "two objects",
            format!("{{\"certificateSigningRequest\":{csr}}}{{}}"),
        ),
        (
            "an object and more",
            format!("{{\"certificateSigningRequest\":{csr}}} x"),
        ),
        (
            "lines",
            format!("{{\n\t\"certificateSigningRequest\" :\r\n{csr} \n}}\n"),
        ),
    ] {
        stage.compare(
            &scene.pair,
            Case::new(format!("json/arms {what}"), post(V2, &token, body)),
        );
    }
    let (csr, proof) = (scene.key.csr(), scene.proof());
    let (csr, key) = (csr.v1_body(), proof.v1_body());
    let mut both = key.clone();
    both["certificateSigningRequest"] = csr["certificateSigningRequest"].clone();
    let mut bad_key = both.clone();
    bad_key["publicKey"] = json!({ "content": "AAAA" });
    let mut bad_csr = both.clone();
    bad_csr["certificateSigningRequest"] = "AAAA".into();
    for (what, body) in [
        ("both", both),
        ("good csr, bad key", bad_key),
        ("bad csr, good key", bad_csr),
    ] {
        let request = post(V1, &token, body.to_string());
        stage.compare(&scene.pair, Case::new(format!("json/v1 {what}"), request));
    }
}

fn base64_forms(stage: &Stage, scene: &Scene) {
    let Proof::Csr(csr) = scene.key.csr() else {
        unreachable!()
    };
    // Lengths with each kind of padding; white space in front of PEM is skipped.
    for padding in 0..3 {
        let csr = [&b"\n\n\n"[..padding], &csr].concat();
        let standard = BASE64_STANDARD.encode(&csr);
        let (first, last) = standard.split_at(standard.len() / 8 * 4);
        for (how, text) in [
            ("standard", standard.clone()),
            (
                "standard without padding",
                BASE64_STANDARD_NO_PAD.encode(&csr),
            ),
            ("url", BASE64_URL_SAFE.encode(&csr)),
            ("url without padding", BASE64_URL_SAFE_NO_PAD.encode(&csr)),
            ("line ends", format!("{first}\\n{last}")),
            ("carriage returns", format!("{first}\\r\\n{last}")),
            ("line end at the end", format!("{standard}\\n")),
            ("a space", format!("{first} {last}")),
            ("a tab", format!("{first}\\t{last}")),
            ("padding in the middle", format!("{first}={last}")),
            ("more padding", format!("{standard}=")),
            ("much padding", format!("{standard}====")),
            ("a character more", format!("{standard}A")),
            (
                "escaped",
                format!("\\u{:04x}{}", standard.as_bytes()[0], &standard[1..]),
            ),
        ] {
            for path in [V1, V2] {
                let body = format!("{{\"certificateSigningRequest\":\"{text}\"}}");
                let request = post(path, &scene.token(), body);
                stage.compare(
                    &scene.pair,
                    Case::new(format!("json/base64 {path} {padding} {how}"), request),
                );
            }
        }
    }
}

fn algorithms(stage: &Stage, scene: &Scene) {
    for value in [
        "null",
        "0",
        "1",
        "2",
        "3",
        "4",
        "-1",
        "2147483647",
        "2147483648",
        "-2147483649",
        "1.0",
        "1.5",
        "1e0",
        "10e-1",
        "\"ECDSA\"",
        "\"ecdsa\"",
        "\"RSA_PSS\"",
        "\"ED25519\"",
        "\"PUBLIC_KEY_ALGORITHM_UNSPECIFIED\"",
        "\"\"",
        "\"2\"",
        "\"nonsense\"",
        "true",
        "[]",
        "{}",
        "[2]",
    ] {
        let body = scene.proof().v2_body(None).to_string();
        let body = body.replacen(
            "\"publicKey\":{",
            &format!("\"publicKey\":{{\"algorithm\":{value},"),
            1,
        );
        let request = post(V2, &scene.token(), body);
        stage.compare(
            &scene.pair,
            Case::new(format!("json/algorithm v2 {value}"), request),
        );
        let body = scene.proof().v1_body().to_string();
        let body = body.replacen(
            "\"publicKey\":{",
            &format!("\"publicKey\":{{\"algorithm\":{value},"),
            1,
        );
        let request = post(V1, &scene.token(), body);
        stage.compare(
            &scene.pair,
            Case::new(format!("json/algorithm v1 {value}"), request),
        );
    }
}

/// A good body that ends at every place where something ends.
fn cut_short(stage: &Stage, scene: &Scene) {
    for (what, path, body) in good(scene) {
        let text = body.to_string();
        let ends: Vec<_> = text
            .char_indices()
            .filter(|(_, one)| "{}\":,".contains(*one))
            .flat_map(|(at, _)| [at, at + 1])
            .collect();
        let mut last = usize::MAX;
        for end in ends {
            if end == last {
                continue;
            }
            last = end;
            let request = post(path, &scene.token(), &text[..end]);
            stage.compare(
                &scene.pair,
                Case::new(format!("json/{what} cut at {end}"), request),
            );
        }
    }
}
