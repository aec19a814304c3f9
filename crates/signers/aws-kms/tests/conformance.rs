//! Every kind of key that AWS KMS signs with, judged by the suite for signers and by OpenSSL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use fulcio_signer::{Algorithm, Signer as _};
use fulcio_signer_aws_kms::AwsKmsSigner;
use fulcio_testkit::{signer::Suite, signer_conformance};
use kms::{FakeKms, ID, Moto, config, open, openssl_verifies};

async fn conforms(spec: &str, algorithm: Algorithm) {
    let Some(moto) = Moto::shared() else { return };
    let key = moto.signing_key(spec);
    let reference = format!("awskms:///{key}");
    let signer = open(&reference, &config(moto.url())).await.unwrap();
    assert_eq!(signer.algorithm(), algorithm);
    signer_conformance(&signer).await;
    judged(spec, &signer).await;
}

async fn judged(spec: &str, signer: &AwsKmsSigner) {
    let message = b"to be judged by OpenSSL";
    let start = Instant::now();
    let mut signature = Vec::new();
    for _ in 0..COUNT {
        signature = signer.sign(message).await.unwrap().0;
    }
    println!("{spec}: {:?} a signature", start.elapsed() / COUNT);
    openssl_verifies(signer, message, &signature);
}

const COUNT: u32 = 20;

#[tokio::test]
async fn signs_on_p256() {
    conforms("ECC_NIST_P256", Algorithm::EcdsaP256Sha256).await;
}

#[tokio::test]
async fn signs_on_p384() {
    conforms("ECC_NIST_P384", Algorithm::EcdsaP384Sha384).await;
}

#[tokio::test]
async fn signs_on_p521() {
    conforms("ECC_NIST_P521", Algorithm::EcdsaP521Sha512).await;
}

#[tokio::test]
async fn signs_with_rsa_of_2048_bits() {
    conforms("RSA_2048", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_3072_bits() {
    conforms("RSA_3072", Algorithm::RsaPkcs1Sha256).await;
}

#[tokio::test]
async fn signs_with_rsa_of_4096_bits() {
    conforms("RSA_4096", Algorithm::RsaPkcs1Sha256).await;
}

/// moto has no such keys.
#[tokio::test]
async fn signs_with_ed25519_what_aws_takes() {
    let kms = FakeKms::start().await;
    let signer = open("awskms:///alias/fulcio", &kms.config()).await.unwrap();
    assert_eq!(signer.id(), ID);
    judged("ECC_NIST_EDWARDS25519", &signer).await;
    let suite = Suite::new().shortest_message(1).longest_message(4096);
    let report = suite.inspect(&signer).await;
    assert!(report.conforms(), "{report}");
}

/// The SDK of AWS for Python, which checks answers against AWS's own description of its API.
#[tokio::test(flavor = "multi_thread")]
async fn the_made_up_service_speaks_as_awss_own_client_expects() {
    let Some(programs) = Moto::programs() else {
        return;
    };
    let kms = FakeKms::start().await;
    let done = Command::new(programs.join("python"))
        .args(["-c", CLIENT, &kms.address, ID])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(kms.seen().len(), 3);
}

const CLIENT: &str = r#"
import sys, boto3
from cryptography.hazmat.primitives.serialization import load_der_public_key
kms = boto3.client("kms", endpoint_url=sys.argv[1], region_name="us-east-2",
                   aws_access_key_id="a", aws_secret_access_key="b")
key = kms.get_public_key(KeyId=sys.argv[2])
assert key["KeyUsage"] == "SIGN_VERIFY" and key["KeySpec"] == "ECC_NIST_EDWARDS25519", key
def sign(message):
    return kms.sign(KeyId=sys.argv[2], Message=message, MessageType="RAW",
                    SigningAlgorithm="ED25519_SHA_512")
answer = sign(b"message")
load_der_public_key(key["PublicKey"]).verify(answer["Signature"], b"message")
assert answer["KeyId"] == sys.argv[2], answer
try:
    sign(bytes(4097))
    raise SystemExit("signed too much")
except kms.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error.response
"#;
