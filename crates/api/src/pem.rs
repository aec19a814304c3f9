use base64::{Engine as _, prelude::BASE64_STANDARD};
use pki_types::CertificateDer;

/// Writes a certificate as PEM (RFC 7468), with `line_end` between its lines and none at its end.
pub(crate) fn write(out: &mut Vec<u8>, certificate: &CertificateDer<'_>, line_end: &[u8]) {
    out.extend_from_slice(b"-----BEGIN CERTIFICATE-----");
    // All at once: line by line it would take three times as long.
    let characters = BASE64_STANDARD.encode(certificate);
    for line in characters.as_bytes().chunks(64) {
        out.extend_from_slice(line_end);
        out.extend_from_slice(line);
    }
    out.extend_from_slice(line_end);
    out.extend_from_slice(b"-----END CERTIFICATE-----");
}

/// A certificate as PEM with `end` after it.
pub(crate) fn string(certificate: &CertificateDer<'_>, end: &str) -> String {
    let mut out = Vec::with_capacity(capacity(core::slice::from_ref(certificate)));
    write(&mut out, certificate, b"\n");
    out.extend_from_slice(end.as_bytes());
    String::from_utf8(out).unwrap_or_else(|_never| unreachable!("PEM is ASCII"))
}

/// How long the PEM of `certificates` is at most, each with a few characters around it.
pub(crate) fn capacity(certificates: &[CertificateDer<'_>]) -> usize {
    certificates
        .iter()
        .map(|certificate| certificate.len() * 3 / 2 + 80)
        .sum()
}

/// Certificates as PEM with `between` between them, and without a line end at the last.
pub(crate) fn text<'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>,
    between: &str,
) -> Vec<u8> {
    let mut out = Vec::new();
    for certificate in certificates {
        if !out.is_empty() {
            out.extend_from_slice(between.as_bytes());
        }
        write(&mut out, certificate, b"\n");
    }
    out
}

/// What is between the certificates of a chain.
pub(crate) const CHAIN: &str = "\n";

/// What is between the certificates of the bundle in the first version of the API.
pub(crate) const BUNDLE: &str = "\n\n";
