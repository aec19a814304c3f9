//! Whether a certificate is the one that was asked for.

use core::{fmt, time::Duration};
use std::time::{SystemTime, UNIX_EPOCH};

use der::{Decode as _, Encode as _};
use fulcio_cert_builder::Leaf;
use fulcio_principal::Extension;
use pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::{Certificate, TbsCertificate};

use crate::Error;

/// In what a certificate differs from the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// An extension is missing, twice there, or says something else.
    Extension {
        /// Its OID, dotted.
        oid: String,
    },
    /// There is an extension that nobody asked for, and that readers must obey or may believe.
    ExtensionNotAsked {
        /// Its OID, dotted.
        oid: String,
    },
    /// It is for another key.
    Key,
    /// It ends later than it may, or has ended already.
    NotAfter,
    /// It begins too early or too late.
    NotBefore,
    /// It has a subject besides its alternative name.
    Subject,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension { oid } => write!(
                f,
                "the extension {oid} is missing or differs (does the pool's issuance policy change it?)"
            ),
            Self::ExtensionNotAsked { oid } => write!(f, "it has the extension {oid}"),
            Self::Key => f.write_str("it is for another key"),
            Self::NotAfter => f.write_str("it ends later than it may, or has ended already"),
            Self::NotBefore => f.write_str(
                "it begins too early or too late (does the pool backdate, or is a clock wrong?)",
            ),
            Self::Subject => f.write_str("it has a subject"),
        }
    }
}

/// How far apart the clocks may be, of Google and of this machine.
const SKEW: Duration = Duration::from_secs(60);
/// The service sets these from its own fields: the usages, the name, and the key's identifier.
const BY_SERVICE: [&str; 4] = [
    "2.5.29.15",
    "2.5.29.37",
    "2.5.29.17",
    SUBJECT_KEY_IDENTIFIER,
];
const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
/// `id-kp-codeSigning` (RFC 5280 section 4.2.1.12), the contents of its DER.
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// Whether the service writes the extension, and not whoever asks for it.
pub(crate) fn is_by_service(oid: &str) -> bool {
    BY_SERVICE.contains(&oid)
}

/// Compares `certificate` with `leaf`, which was made `elapsed` ago, and follows the path to the
/// last certificate of `chain`.
pub(crate) fn check(
    certificate: &CertificateDer<'_>,
    leaf: &Leaf<'_>,
    elapsed: Duration,
    chain: &[CertificateDer<'static>],
) -> Result<(), Error> {
    let parsed = Certificate::from_der(certificate).map_err(|error| Error::AnswerMalformed {
        field: "pemCertificate",
        source: error.into(),
    })?;
    let tbs = parsed.tbs_certificate();
    contents(tbs, leaf).map_err(Error::OtherCertificate)?;
    let now = dates(tbs, leaf, elapsed).map_err(Error::OtherCertificate)?;
    path(certificate, chain, now).map_err(Error::Path)
}

fn contents(tbs: &TbsCertificate, leaf: &Leaf<'_>) -> Result<(), Difference> {
    let key = tbs.subject_public_key_info().to_der();
    if !key.is_ok_and(|key| key == leaf.public_key().as_ref()) {
        return Err(Difference::Key);
    }
    if !tbs.subject().is_empty() {
        return Err(Difference::Subject);
    }
    let there = tbs.extensions().map_or(&[][..], Vec::as_slice);
    for asked in leaf.extensions() {
        // Its value is one hash or another of the key.
        if asked.oid == SUBJECT_KEY_IDENTIFIER {
            continue;
        }
        let mut same = there
            .iter()
            .filter(|extension| extension.extn_id.to_string() == asked.oid);
        // Whether usages and name are critical is the service's to say.
        let right = same.next().is_some_and(|extension| {
            extension.extn_value.as_bytes() == asked.value
                && (is_by_service(asked.oid) || extension.critical == asked.critical)
        });
        if !right || same.next().is_some() {
            return Err(Difference::Extension {
                oid: asked.oid.to_owned(),
            });
        }
    }
    for extension in there {
        let oid = extension.extn_id.to_string();
        let asked = is_by_service(&oid) || leaf.extensions().any(|asked| asked.oid == oid);
        let matters = extension.critical && oid != BASIC_CONSTRAINTS;
        if !asked && (matters || is_fulcio(&oid)) {
            return Err(Difference::ExtensionNotAsked { oid });
        }
    }
    Ok(())
}

/// Whether readers take the extension for Fulcio's word.
fn is_fulcio(oid: &str) -> bool {
    oid.strip_prefix(Extension::ARC)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// Gives the time at which the certificate is valid: now, or a moment later.
fn dates(
    tbs: &TbsCertificate,
    leaf: &Leaf<'_>,
    elapsed: Duration,
) -> Result<SystemTime, Difference> {
    let not_before = tbs.validity().not_before.to_system_time();
    let not_after = tbs.validity().not_after.to_system_time();
    let now = leaf.not_before() + elapsed;
    if not_before + SKEW < leaf.not_before() || not_before > now + SKEW {
        return Err(Difference::NotBefore);
    }
    let at = now.max(not_before);
    if not_after <= at || not_after > leaf.not_after() + elapsed + SKEW {
        return Err(Difference::NotAfter);
    }
    Ok(at)
}

fn path(
    certificate: &CertificateDer<'_>,
    chain: &[CertificateDer<'static>],
    at: SystemTime,
) -> Result<(), webpki::Error> {
    let (anchor, intermediates) = chain.split_last().ok_or(webpki::Error::UnknownIssuer)?;
    let anchor = anchor_from_trusted_cert(anchor)?;
    let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    EndEntityCert::try_from(certificate)?.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        intermediates,
        UnixTime::since_unix_epoch(at),
        // The leaf has been compared; authorities need not list a usage.
        KeyUsage::required_if_present(CODE_SIGNING),
        None,
        None,
    )?;
    Ok(())
}
