use std::{fs, path::Path, process::Command};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_signer_backends::tink_uri;
use fulcio_test_services::{Minivault, Moto, TinkKeysets, gcp_kms::GcpKms, minivault};
use serde_json::json;

use super::{
    super::common::{NOBODY, Scene, Variables},
    refuses, with,
};

/// `serve --ca tinkca` with this keyset and `chain.pem`.
fn serving(scene: &Scene, kek: &str, keyset: &Path, variables: &Variables) -> Command {
    let kek = format!("--tink-kms-resource={kek}");
    let keyset = format!("--tink-keyset-path={}", keyset.display());
    let chain = "--tink-cert-chain-path=chain.pem";
    scene.serve(&["--ca=tinkca", &kek, &keyset, chain], variables)
}

async fn issues_with_all(kek: &str, keysets: &TinkKeysets, variables: &Variables) {
    for (name, kind) in [
        ("ECDSA_P256", "json"),
        ("ECDSA_P384_SHA512", "binary"),
        ("ECDSA_P521", "json"),
        ("ED25519", "binary"),
    ] {
        let keyset = keysets.path(&format!("{name}.{kind}"));
        let scene = Scene::new();
        let uri = tink_uri(keyset.to_str().unwrap(), kek);
        scene.make_root(&uri, variables.clone()).await;
        let server = scene.start(serving(&scene, kek, &keyset, variables));
        scene.issues(&server);
        let output = server.output();
        assert!(!output.contains("WARN"), "{output}");
        assert!(server.terminate().status.success(), "{name}");
    }
}

#[tokio::test]
async fn issues_with_keysets_that_aws_has_encrypted() {
    let Some(moto) = Moto::shared() else { return };
    let Some(programs) = TinkKeysets::programs() else {
        return;
    };
    let kek = format!(
        "aws-kms://{}",
        moto.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    );
    let keysets = TinkKeysets::make(&programs, &kek, &moto.variables());
    issues_with_all(&kek, &keysets, &moto.variables()).await;
}

#[tokio::test]
async fn issues_with_keysets_that_vault_has_encrypted() {
    let Some(program) = minivault() else { return };
    let Some(programs) = TinkKeysets::programs() else {
        return;
    };
    let vault = Minivault::start(&program);
    vault.key("kek", "aes256-gcm96");
    let kek = "hcvault:///transit/keys/kek";
    let keysets = TinkKeysets::make(&programs, kek, &vault.variables());
    issues_with_all(kek, &keysets, &vault.variables()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issues_with_a_keyset_that_google_has_encrypted() {
    let Some(program) = minivault() else { return };
    let Some(programs) = TinkKeysets::programs() else {
        return;
    };
    let vault = Minivault::start(&program);
    vault.key("kek", "aes256-gcm96");
    let made = TinkKeysets::make(&programs, "hcvault:///transit/keys/kek", &vault.variables());
    let google = GcpKms::start().await;
    let wrapping = google.wrapping_key("kek");
    let wrapped = google.wrap(&wrapping, &made.read("CLEARTEXT.binary"));
    let scene = Scene::new();
    let keyset = json!({"encryptedKeyset": BASE64_STANDARD.encode(wrapped)});
    scene.write("key set?.json", keyset.to_string());
    let kek = format!("gcp-kms://{wrapping}");
    let keyset = scene.path("key set?.json");
    let uri = tink_uri(&keyset, &kek);
    scene.make_root(&uri, google.variables()).await;
    let server = scene.start(serving(
        &scene,
        &kek,
        "key set?.json".as_ref(),
        &google.variables(),
    ));
    drop(google);
    // The key is in the memory of the server.
    scene.issues(&server);
    assert!(server.terminate().status.success());
}

#[tokio::test]
async fn says_on_one_line_why_it_does_not_start() {
    let Some(program) = minivault() else { return };
    let Some(programs) = TinkKeysets::programs() else {
        return;
    };
    let vault = Minivault::start(&program);
    vault.key("kek", "aes256-gcm96");
    vault.key("other", "aes256-gcm96");
    let kek = "hcvault:///transit/keys/kek";
    let keysets = TinkKeysets::make(&programs, kek, &vault.variables());
    let keyset = keysets.path("ECDSA_P256.json");
    let (scene, variables) = (Scene::new(), vault.variables());
    let uri = tink_uri(keyset.to_str().unwrap(), kek);
    scene.make_root(&uri, variables.clone()).await;
    let check = |kek: &str, file: &str, variables: &Variables, code, parts: &[&str]| {
        let command = serving(&scene, kek, &keysets.path(file), variables);
        let parts = [parts, &["--tink-kms-resource"]].concat();
        let all = refuses(&scene, command, code, &parts);
        assert!(!all.contains(&vault.root_token), "{all}");
    };
    let right = "ECDSA_P256.json";
    for wrong in [
        "hcvault://",
        "hcvault:///kek",
        "aws-kms://alias/x",
        "gcp-kms://p",
    ] {
        let shape = wrong.split_once("://").unwrap().0;
        check(
            wrong,
            right,
            &with(&variables, &[("AWS_REGION", "us-east-2")]),
            2,
            &[wrong, "written as", shape],
        );
    }
    let parts = ["azure-kms:", "aws-kms: gcp-kms: hcvault:"];
    check("azure-kms://v/k", right, &variables, 2, &parts);
    check(
        kek,
        right,
        &Variables::new(),
        2,
        &["set VAULT_ADDR or BAO_ADDR"],
    );

    check(
        kek,
        "missing.json",
        &variables,
        1,
        &["missing.json", "cannot be read"],
    );
    check(
        kek,
        "CLEARTEXT.json",
        &variables,
        1,
        &["CLEARTEXT.json", "not encrypted"],
    );
    let other = "hcvault:///transit/keys/other";
    check(other, right, &variables, 1, &["was not decrypted"]);
    let nobody = with(&variables, &[("VAULT_ADDR", &format!("http://{NOBODY}"))]);
    check(
        kek,
        right,
        &nobody,
        1,
        &["was not decrypted", "Vault was not reached"],
    );
    let parts = [
        "--tink-cert-chain-path chain.pem and",
        "which is the key",
        "does not belong",
    ];
    check(kek, "ED25519.json", &variables, 1, &parts);
    fs::remove_file(scene.path("chain.pem")).unwrap();
    let parts = ["--tink-cert-chain-path chain.pem cannot be read"];
    refuses(&scene, serving(&scene, kek, &keyset, &variables), 1, &parts);
}
