use aws_lc_rs::digest::{SHA256, digest};
use pki_types::{AlgorithmIdentifier, SubjectPublicKeyInfoDer};

use crate::{
    Error, Validity,
    ca_certificate::CaCertificate,
    extension,
    public_key::PublicKey,
    writer::{Writer, element_len, tag},
};

/// What of the issuing certificate goes into each certificate it issues, prepared once.
///
/// [`CaChain::issuer`](crate::CaChain::issuer) gives it.
#[derive(Clone, Debug)]
pub struct Issuer {
    subject: Vec<u8>,
    public_key: SubjectPublicKeyInfoDer<'static>,
    key_hash: [u8; 32],
    subject_key_identifier: Option<Vec<u8>>,
    /// The whole extension that points at this issuer; empty when it has no key identifier.
    authority_key_identifier: Vec<u8>,
    validity: Validity,
    signature_algorithm: AlgorithmIdentifier,
}

impl Issuer {
    pub(crate) fn new(certificate: &CaCertificate<'_>, validity: Validity) -> Result<Self, Error> {
        let public_key = certificate.public_key.clone().into_owned();
        let signature_algorithm = PublicKey::parse(&public_key)
            .map_err(|source| certificate.malformed(source))?
            .signature_algorithm()?;
        let mut key_hash = [0; 32];
        key_hash.copy_from_slice(digest(&SHA256, &public_key).as_ref());

        let subject_key_identifier = certificate.subject_key_identifier.clone();
        let authority_key_identifier = subject_key_identifier
            .as_deref()
            .map(authority_key_identifier)
            .unwrap_or_default();
        Ok(Self {
            subject: certificate.subject.to_vec(),
            public_key,
            key_hash,
            subject_key_identifier,
            authority_key_identifier,
            validity,
            signature_algorithm,
        })
    }

    /// Its DER `Name`, byte for byte as its certificate has it.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// Its public key, with which the signer's must be compared.
    #[must_use]
    pub fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.public_key.as_ref())
    }

    /// The SHA-256 of its `SubjectPublicKeyInfo`, the `issuer_key_hash` of RFC 6962 section 3.2.
    #[must_use]
    pub fn key_hash(&self) -> [u8; 32] {
        self.key_hash
    }

    /// Its subject key identifier, if its certificate has one.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.subject_key_identifier.as_deref()
    }

    /// When its whole chain is valid, up to the root.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The algorithm that certificates signed by its key must name.
    #[must_use]
    pub fn signature_algorithm(&self) -> AlgorithmIdentifier {
        self.signature_algorithm
    }

    pub(crate) fn authority_key_identifier(&self) -> &[u8] {
        &self.authority_key_identifier
    }
}

/// The extension with `AuthorityKeyIdentifier { keyIdentifier [0] }` (RFC 5280 section 4.2.1.1).
fn authority_key_identifier(identifier: &[u8]) -> Vec<u8> {
    let mut value = Writer::default();
    value.header(tag::SEQUENCE, element_len(identifier.len()));
    value.element(tag::context(0), identifier);
    let mut out = Writer::default();
    extension::write(
        &mut out,
        extension::AUTHORITY_KEY_IDENTIFIER,
        false,
        &value.finish(),
    );
    out.finish()
}
