//! Keys, proofs and certification requests of every kind.

use std::{collections::BTreeMap, fs};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use pem_rfc7468::LineEnding;
use serde_json::Value;
use x509_cert::der::{Decode as _, Encode as _, Tagged as _, asn1::AnyRef};

use super::{
    Case, Proof, SigningKey, Stage,
    scene::{ADA, Scene},
};

pub(crate) fn compare(stage: &Stage) {
    let scene = Scene::set(stage);
    let vectors = vectors();
    assert!(vectors.len() > 300);
    let mut permitted: BTreeMap<String, Vec<&(String, Value)>> = BTreeMap::new();
    for vector in &vectors {
        match vector.1["permitted"].as_array() {
            None => recorded(stage, &scene, vector),
            Some(names) => {
                let names: Vec<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
                permitted.entry(names.join(",")).or_default().push(vector);
            }
        }
    }
    for (names, vectors) in permitted {
        let flag = format!("--client-signing-algorithms={names}");
        let scene = Scene::set_with(stage, |setup| setup.flag(&flag));
        for vector in vectors {
            recorded(stage, &scene, vector);
        }
    }
    fresh(stage, &scene);
    extra_elements(stage, &scene);
    orders(stage, &scene);
}

fn vectors() -> Vec<(String, Value)> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../crates/challenge/tests/vectors"
    );
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
            )
        })
        .collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// A case of the tests of `challenge`, in every way that can carry it.
fn recorded(stage: &Stage, scene: &Scene, (name, vector): &(String, Value)) {
    let text = |member: &str| vector[member].as_str();
    let bytes = |member: &str| text(member).map(|text| BASE64_STANDARD.decode(text).unwrap());
    let proof = match text("csr") {
        Some(csr) => Proof::Csr(csr.into()),
        None => Proof::Public {
            key: bytes("key_der")
                .or_else(|| Some(text("key_pem")?.as_bytes().to_vec()))
                .unwrap_or_default(),
            signature: bytes("signature").unwrap_or_default(),
        },
    };
    let challenge = text("challenge").filter(|challenge| !challenge.is_empty());
    let token = scene
        .issuer
        .draft()
        .claim("email", challenge.unwrap_or(ADA))
        .mint();
    let mut requests = vec![("v1", proof.v1(&token))];
    if text("key_der").is_none() {
        requests.push(("v2", proof.v2(&token)));
        requests.push(("grpc", proof.grpc(&token)));
    }
    for (way, request) in requests {
        let case = Case::new(format!("keys/{name} {way}"), request);
        stage.compare(&scene.pair, case);
    }
}

