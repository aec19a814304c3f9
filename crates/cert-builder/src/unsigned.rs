use pki_types::{AlgorithmIdentifier, CertificateDer};

use crate::writer::{Writer, element_len, tag};

/// A certificate that only lacks its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Unsigned {
    pub(crate) to_be_signed: Vec<u8>,
    pub(crate) algorithm: AlgorithmIdentifier,
}

impl Unsigned {
    /// The DER `TBSCertificate`: what the authority's key signs.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// The algorithm that the certificate says it is signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> AlgorithmIdentifier {
        self.algorithm
    }

    /// Adds the signature, which is not checked: a DER `ECDSA-Sig-Value` for ECDSA, the bare
    /// bytes for RSA and Ed25519.
    #[must_use]
    pub fn signed(self, signature: &[u8]) -> CertificateDer<'static> {
        let content = self.to_be_signed.len()
            + element_len(self.algorithm.as_ref().len())
            + element_len(1 + signature.len());
        let mut out = Writer::with_capacity(element_len(content));
        out.header(tag::SEQUENCE, content);
        out.bytes(&self.to_be_signed);
        out.element(tag::SEQUENCE, &self.algorithm);
        out.header(tag::BIT_STRING, 1 + signature.len());
        out.bytes(&[0]);
        out.bytes(signature);
        CertificateDer::from(out.finish())
    }
}
