use std::process::Command;

use fulcio_signer_file::FileSigner;
use fulcio_test_services::{component, succeed};
use zeroize::Zeroizing;

use super::{Table, table::Signs};
use crate::common::{Scene, Variables};

const PASSWORD: &str = "correct horse";

/// The server makes the key and its certificate itself.
pub(crate) fn ephemeral(table: &Table) {
    let signs = Signs {
        back_end: "ephemeralca",
        key: "P-256",
        component: "none",
    };
    let scene = Scene::new();
    let serve = scene.serve(&["--ca=ephemeralca"], &Variables::new());
    table.issues(&signs, &scene, serve);
}

/// Keys that OpenSSL has made and encrypted, as it does today (RFC 5958) and as it did once
/// (RFC 1423).
pub(crate) fn of_openssl(table: &Table) {
    const TODAY: &str = "pkcs8 -topk8 -v2 aes-256-cbc -iter 1000";
    for (key, made, encrypted, label) in [
        ("P-256", EC_P256, TODAY, "ENCRYPTED PRIVATE KEY"),
        ("P-384", EC_P384, TODAY, "ENCRYPTED PRIVATE KEY"),
        ("P-521", EC_P521, TODAY, "ENCRYPTED PRIVATE KEY"),
        ("Ed25519", "ED25519", TODAY, "ENCRYPTED PRIVATE KEY"),
        ("RSA 3072", RSA, TODAY, "ENCRYPTED PRIVATE KEY"),
        ("P-256", EC_P256, "ec -aes256", "DEK-Info: AES-256-CBC"),
        (
            "RSA 3072",
            RSA,
            "rsa -traditional -des3",
            "DEK-Info: DES-EDE3-CBC",
        ),
    ] {
        let scene = Scene::new();
        scene.write("password", PASSWORD);
        scene.openssl(&format!("genpkey -out plain.pem -algorithm {made}"));
        scene.openssl(&format!(
            "{encrypted} -in plain.pem -passout file:password -out key.pem"
        ));
        let pem = scene.read("key.pem");
        assert!(pem.contains(label), "{pem}");
        let back_end = if encrypted == TODAY {
            "fileca, PKCS#8"
        } else {
            "fileca, RFC 1423"
        };
        let signs = Signs {
            back_end,
            key,
            component: "OpenSSL",
        };
        issues(table, &signs, &scene);
    }
}

/// A key as cosign keeps its own.
pub(crate) fn of_cosign(table: &Table) {
    let Some(cosign) = component("FULCIO_COSIGN") else {
        return;
    };
    let scene = Scene::new();
    scene.write("password", PASSWORD);
    let mut generate = Command::new(cosign);
    succeed(
        generate
            .args(["generate-key-pair", "--output-key-prefix=key"])
            .current_dir(scene.folder())
            .env_clear()
            .envs([("COSIGN_PASSWORD", PASSWORD), ("HOME", &scene.path(""))]),
    );
    let pem = scene.read("key.key");
    assert!(pem.contains("ENCRYPTED SIGSTORE PRIVATE KEY"), "{pem}");
    scene.write("key.pem", pem);
    let signs = Signs {
        back_end: "fileca, cosign",
        key: "P-256",
        component: "cosign",
    };
    issues(table, &signs, &scene);
}

/// With the key in `key.pem`.
#[track_caller]
fn issues(table: &Table, signs: &Signs<'_>, scene: &Scene) {
    let password = Zeroizing::new(PASSWORD.to_owned());
    let key = FileSigner::open(scene.path("key.pem"), Some(&password)).unwrap();
    table.wait(scene.make_root_of(&key));
    let flags = [
        "--ca=fileca",
        "--fileca-cert=chain.pem",
        "--fileca-key=key.pem",
        "--fileca-key-passwd-file=password",
    ];
    table.issues(signs, scene, scene.serve(&flags, &Variables::new()));
}

const EC_P256: &str = "EC -pkeyopt ec_paramgen_curve:P-256";
const EC_P384: &str = "EC -pkeyopt ec_paramgen_curve:P-384";
const EC_P521: &str = "EC -pkeyopt ec_paramgen_curve:P-521";
const RSA: &str = "RSA -pkeyopt rsa_keygen_bits:3072";
