use fulcio_signer::{Algorithm, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use zeroize::Zeroizing;

use crate::{KeyError, encrypted, key_pair::KeyPair};

/// A key made at start, which is gone at the end unless it is written down.
#[derive(Debug)]
pub struct EphemeralSigner {
    key: KeyPair,
}

impl EphemeralSigner {
    /// Makes a key; an RSA key gets 3072 bits.
    ///
    /// # Errors
    /// The machine gives no random numbers, or the algorithm is not known here.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        KeyPair::generate(algorithm).map(|key| Self { key })
    }

    /// Writes the key down under a password, as `BEGIN ENCRYPTED PRIVATE KEY` (PKCS#8 with PBES2:
    /// AES-256-CBC, scrypt). [`FileSigner`](crate::FileSigner) and OpenSSL read it.
    ///
    /// # Errors
    /// The machine gives no random numbers.
    pub fn to_encrypted_pem(&self, password: &Zeroizing<String>) -> Result<String, KeyError> {
        encrypted::to_pem(&self.key.to_pkcs8()?, self.key.algorithm(), password)
    }
}

impl Signer for EphemeralSigner {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.key.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.key.sign(message)
    }

    /// The key is in this process.
    fn is_verified(&self) -> bool {
        true
    }
}