/// Keys that OpenSSL makes now.
fn fresh(stage: &Stage, scene: &Scene) {
    let token = scene.token();
    let compare = |name: String, proof: &Proof| {
        for (way, request) in [
            ("v1", proof.v1(&token)),
            ("v2", proof.v2(&token)),
            ("grpc", proof.grpc(&token)),
        ] {
            stage.compare(
                &scene.pair,
                Case::new(format!("keys/{name} {way}"), request),
            );
        }
    };
    for (name, arguments) in [
        ("P-256", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("P-384", "EC -pkeyopt ec_paramgen_curve:P-384"),
        ("P-521", "EC -pkeyopt ec_paramgen_curve:P-521"),
        ("P-224", "EC -pkeyopt ec_paramgen_curve:P-224"),
        ("P-192", "EC -pkeyopt ec_paramgen_curve:P-192"),
        ("secp256k1", "EC -pkeyopt ec_paramgen_curve:secp256k1"),
        ("brainpool", "EC -pkeyopt ec_paramgen_curve:brainpoolP256r1"),
        (
            "explicit P-256",
            "EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        ),
        ("RSA 1024", "RSA -pkeyopt rsa_keygen_bits:1024"),
        ("RSA 2048", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("RSA 2056", "RSA -pkeyopt rsa_keygen_bits:2056"),
        (
            "RSA 2048 exponent 3",
            "RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3",
        ),
        ("RSA-PSS 2048", "RSA-PSS -pkeyopt rsa_keygen_bits:2048"),
    ] {
        let key = SigningKey::generate(arguments);
        for digest in [
            "-sha1",
            "-sha224",
            "-sha256",
            "-sha384",
            "-sha512",
            "-sha3-256",
        ] {
            compare(
                format!("{name} challenge {digest}"),
                &key.proof_with(digest, &[], ADA),
            );
            if name.starts_with("RSA") && digest == "-sha3-256" {
                // OpenSSL has no such algorithm.
                continue;
            }
            compare(format!("{name} csr {digest}"), &key.csr_with(&[digest]));
        }
        if name.starts_with("RSA 2048") {
            for salt in ["digest", "max", "0"] {
                let salt = format!("rsa_pss_saltlen:{salt}");
                let pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", &salt];
                compare(
                    format!("{name} challenge {salt}"),
                    &key.proof_with("-sha256", &pss, ADA),
                );
                let salt = salt.replace("digest", "-1").replace("max", "-2");
                let pss = [
                    "-sha256",
                    "-sigopt",
                    "rsa_padding_mode:pss",
                    "-sigopt",
                    &salt,
                ];
                compare(format!("{name} csr {salt}"), &key.csr_with(&pss));
            }
        }
        compare(
            format!("{name} another challenge"),
            &key.proof("eve@example.com"),
        );
        compare(format!("{name} the subject"), &key.proof("1234"));
    }
    for name in ["ED25519", "ED448"] {
        compare(format!("{name} csr"), &SigningKey::generate(name).csr());
    }
    let key = SigningKey::p256();
    for (name, more) in [
        (
            "names",
            &[
                "-addext",
                "subjectAltName=email:eve@example.com,DNS:example.com",
            ][..],
        ),
        (
            "a basic constraint",
            &["-addext", "basicConstraints=critical,CA:true"],
        ),
        ("a key usage", &["-addext", "keyUsage=keyCertSign"]),
        ("-newhdr", &["-newhdr"]),
    ] {
        compare(format!("csr with {name}"), &key.csr_with(more));
    }
}

/// DER with one element more than its type has, where no signature covers it.
fn extra_elements(stage: &Stage, scene: &Scene) {
    let (csr, proof) = (scene.key.csr(), scene.proof());
    let (Proof::Csr(csr), Proof::Public { key, signature }) = (csr, proof) else {
        unreachable!()
    };
    let more = |pem: &[u8]| {
        let (label, der) = pem_rfc7468::decode_vec(pem).unwrap();
        let sequence = AnyRef::from_der(&der).unwrap();
        let longer = [sequence.value(), &[0x05, 0x00]].concat();
        let longer = AnyRef::new(sequence.tag(), &longer)
            .unwrap()
            .to_der()
            .unwrap();
        let pem = pem_rfc7468::encode_string(label, LineEnding::LF, &longer);
        pem.unwrap().into_bytes()
    };
    let token = scene.token();
    for (name, proof) in [
        ("csr", Proof::Csr(more(&csr))),
        (
            "key",
            Proof::Public {
                key: more(&key),
                signature,
            },
        ),
    ] {
        for (way, request) in [
            ("v1", proof.v1(&token)),
            ("v2", proof.v2(&token)),
            ("grpc", proof.grpc(&token)),
        ] {
            let case = Case::new(format!("keys/{name} with an element more {way}"), request);
            stage.compare(&scene.pair, case.differs("strict-keys"));
        }
    }
}

/// Which of several faults is told.
fn orders(stage: &Stage, scene: &Scene) {
    let (weak, good) = (
        SigningKey::generate("EC -pkeyopt ec_paramgen_curve:P-224"),
        SigningKey::p256(),
    );
    let p384 = SigningKey::generate("EC -pkeyopt ec_paramgen_curve:P-384");
    let nothing = |key: &SigningKey| Proof::Public {
        key: key.public().as_bytes().to_vec(),
        signature: Vec::new(),
    };
    let expired = scene.issuer.draft().claim("exp", 1).mint();
    let bad_name = scene.issuer.draft().claim("email", "not an address").mint();
    let foreign = scene
        .issuer
        .draft()
        .claim("email", "\u{e4}@example.com")
        .mint();
    for (token_name, token) in [
        ("good", &scene.token()),
        ("expired", &expired),
        ("badly named", &bad_name),
        ("foreign", &foreign),
    ] {
        for (key_name, proof) in [
            ("nothing", Proof::Nothing),
            (
                "garbage",
                Proof::Public {
                    key: b"x".to_vec(),
                    signature: b"x".to_vec(),
                },
            ),
            ("a garbage csr", Proof::Csr(b"x".to_vec())),
            ("weak without proof", nothing(&weak)),
            ("good without proof", nothing(&good)),
            ("weak csr", weak.csr()),
            ("a csr of SHA-1", good.csr_with(&["-sha1"])),
            ("a csr not permitted", p384.csr_with(&["-sha256"])),
            ("a good csr", good.csr()),
        ] {
            for (way, request) in [
                ("v1", proof.v1(token)),
                ("v2", proof.v2(token)),
                ("grpc", proof.grpc(token)),
            ] {
                let name = format!("order/{token_name} token and {key_name} {way}");
                let mut case = Case::new(name, request);
                if (token_name, key_name) == ("foreign", "a good csr") {
                    case = case.differs("name-not-ascii");
                }
                stage.compare(&scene.pair, case);
            }
        }
    }
}
