use std::time::{Duration, SystemTime};

use fulcio_principal::Principal;
use pki_types::SubjectPublicKeyInfoDer;

use crate::{Error, Leaf, SerialNumber};

/// What all leaves of one authority have in common.
///
/// The rest is fixed: a version 3 certificate with an empty subject, one critical subject
/// alternative name, the key usage digitalSignature, the extended key usage codeSigning, and
/// Fulcio's own extensions in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made with `..CertificateProfile::CODE_SIGNING`"
)]
pub struct CertificateProfile {
    /// How long a leaf is valid, in whole seconds; it never outlives its authority.
    pub lifetime: Duration,
    /// Whether leaves carry the SHA-1 of their key (RFC 5280 section 4.2.1.2, method 1).
    pub subject_key_identifier: bool,
}

impl CertificateProfile {
    /// Ten minutes, with the subject key identifier.
    pub const CODE_SIGNING: Self = Self {
        lifetime: Duration::from_secs(600),
        subject_key_identifier: true,
    };

    /// Writes what the certificate will say, whoever issues it.
    ///
    /// It is valid from `now`, which is not moved back.
    ///
    /// # Errors
    ///
    /// When the name cannot be in a certificate ([`Error::EmptyName`], [`Error::NotIa5`]), when the
    /// principal has no issuer ([`Error::NoIssuer`]), when
    /// `key` is no `SubjectPublicKeyInfo`, or when a date cannot be written.
    pub fn leaf<'a>(
        &self,
        principal: &'a Principal,
        key: SubjectPublicKeyInfoDer<'a>,
        serial: SerialNumber,
        now: SystemTime,
    ) -> Result<Leaf<'a>, Error> {
        Leaf::new(self, principal, key, serial, now)
    }
}

impl Default for CertificateProfile {
    fn default() -> Self {
        Self::CODE_SIGNING
    }
}
