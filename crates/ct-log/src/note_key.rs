use core::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{error::Error, key::private_pem, leaf::sha256};

/// What signs checkpoints once more, as c2sp.org/signed-note has it: Ed25519, for readers that
/// know nothing of certificates, such as witnesses.
pub(crate) struct NoteSigner(Ed25519KeyPair);

impl NoteSigner {
    /// Makes a new key; gives the file to keep it in beside it (PKCS#8 in PEM).
    pub(crate) fn generate() -> Result<(Self, Zeroizing<String>), Error> {
        let pair = Ed25519KeyPair::generate().map_err(|_| Error::Sign)?;
        let document = pair.to_pkcs8v1().map_err(|_| Error::Sign)?;
        let pem = private_pem(document.as_ref())?;
        Ok((Self(pair), pem))
    }

    /// Takes a key in PKCS#8 (RFC 8410, section 7), with or without its public half.
    pub(crate) fn from_pkcs8(der: &PrivatePkcs8KeyDer<'_>) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        pair.map(Self).map_err(|_| Error::NoteKey)
    }

    /// Reads the file that [`generate`](Self::generate) made.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| Error::NoteKey)?;
        let read = Self::from_pkcs8(&der);
        der.zeroize();
        read
    }

    /// The public half.
    pub(crate) fn verifier(&self) -> NoteVerifier {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        NoteVerifier(public)
    }

    /// The signature of a note whose text is `text`, in the name `name`: what follows the name in
    /// its line, before base64.
    pub(crate) fn sign(&self, name: &str, text: &str) -> Vec<u8> {
        let signature = self.0.sign(text.as_bytes());
        [&self.verifier().id(name), signature.as_ref()].concat()
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NoteSigner").field(&self.verifier()).finish()
    }
}

/// The public half of a [`NoteSigner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoteVerifier([u8; 32]);

impl NoteVerifier {
    /// The key as verifiers of signed notes take it: name, key identifier and key, with `+`
    /// between.
    pub(crate) fn encode(&self, name: &str) -> String {
        let id = u32::from_be_bytes(self.id(name));
        let key = STANDARD.encode([&[ED25519_NOTE][..], &self.0].concat());
        format!("{name}+{id:08x}+{key}")
    }

    /// Whether `signature`, which [`NoteSigner::sign`] made, is this key's.
    pub(crate) fn verifies(&self, name: &str, text: &str, signature: &[u8]) -> bool {
        let signature = signature.strip_prefix(&self.id(name));
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        signature.is_some_and(|signature| key.verify(text.as_bytes(), signature).is_ok())
    }

    /// What signatures of this key begin with.
    pub(crate) fn id(&self, name: &str) -> [u8; 4] {
        let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519_NOTE], &self.0].concat());
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

/// The type of an Ed25519 signature of a note.
const ED25519_NOTE: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_what_it_signs_in_one_name_and_nothing_else() {
        let (signer, pem) = NoteSigner::generate().expect("a key");
        let read = NoteSigner::from_pem(pem.as_bytes()).expect("its own file");
        let verifier = read.verifier();
        assert_eq!(verifier, signer.verifier());
        let signature = signer.sign("log.example.com/a", "text\n");
        assert!(verifier.verifies("log.example.com/a", "text\n", &signature));
        assert!(!verifier.verifies("log.example.com/b", "text\n", &signature));
        assert!(!verifier.verifies("log.example.com/a", "text", &signature));
    }
}
