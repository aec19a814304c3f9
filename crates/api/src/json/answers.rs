use fulcio_issuance::{Certified, Timestamp};
use pki_types::CertificateDer;
use tonic::Code;

use super::Writer;
use crate::{IssuerUrl, OidcIssuer, Readiness, pem};

/// Writes `dev.sigstore.fulcio.v2.SigningCertificate`.
#[must_use]
pub fn signing_certificate(certified: &Certified) -> Vec<u8> {
    let mut json = Writer::with_capacity(512 + pem::capacity(&certified.chain));
    json.raw(match &certified.timestamp {
        Timestamp::Embedded(_) => r#"{"signedCertificateEmbeddedSct":{"chain":"#,
        Timestamp::Detached(_) | Timestamp::None => r#"{"signedCertificateDetachedSct":{"chain":"#,
    });
    chain(&mut json, &certified.chain, "\"");
    match &certified.timestamp {
        Timestamp::Embedded(_) => {}
        Timestamp::Detached(timestamp) => {
            json.raw(r#","signedCertificateTimestamp":"#);
            json.bytes(timestamp.to_json().as_bytes());
        }
        Timestamp::None => json.raw(r#","signedCertificateTimestamp":"""#),
    }
    json.raw("}}");
    json.into_bytes()
}

/// Writes `dev.sigstore.fulcio.v2.TrustBundle`, in which PEM texts do end with a line end.
pub(crate) fn trust_bundle(chains: &[Vec<CertificateDer<'_>>]) -> Vec<u8> {
    let capacity = chains.iter().map(|chain| 32 + pem::capacity(chain)).sum();
    let mut json = Writer::with_capacity(capacity);
    json.raw(r#"{"chains":["#);
    for (index, certificates) in chains.iter().enumerate() {
        json.raw(if index == 0 { "" } else { "," });
        chain(&mut json, certificates, r#"\n""#);
    }
    json.raw("]}");
    json.into_bytes()
}

/// Writes `dev.sigstore.fulcio.v2.Configuration`.
pub(crate) fn configuration(issuers: &[OidcIssuer]) -> Vec<u8> {
    let mut json = Writer::with_capacity(64 + 256 * issuers.len());
    json.raw(r#"{"issuers":["#);
    for (index, issuer) in issuers.iter().enumerate() {
        json.raw(if index == 0 { "" } else { "," });
        match &issuer.url {
            IssuerUrl::Exact(url) => {
                json.raw(r#"{"issuerUrl":"#);
                json.string(url);
            }
            IssuerUrl::Wildcard(url) => {
                json.raw(r#"{"wildcardIssuerUrl":"#);
                json.string(url);
            }
        }
        json.raw(r#","audience":"#);
        json.string(&issuer.audience);
        json.raw(r#","challengeClaim":"#);
        json.string(&issuer.challenge_claim);
        json.raw(r#","spiffeTrustDomain":"#);
        json.string(&issuer.spiffe_trust_domain);
        json.raw(r#","issuerType":"#);
        json.string(&issuer.issuer_type);
        json.raw(r#","subjectDomain":"#);
        json.string(&issuer.subject_domain);
        json.raw(if issuer.skip_email_verification {
            r#","skipEmailVerification":true}"#
        } else {
            r#","skipEmailVerification":false}"#
        });
    }
    json.raw("]}");
    json.into_bytes()
}

/// Writes whether certificates can be issued, and for each part why not; a message of our own.
pub(crate) fn readiness(readiness: &Readiness) -> Vec<u8> {
    let mut json = Writer::with_capacity(64 + 64 * readiness.parts.len());
    json.raw(if readiness.is_ready() {
        r#"{"ready":true,"parts":["#
    } else {
        r#"{"ready":false,"parts":["#
    });
    for (index, part) in readiness.parts.iter().enumerate() {
        json.raw(if index == 0 { "" } else { "," });
        json.raw(r#"{"name":"#);
        json.string(&part.name);
        match &part.fault {
            None => json.raw(r#","ready":true}"#),
            Some(fault) => {
                json.raw(r#","ready":false,"reason":"#);
                json.string(fault);
                json.raw("}");
            }
        }
    }
    json.raw("]}\n");
    json.into_bytes()
}

/// Writes `google.rpc.Status`.
pub(crate) fn status(code: Code, message: &str) -> Vec<u8> {
    let mut json = Writer::with_capacity(64 + message.len());
    json.raw(r#"{"code":"#);
    json.raw(&(code as i32).to_string());
    json.raw(r#","message":"#);
    json.string(message);
    json.raw(r#","details":[]}"#);
    json.into_bytes()
}

/// Writes `dev.sigstore.fulcio.v2.CertificateChain`; `end` closes each of its strings.
fn chain(json: &mut Writer, certificates: &[CertificateDer<'_>], end: &str) {
    json.raw(r#"{"certificates":["#);
    for (index, certificate) in certificates.iter().enumerate() {
        json.raw(if index == 0 { "\"" } else { ",\"" });
        pem::write(json.buffer(), certificate, br"\n");
        json.raw(end);
    }
    json.raw("]}");
}
