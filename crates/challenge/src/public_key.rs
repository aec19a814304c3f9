use core::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use pki_types::SubjectPublicKeyInfoDer;

use crate::{
    Error, KeyKind, Malformed, Proof, ecdsa_signature, pem, scheme::Scheme,
    unchecked_key::UncheckedKey,
};

/// A public key that has been through the whole key policy; only [`parse`](Self::parse) makes one.
#[derive(Clone)]
pub struct PublicKey {
    pub(crate) kind: KeyKind,
    pub(crate) spki: Vec<u8>,
    /// The same key, where reading it has made it ready to verify what it signs as challenges.
    pub(crate) ready: Option<ParsedPublicKey>,
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kind", &self.kind)
            .field("spki", &self.spki)
            .finish_non_exhaustive()
    }
}

impl PublicKey {
    /// Reads a key from PEM (`PUBLIC KEY`, RFC 7468 section 13; `RSA PUBLIC KEY`, RFC 8017) or from
    /// the DER of a `SubjectPublicKeyInfo` (RFC 5280), and holds it to the key policy.
    ///
    /// # Errors
    /// [`Error::KeyMalformed`] when it cannot be read, [`Error::InsecureKey`] when it breaks the
    /// policy.
    pub fn parse(pem_or_der: &[u8]) -> Result<Self, Error> {
        if pem_or_der.is_empty() {
            return Err(Error::KeyMalformed(Malformed::Absent));
        }
        if pem_or_der.len() > Proof::LONGEST {
            let limit = Proof::LONGEST;
            return Err(Error::KeyMalformed(Malformed::TooLong { limit }));
        }
        let block = pem::first_block(pem_or_der);
        match &block {
            Some(block) => match block.label {
                b"PUBLIC KEY" => UncheckedKey::from_spki(&block.contents),
                b"RSA PUBLIC KEY" => UncheckedKey::from_pkcs1(&block.contents),
                _ => Err(Malformed::PemLabel),
            },
            None => UncheckedKey::from_spki(pem_or_der),
        }
        .map_err(Error::KeyMalformed)?
        .approve()
        .map_err(Error::InsecureKey)
    }

    /// The key as a certificate carries it: what was read, or its `SubjectPublicKeyInfo` where that
    /// was PKCS#1.
    #[must_use]
    pub fn spki(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.spki.as_slice())
    }

    /// What the key is, and how large.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Holds a signature over a challenge against the key.
    pub(crate) fn verify_challenge(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let scheme = Scheme::of_challenge(self.kind);
        match self.kind {
            KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521
                if !ecdsa_signature::is_der(signature) =>
            {
                let der = ecdsa_signature::der_from_p1363(signature).ok_or(Error::Signature)?;
                scheme.verify(self, message, &der)
            }
            _ => scheme.verify(self, message, signature),
        }
    }
}
