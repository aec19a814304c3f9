//! The openssl command line, which makes the keys and judges the signatures.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use fulcio_signer::{Algorithm, Signer};
use tempfile::TempDir;

/// A folder in which openssl works.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.file(name);
        fs::write(&file, content).unwrap();
        file
    }

    /// Runs `openssl` with these words, of which it must make something.
    pub(crate) fn openssl(&self, words: &str) {
        let output = self.run(words);
        assert!(
            output.status.success(),
            "openssl {words}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn run(&self, words: &str) -> Output {
        Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("openssl is installed")
    }

    /// Whether openssl accepts `signature` over `message` under the signer's key.
    pub(crate) fn accepts(&self, signer: &dyn Signer, message: &[u8], signature: &[u8]) -> bool {
        self.write("spki.der", signer.public_key());
        self.openssl("pkey -pubin -inform DER -in spki.der -out spki.pem");
        self.write("message", message);
        self.write("signature", signature);
        let hash = match signer.algorithm() {
            Algorithm::EcdsaP256Sha256 | Algorithm::RsaPkcs1Sha256 => "sha256",
            Algorithm::EcdsaP384Sha384 => "sha384",
            Algorithm::EcdsaP521Sha512 => "sha512",
            _ => {
                let words =
                    "pkeyutl -verify -rawin -pubin -inkey spki.pem -in message -sigfile signature";
                return self.run(words).status.success();
            }
        };
        self.run(&format!(
            "dgst -{hash} -verify spki.pem -signature signature message"
        ))
        .status
        .success()
    }

    /// The public key that openssl reads out of a private key file, in DER.
    pub(crate) fn public_key_of(&self, name: &str, password: &str) -> Vec<u8> {
        self.openssl(&format!(
            "pkey -in {name} -passin pass:{password} -pubout -outform DER -out public.der"
        ));
        fs::read(self.file("public.der")).unwrap()
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.0.path()
    }
}
