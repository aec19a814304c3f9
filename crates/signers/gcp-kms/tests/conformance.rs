//! Every kind of key that Google Cloud KMS signs certificates with, judged by the suite for signers
//! and by OpenSSL; and what stands in for it, judged by Google's own client.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use std::{process::Command, time::Instant};

use fulcio_signer::{Algorithm, Signer as _};
use fulcio_test_services::{component, gcp_kms::GcpKms, openssl_verifies, succeed};
use fulcio_testkit::signer_conformance;
use kms::{config, open};

async fn conforms(name: &str, algorithm: Algorithm) {
    let kms = GcpKms::start().await;
    let key = kms.signing_key("ca", name);
    let signer = open(&key, &config(&kms)).await.unwrap();
    assert_eq!(signer.algorithm(), algorithm);
    assert_eq!(signer.version(), format!("{key}/cryptoKeyVersions/1"));
    signer_conformance(&signer).await;

    let message = b"to be judged by OpenSSL";
    let start = Instant::now();
    let mut signature = Vec::new();
    for _ in 0..COUNT {
        signature = signer.sign(message).await.unwrap().0;
    }
    println!("{name}: {:?} a signature", start.elapsed() / COUNT);
    openssl_verifies(&signer, message, &signature);
}

const COUNT: u32 = 20;

#[tokio::test]
async fn signs_on_p256() {
    conforms("EC_SIGN_P256_SHA256", Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p384() {
    conforms("EC_SIGN_P384_SHA384", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn signs_with_ed25519() {
    conforms("EC_SIGN_ED25519", Algorithm::Ed25519).await;
}

#[tokio::test]
async fn signs_with_rsa_of_2048_bits() {
    conforms("RSA_SIGN_PKCS1_2048_SHA256", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_3072_bits() {
    conforms("RSA_SIGN_PKCS1_3072_SHA256", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_4096_bits() {
    conforms("RSA_SIGN_PKCS1_4096_SHA256", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_speaks_as_googles_own_client_expects() {
    let Some(bin) = component("FULCIO_GOOGLE_PYTHON") else {
        return;
    };
    let kms = GcpKms::start().await;
    kms.set_page_size(2);
    let p384 = kms.signing_key("p384", "EC_SIGN_P384_SHA384");
    for _ in 0..3 {
        kms.add_version(&p384, "EC_SIGN_P384_SHA384");
    }
    kms.set_state(&format!("{p384}/cryptoKeyVersions/2"), "DISABLED");
    let ed25519 = kms.signing_key("ed25519", "EC_SIGN_ED25519");
    let wrapping = kms.wrapping_key("wrapping");
    let mut python = Command::new(bin.join("python"));
    let host = kms.address.strip_prefix("http://").unwrap();
    succeed(python.args(["-c", CLIENT, host, &p384, &ed25519, &wrapping]));
    assert!(kms.seen().len() > 10);
}

const CLIENT: &str = r#"
import hashlib, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import kms
from google.cloud.kms_v1.services.key_management_service.transports import (
    KeyManagementServiceRestTransport,
)

host, p384, ed25519, wrapping = sys.argv[1:]
client = kms.KeyManagementServiceClient(transport=KeyManagementServiceRestTransport(
    host=host, url_scheme="http", credentials=AnonymousCredentials()))

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF

def refused(status, call, **kwargs):
    try:
        call(**kwargs)
    except exceptions.GoogleAPICallError as error:
        said = error.response.json()["error"]
        assert said["status"] == status and said["code"] == error.code, said
        return
    raise SystemExit(f"not refused with {status}")

key = client.get_crypto_key(name=p384)
assert key.purpose == kms.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN, key
everything = [v.name for v in client.list_crypto_key_versions(request={"parent": p384})]
assert everything == [f"{p384}/cryptoKeyVersions/{n}" for n in (1, 2, 3, 4)], everything
enabled = list(client.list_crypto_key_versions(
    request={"parent": p384, "filter": "state=ENABLED"}))
assert len(enabled) == 3 and all(v.state.name == "ENABLED" for v in enabled), enabled

public = client.get_public_key(name=enabled[-1].name)
assert public.algorithm.name == "EC_SIGN_P384_SHA384", public
assert public.pem_crc32c == crc32c(public.pem.encode()), public
assert public.name == enabled[-1].name, public
digest = hashlib.sha384(b"message").digest()
request = {"name": public.name, "digest": {"sha384": digest}, "digest_crc32c": crc32c(digest)}
answer = client.asymmetric_sign(request=request)
assert answer.name == public.name and answer.verified_digest_crc32c, answer
assert answer.signature_crc32c == crc32c(answer.signature), answer
load_pem_public_key(public.pem.encode()).verify(
    answer.signature, b"message", ECDSA(hashes.SHA384()))
refused("INVALID_ARGUMENT", client.asymmetric_sign,
        request=request | {"digest_crc32c": 1})
refused("INVALID_ARGUMENT", client.asymmetric_sign,
        request={"name": public.name, "digest": {"sha256": digest[:32]}})
refused("INVALID_ARGUMENT", client.asymmetric_sign,
        request={"name": public.name, "digest": {"sha384": digest[:32]}})
refused("FAILED_PRECONDITION", client.get_public_key,
        name=f"{p384}/cryptoKeyVersions/2")
refused("NOT_FOUND", client.get_public_key, name=f"{p384}/cryptoKeyVersions/9")

public = client.get_public_key(name=f"{ed25519}/cryptoKeyVersions/1")
answer = client.asymmetric_sign(request={
    "name": public.name, "data": b"message", "data_crc32c": crc32c(b"message")})
assert answer.verified_data_crc32c and not answer.verified_digest_crc32c, answer
load_pem_public_key(public.pem.encode()).verify(answer.signature, b"message")
refused("INVALID_ARGUMENT", client.asymmetric_sign, request=request | {"name": public.name})

sealed = client.encrypt(request={
    "name": wrapping, "plaintext": b"secret", "plaintext_crc32c": crc32c(b"secret")})
assert sealed.verified_plaintext_crc32c, sealed
assert sealed.ciphertext_crc32c == crc32c(sealed.ciphertext), sealed
opened = client.decrypt(request={
    "name": wrapping, "ciphertext": sealed.ciphertext,
    "ciphertext_crc32c": crc32c(sealed.ciphertext)})
assert opened.plaintext == b"secret" and opened.plaintext_crc32c == crc32c(b"secret"), opened
refused("INVALID_ARGUMENT", client.decrypt,
        name=wrapping, ciphertext=sealed.ciphertext[:-1])
refused("INVALID_ARGUMENT", client.decrypt, request={
    "name": wrapping, "ciphertext": sealed.ciphertext, "ciphertext_crc32c": 1})
refused("FAILED_PRECONDITION", client.decrypt,
        name=ed25519, ciphertext=sealed.ciphertext)
"#;
