use base64::{Engine, alphabet, engine};
use pki_types::{CertificateDer, CertificateSigningRequestDer};

use crate::{DecodeError, Error};

const LABEL: &str = "CERTIFICATE";
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const LINE: usize = 64;

/// Takes Base64 with or without padding.
const BASE64: engine::GeneralPurpose = engine::GeneralPurpose::new(
    &alphabet::STANDARD,
    engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
);

/// Writes a certificate as PEM (RFC 7468 section 5), with a final newline.
#[must_use]
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    block(LABEL, certificate)
}

/// Writes a certification request as PEM (RFC 7468 section 7), with a final newline.
#[must_use]
pub fn request_pem(request: &CertificateSigningRequestDer<'_>) -> String {
    block("CERTIFICATE REQUEST", request)
}

fn block(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut pem = String::with_capacity(text.len() + text.len() / LINE + 64);
    for part in [BEGIN, label, DASHES, "\n"] {
        pem.push_str(part);
    }
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    for part in [END, label, DASHES, "\n"] {
        pem.push_str(part);
    }
    pem
}

/// Reads all certificates of a PEM text, which may have other text around its blocks.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    // Text around blocks need not be UTF-8; in a block, the replacement character is no Base64.
    let text = String::from_utf8_lossy(pem);
    let mut lines = text.lines().map(str::trim);
    let mut certificates = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, BEGIN) else {
            continue;
        };
        let number = certificates.len() + 1;
        if label != LABEL {
            return Err(Error::NotCertificate {
                number,
                label: label.to_owned(),
            });
        }
        let damaged = |source| Error::Pem { number, source };
        let mut body = String::new();
        loop {
            let line = lines
                .next()
                .ok_or_else(|| damaged(DecodeError::rule("the block has no end")))?;
            match boundary(line, END) {
                Some(LABEL) => break,
                Some(_) => return Err(damaged(DecodeError::rule("the block ends as another"))),
                None => body.extend(line.split_whitespace()),
            }
        }
        let der = BASE64.decode(body).map_err(|error| damaged(error.into()))?;
        certificates.push(CertificateDer::from(der));
    }
    Ok(certificates)
}

/// The label of a line that begins or ends a block.
fn boundary<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    line.strip_prefix(prefix)?.strip_suffix(DASHES)
}
