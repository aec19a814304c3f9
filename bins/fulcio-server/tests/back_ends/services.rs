use fulcio_test_services::{
    Minivault, Moto,
    aws_kms::{self, AwsKms},
    azure_key_vault::{AzureKeyVault, KeyKind},
    gcp_kms::GcpKms,
    minivault,
};

use super::{Table, table::Signs};
use crate::common::{Scene, Variables};

pub(crate) fn vault(table: &Table) {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    for (kind, key) in [
        ("ecdsa-p256", "P-256"),
        ("ecdsa-p384", "P-384"),
        ("ecdsa-p521", "P-521"),
        ("ed25519", "Ed25519"),
        ("rsa-3072", "RSA 3072"),
    ] {
        vault.key(kind, kind);
        let signs = Signs {
            back_end: "kmsca, hashivault:",
            key,
            component: "Vault",
        };
        issues(
            table,
            &signs,
            &format!("hashivault://{kind}"),
            vault.variables(),
        );
    }
}

pub(crate) fn aws(table: &Table) {
    let Some(moto) = Moto::shared() else { return };
    for (spec, key) in [
        ("ECC_NIST_P256", "P-256"),
        ("ECC_NIST_P384", "P-384"),
        ("ECC_NIST_P521", "P-521"),
        ("RSA_3072", "RSA 3072"),
    ] {
        let signs = Signs {
            back_end: "kmsca, awskms:",
            key,
            component: "moto",
        };
        let uri = format!("awskms:///{}", moto.signing_key(spec));
        issues(table, &signs, &uri, moto.variables());
    }
}

/// What moto has not, as its documentation describes it.
pub(crate) fn aws_ed25519(table: &Table) {
    let kms = table.wait(AwsKms::start());
    let signs = Signs {
        back_end: "kmsca, awskms:",
        key: "Ed25519",
        component: "double of AWS KMS",
    };
    let uri = format!("awskms:///{}", aws_kms::ID);
    issues(table, &signs, &uri, kms.variables());
}

/// Google's KMS as its documentation describes it.
pub(crate) fn gcp(table: &Table) {
    let kms = table.wait(GcpKms::start());
    for (algorithm, key) in [
        ("EC_SIGN_P256_SHA256", "P-256"),
        ("EC_SIGN_P384_SHA384", "P-384"),
        ("EC_SIGN_ED25519", "Ed25519"),
        ("RSA_SIGN_PKCS1_3072_SHA256", "RSA 3072"),
    ] {
        let signs = Signs {
            back_end: "kmsca, gcpkms:",
            key,
            component: "double of Google Cloud KMS",
        };
        let uri = format!("gcpkms://{}", kms.signing_key(algorithm, algorithm));
        issues(table, &signs, &uri, variables(&kms));
    }
}

pub(super) fn variables(kms: &GcpKms) -> Variables {
    let address = kms.address.clone();
    Variables::from([("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS", address)])
}

/// Azure's vault as its documentation describes it.
pub(crate) fn azure(table: &Table) {
    let vault = AzureKeyVault::start();
    for (name, kind, key) in [
        ("p256", KeyKind::P256, "P-256"),
        ("p384", KeyKind::P384, "P-384"),
        ("p521", KeyKind::P521, "P-521"),
        ("rsa", KeyKind::Rsa3072, "RSA 3072"),
    ] {
        vault.create_key(name, kind);
        let signs = Signs {
            back_end: "kmsca, azurekms:",
            key,
            component: "double of Azure Key Vault",
        };
        let uri = format!("azurekms://{}/{name}", vault.address());
        issues(table, &signs, &uri, vault.variables());
    }
}

#[track_caller]
fn issues(table: &Table, signs: &Signs<'_>, uri: &str, variables: Variables) {
    let scene = Scene::new();
    let serve = scene.serving(uri, &variables);
    table.wait(scene.make_root(uri, variables));
    table.issues(signs, &scene, serve);
}
