//! Every kind of key that a vault signs with, judged by the suite for signers, by OpenSSL and, as
//! is the vault itself, by Microsoft's client for Python.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use std::{process::Command, time::Instant};

use fulcio_signer::{Algorithm, Signer as _};
use fulcio_test_services::{
    azure_key_vault::{AzureKeyVault, KeyKind},
    component, openssl_verifies, succeed,
};
use fulcio_testkit::signer_conformance;
use serde_json::json;
use vault::{config, open};

async fn conforms(kind: KeyKind, algorithm: Algorithm) {
    let vault = AzureKeyVault::start();
    let version = vault.create_key("fulcio", kind);
    let signer = open(&vault, "fulcio", &config(&vault)).await.unwrap();
    assert_eq!(signer.algorithm(), algorithm);
    assert_eq!(signer.version(), version);
    signer_conformance(&signer).await;

    let message = b"to be judged by OpenSSL";
    let start = Instant::now();
    let mut signature = Vec::new();
    for _ in 0..COUNT {
        signature = signer.sign(message).await.unwrap().0;
    }
    println!("{kind:?}: {:?} a signature", start.elapsed() / COUNT);
    openssl_verifies(&signer, message, &signature);
}

const COUNT: u32 = 20;

#[tokio::test]
async fn signs_on_p256() {
    conforms(KeyKind::P256, Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p384() {
    conforms(KeyKind::P384, Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn signs_on_p521() {
    conforms(KeyKind::P521, Algorithm::EcdsaP521Sha512).await;
}

#[tokio::test]
async fn signs_with_rsa_of_2048_bits() {
    conforms(KeyKind::Rsa2048, Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_3072_bits() {
    conforms(KeyKind::Rsa3072, Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_4096_bits() {
    conforms(KeyKind::Rsa4096, Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn keys_in_a_hardware_module_are_keys_as_others_are() {
    let vault = AzureKeyVault::start();
    for (name, kind, kty) in [
        ("ec", KeyKind::P384, "EC-HSM"),
        ("rsa", KeyKind::Rsa2048, "RSA-HSM"),
    ] {
        vault.create_key(name, kind);
        vault.change_key(name, |key| key["key"]["kty"] = json!(kty));
        let signer = open(&vault, name, &config(&vault)).await.unwrap();
        let signature = signer.sign(b"message").await.unwrap().0;
        openssl_verifies(&signer, b"message", &signature);
    }
}

/// It logs in, reads the key, has the vault sign, and verifies on this side.
#[test]
fn the_made_up_vault_speaks_as_microsofts_own_client_expects() {
    let Some(bin) = component("FULCIO_AZURE_PYTHON") else {
        return;
    };
    let vault = AzureKeyVault::start();
    for (kind, algorithm) in [
        (KeyKind::P256, "ES256"),
        (KeyKind::P384, "ES384"),
        (KeyKind::P521, "ES512"),
        (KeyKind::Rsa2048, "RS256"),
        (KeyKind::Rsa4096, "RS256"),
    ] {
        let version = vault.create_key("fulcio", kind);
        vault.seen();
        let said = succeed(
            Command::new(bin.join("python"))
                .args(["-c", CLIENT, vault.address(), algorithm])
                .env_clear()
                .env("REQUESTS_CA_BUNDLE", vault.root_file())
                .envs(vault.variables()),
        );
        assert_eq!(said.trim(), version, "{kind:?}");
        let seen = vault.seen();
        let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
        assert!(
            paths.iter().any(|path| path.contains("/sign?")),
            "{paths:?}"
        );
    }
    let said = succeed(
        Command::new(bin.join("python"))
            .args(["-c", MANAGED, vault.address()])
            .env_clear()
            .env("REQUESTS_CA_BUNDLE", vault.root_file())
            .envs(vault.identity_variables()),
    );
    assert_eq!(said.trim(), "fulcio");
}

const CLIENT: &str = r#"
import hashlib, os, sys
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
address, algorithm = sys.argv[1:]
credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"],
    authority=os.environ["AZURE_AUTHORITY_HOST"], disable_instance_discovery=True)
options = dict(credential=credential, verify_challenge_resource=False, retry_total=0)
keys = KeyClient("https://" + address, **options)
key = keys.get_key("fulcio")
assert key == key and key.properties.enabled and "sign" in key.key_operations, key
assert keys.get_key("fulcio", key.properties.version).id == key.id
hashes = {"ES256": "sha256", "ES384": "sha384", "ES512": "sha512", "RS256": "sha256"}
digest = hashlib.new(hashes[algorithm], b"message").digest()
remote = CryptographyClient(key.id, **options)
signed = remote.sign(SignatureAlgorithm(algorithm), digest)
assert signed.key_id == key.id, signed.key_id
# With the public key alone, nothing is asked of the vault.
local = CryptographyClient.from_jwk(key.key)
assert local.verify(SignatureAlgorithm(algorithm), digest, signed.signature).is_valid
other = hashlib.new(hashes[algorithm], b"other").digest()
assert not local.verify(SignatureAlgorithm(algorithm), other, signed.signature).is_valid
try:
    keys.get_key("no-such-key")
    raise SystemExit("found what is not there")
except ResourceNotFoundError as error:
    assert error.error.code == "KeyNotFound", error
wrong = "RS256" if algorithm != "RS256" else "ES256"
try:
    CryptographyClient(key.id, **options)._client.sign(
        key_name="fulcio", key_version=key.properties.version,
        parameters={"alg": wrong, "value": digest})
    raise SystemExit("signed with the wrong algorithm")
except HttpResponseError as error:
    assert error.status_code == 400 and error.error.code == "BadParameter", error
print(key.properties.version)
"#;

const MANAGED: &str = r#"
import sys
from azure.identity import ManagedIdentityCredential
from azure.keyvault.keys import KeyClient
keys = KeyClient("https://" + sys.argv[1], ManagedIdentityCredential(), verify_challenge_resource=False)
print(keys.get_key("fulcio").name)
"#;
