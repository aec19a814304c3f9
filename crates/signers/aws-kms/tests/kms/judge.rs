use std::{
    fs,
    process::{Command, Stdio},
};

use fulcio_signer::{Algorithm, Signer};

/// OpenSSL verifies the signature with the public key that the signer shows.
#[track_caller]
pub(crate) fn openssl_verifies(signer: &dyn Signer, message: &[u8], signature: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("key", signer.public_key().as_ref());
    file("message", message);
    file("signature", signature);
    let digest = match signer.algorithm() {
        Algorithm::EcdsaP256Sha256 | Algorithm::RsaPkcs1Sha256 => Some("sha256"),
        Algorithm::EcdsaP384Sha384 => Some("sha384"),
        Algorithm::EcdsaP521Sha512 => Some("sha512"),
        _ => None,
    };
    let mut openssl = Command::new("openssl");
    openssl
        .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER"])
        .args(["-inkey", "key", "-rawin", "-in", "message"])
        .args(["-sigfile", "signature"]);
    if let Some(digest) = digest {
        openssl.args(["-digest", digest]);
    }
    let done = openssl
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}
