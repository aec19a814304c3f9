use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_signer_backends::tink_uri;
use fulcio_test_services::{Minivault, Moto, TinkKeysets, gcp_kms::GcpKms, minivault};
use serde_json::{Value, json};

use super::{Table, services::variables, table::Signs};
use crate::common::{Scene, Variables};

/// Keysets that Tink's own library has made with a key of moto.
pub(crate) fn by_aws(table: &Table) {
    let (Some(tink), Some(moto)) = (TinkKeysets::programs(), Moto::shared()) else {
        return;
    };
    let arn = moto.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let kek = format!("aws-kms://{arn}");
    let variables = moto.variables();
    let keysets = TinkKeysets::make(&tink, &kek, &variables);
    let issues = |name, key| {
        let keyset = keysets.path(name).display().to_string();
        issues(table, key, "Tink, moto", (&keyset, &kek), &variables);
    };
    issues("ECDSA_P256.json", "P-256");
    issues("ECDSA_P384_SHA384.json", "P-384");
    issues("ECDSA_P521.json", "P-521");
    issues("ED25519.json", "Ed25519");
}

/// The same with a key of Vault.
pub(crate) fn by_vault(table: &Table) {
    let (Some(tink), Some(program)) = (TinkKeysets::programs(), minivault()) else {
        return;
    };
    let vault = Minivault::start(&program);
    vault.key("keysets", "aes256-gcm96");
    let kek = "hcvault:///transit/keys/keysets";
    let variables = vault.variables();
    let keysets = TinkKeysets::make(&tink, kek, &variables);
    let keyset = keysets.path("ECDSA_P256.binary").display().to_string();
    issues(table, "P-256", "Tink, Vault", (&keyset, kek), &variables);
}

/// Tink's library asks nobody but Google for keys of Google; so this is a keyset that it has made
/// for moto, encrypted again.
pub(crate) fn by_gcp(table: &Table) {
    let (Some(tink), Some(moto)) = (TinkKeysets::programs(), Moto::shared()) else {
        return;
    };
    let arn = moto.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let keysets = TinkKeysets::make(&tink, &format!("aws-kms://{arn}"), &moto.variables());
    let keyset: Value = serde_json::from_slice(&keysets.read("ECDSA_P256.json")).unwrap();
    let wrapped = json!({"KeyId": arn, "CiphertextBlob": keyset["encryptedKeyset"]});
    let keyset = moto.ask("Decrypt", &wrapped);
    let keyset = BASE64_STANDARD.decode(keyset["Plaintext"].as_str().unwrap());

    let kms = table.wait(GcpKms::start());
    let key = kms.wrapping_key("keysets");
    let wrapped = BASE64_STANDARD.encode(kms.wrap(&key, &keyset.unwrap()));
    let file = keysets.path("again.json");
    fs::write(&file, json!({"encryptedKeyset": wrapped}).to_string()).unwrap();
    let (file, kek) = (file.display().to_string(), format!("gcp-kms://{key}"));
    let component = "Tink, double of Google Cloud KMS";
    issues(table, "P-256", component, (&file, &kek), &variables(&kms));
}

#[track_caller]
fn issues(
    table: &Table,
    key: &str,
    component: &str,
    (keyset, kek): (&str, &str),
    variables: &Variables,
) {
    let signs = Signs {
        back_end: "tinkca",
        key,
        component,
    };
    let scene = Scene::new();
    table.wait(scene.make_root(&tink_uri(keyset, kek), variables.clone()));
    let flags = [
        "--ca=tinkca",
        "--tink-cert-chain-path=chain.pem",
        &format!("--tink-kms-resource={kek}"),
        &format!("--tink-keyset-path={keyset}"),
    ];
    table.issues(&signs, &scene, scene.serve(&flags, variables));
}
