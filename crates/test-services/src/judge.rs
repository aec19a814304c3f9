use std::{fs, path::Path, process::Command};

use fulcio_signer::{Algorithm, Signer};

use crate::succeed;

/// OpenSSL verifies the signature with the public key that the signer shows.
///
/// # Panics
/// It does not.
#[track_caller]
pub fn openssl_verifies(signer: &dyn Signer, message: &[u8], signature: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    file("key", signer.public_key().as_ref());
    file("message", message);
    file("signature", signature);
    let digest = match signer.algorithm() {
        Algorithm::EcdsaP256Sha256 | Algorithm::RsaPkcs1Sha256 => " -digest sha256",
        Algorithm::EcdsaP384Sha384 => " -digest sha384",
        Algorithm::EcdsaP521Sha512 => " -digest sha512",
        _ => "",
    };
    openssl(
        folder.path(),
        &format!(
            "pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message \
             -sigfile signature{digest}"
        ),
    );
}

/// Runs OpenSSL in a folder, and returns what it printed; the arguments are separated by spaces.
///
/// # Panics
/// It fails.
#[track_caller]
pub fn openssl(folder: &Path, arguments: &str) -> String {
    let mut command = Command::new("openssl");
    succeed(
        command
            .args(arguments.split_whitespace())
            .current_dir(folder),
    )
}
