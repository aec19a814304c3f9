use std::time::SystemTime;

use pki_types::CertificateDer;

use crate::{
    Deviation, Error, Issuer, Leaf, Unsigned, Validity,
    expected::Expected,
    extension,
    writer::{Writer, element_len, tag},
};

/// A leaf and the authority that issues it: all that is left to add is poison or timestamps, and
/// a signature.
///
/// The precertificate, what a log hashes, and the certificate share every other byte.
#[derive(Clone, Debug)]
pub struct IssuedLeaf<'a> {
    leaf: &'a Leaf<'a>,
    issuer: &'a Issuer,
    validity: Validity,
    /// The fields of the `TBSCertificate` from the version to the public key, then the extensions
    /// that all three share.
    shared: Vec<u8>,
    extensions_at: usize,
}

/// `[0] EXPLICIT INTEGER 2`: version 3.
pub(crate) const VERSION_3: [u8; 5] = [0xa0, 3, tag::INTEGER, 1, 2];
/// A name without attributes.
const EMPTY_NAME: [u8; 2] = [tag::SEQUENCE, 0];
/// The value of the poison extension: `NULL`.
const POISON_VALUE: [u8; 2] = [5, 0];

/// The last extension, by which precertificate and certificate differ.
#[derive(Clone, Copy)]
pub(crate) enum Last<'a> {
    Nothing,
    Poison,
    SctList(&'a [u8]),
}

impl<'a> IssuedLeaf<'a> {
    pub(crate) fn new(leaf: &'a Leaf<'a>, issuer: &'a Issuer) -> Result<Self, Error> {
        let validity = issuer.validity().limit(leaf.validity())?;
        let key = leaf.public_key();
        let (before, after) = leaf.around_authority();
        let mut out = Writer::with_capacity(
            96 + issuer.subject().len()
                + key.len()
                + before.len()
                + issuer.authority_key_identifier().len()
                + after.len(),
        );
        out.bytes(&VERSION_3);
        leaf.serial().write(&mut out);
        out.element(tag::SEQUENCE, &issuer.signature_algorithm());
        out.bytes(issuer.subject());
        validity.write(&mut out)?;
        out.bytes(&EMPTY_NAME);
        out.bytes(&key);
        let extensions_at = out.len();
        out.bytes(before);
        out.bytes(issuer.authority_key_identifier());
        out.bytes(after);
        Ok(Self {
            leaf,
            issuer,
            validity,
            shared: out.finish(),
            extensions_at,
        })
    }

    /// What it says.
    #[must_use]
    pub fn leaf(&self) -> &'a Leaf<'a> {
        self.leaf
    }

    /// Who issues it.
    #[must_use]
    pub fn issuer(&self) -> &'a Issuer {
        self.issuer
    }

    /// The last second in which it is valid: the leaf's own or the authority's, whichever is
    /// first.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.validity.not_after
    }

    /// The precertificate: with the poison extension that keeps it from being used (RFC 6962
    /// section 3.1).
    pub fn precertificate(&self) -> Unsigned {
        self.unsigned(Last::Poison)
    }

    /// The DER `TBSCertificate` that a log's timestamp covers: with neither poison nor timestamps
    /// (RFC 6962 section 3.2).
    #[must_use]
    pub fn log_entry_tbs(&self) -> Vec<u8> {
        self.to_be_signed(Last::Nothing)
    }

    /// The certificate, with a TLS-encoded `SignedCertificateTimestampList` if there is one
    /// (RFC 6962 section 3.3).
    pub fn certificate(&self, sct_list: Option<&[u8]>) -> Unsigned {
        self.unsigned(sct_list.map_or(Last::Nothing, Last::SctList))
    }

    /// Refuses a certificate that does not say what the precertificate must say.
    ///
    /// It reads the octets as they will leave, once from the front to the back, and knows nothing of how they
    /// were written. The signature is not verified.
    ///
    /// # Errors
    ///
    /// What is not as it must be.
    pub fn must_be_precertificate(
        &self,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), Deviation> {
        self.expected(Last::Poison).must_be(certificate)
    }

    /// The same of the certificate, with the list of timestamps that it was made with.
    ///
    /// # Errors
    ///
    /// What is not as it must be.
    pub fn must_be_certificate(
        &self,
        sct_list: Option<&[u8]>,
        certificate: &CertificateDer<'_>,
    ) -> Result<(), Deviation> {
        let last = sct_list.map_or(Last::Nothing, Last::SctList);
        self.expected(last).must_be(certificate)
    }

    fn expected<'b>(&'b self, last: Last<'b>) -> Expected<'b> {
        Expected { leaf: self, last }
    }

    fn unsigned(&self, last: Last<'_>) -> Unsigned {
        Unsigned {
            to_be_signed: self.to_be_signed(last),
            algorithm: self.issuer.signature_algorithm(),
        }
    }

    fn to_be_signed(&self, last: Last<'_>) -> Vec<u8> {
        let (fields, extensions) = self.shared.split_at(self.extensions_at);
        let extensions_len = extensions.len() + last.len();
        let explicit = element_len(extensions_len);
        let content = fields.len() + element_len(explicit);

        let mut out = Writer::with_capacity(element_len(content));
        out.header(tag::SEQUENCE, content);
        out.bytes(fields);
        out.header(tag::context_constructed(3), explicit);
        out.header(tag::SEQUENCE, extensions_len);
        out.bytes(extensions);
        last.write(&mut out);
        out.finish()
    }
}

impl Last<'_> {
    fn len(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Poison => extension::len(extension::POISON.der.len(), true, POISON_VALUE.len()),
            Self::SctList(list) => extension::len(
                extension::SCT_LIST.der.len(),
                false,
                element_len(list.len()),
            ),
        }
    }

    fn write(self, out: &mut Writer) {
        match self {
            Self::Nothing => {}
            Self::Poison => extension::write(out, extension::POISON, true, &POISON_VALUE),
            Self::SctList(list) => {
                let value = element_len(list.len());
                extension::open(out, extension::SCT_LIST.der, false, value);
                out.element(tag::OCTET_STRING, list);
            }
        }
    }
}
