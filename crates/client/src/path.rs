use core::time::Duration;

use der::{Decode as _, Tag};
use pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::{Certificate, ext::pkix::ExtendedKeyUsage};

use crate::{Error, precertificate::wrapped};

/// Verifies that a path leads from `certificate` to one of `roots`, for code signing at the time
/// `at` since 1970 (RFC 5280 section 6), and gives the `SubjectPublicKeyInfo` of the authority right
/// above it.
///
/// The key comes from the path and not from a certificate that merely has the right name: an
/// authority that renews its key keeps its name.
pub(crate) fn issuer_key(
    certificate: &CertificateDer<'_>,
    roots: &[CertificateDer<'static>],
    intermediates: &[CertificateDer<'static>],
    at: Duration,
) -> Result<Vec<u8>, Error> {
    if !lists_code_signing(certificate)? {
        return Err(Error::Usage);
    }
    let anchors: Vec<TrustAnchor<'_>> = roots
        .iter()
        .map(anchor_from_trusted_cert)
        .collect::<Result<_, _>>()
        .map_err(Error::Chain)?;
    let leaf = EndEntityCert::try_from(certificate).map_err(Error::Chain)?;
    let path = leaf
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            intermediates,
            UnixTime::since_unix_epoch(at),
            // Authorities need not list a usage: without a list they may do everything.
            KeyUsage::required_if_present(CODE_SIGNING),
            None,
            None,
        )
        .map_err(Error::Chain)?;
    match path.intermediate_certificates().next() {
        Some(issuer) => Ok(issuer.subject_public_key_info().to_vec()),
        // An anchor holds the contents of the SEQUENCE only.
        None => wrapped(Tag::Sequence, &path.anchor().subject_public_key_info),
    }
}

/// Whether the extended key usage names code signing.
fn lists_code_signing(certificate: &[u8]) -> Result<bool, Error> {
    let certificate = Certificate::from_der(certificate)?;
    let usage = certificate
        .tbs_certificate()
        .get_extension::<ExtendedKeyUsage>()?;
    Ok(usage.is_some_and(|(_critical, usage)| {
        usage
            .0
            .contains(&const_oid::db::rfc5280::ID_KP_CODE_SIGNING)
    }))
}

/// `id-kp-codeSigning` (RFC 5280 section 4.2.1.12), the contents of its DER.
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
