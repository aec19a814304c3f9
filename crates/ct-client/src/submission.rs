use aws_lc_rs::digest::{SHA256, digest};
use pki_types::CertificateDer;

use crate::{Entry, Submission};

/// A [`Submission`] that waits for nobody who lent it.
#[derive(Debug)]
pub(crate) struct OwnedSubmission {
    entry: OwnedEntry,
    certificate: CertificateDer<'static>,
    issuers: Vec<CertificateDer<'static>>,
}

#[derive(Debug)]
enum OwnedEntry {
    Certificate(Vec<u8>),
    Precertificate {
        issuer_key_hash: [u8; 32],
        tbs: Vec<u8>,
    },
}

impl From<Submission<'_>> for OwnedSubmission {
    fn from(submission: Submission<'_>) -> Self {
        Self {
            entry: match submission.entry {
                Entry::Certificate(der) => OwnedEntry::Certificate(der.to_vec()),
                Entry::Precertificate {
                    issuer_key_hash,
                    tbs,
                } => OwnedEntry::Precertificate {
                    issuer_key_hash,
                    tbs: tbs.to_vec(),
                },
            },
            certificate: submission.certificate.clone().into_owned(),
            issuers: submission.issuers.to_vec(),
        }
    }
}

impl OwnedSubmission {
    /// SHA-256 of the certificate or precertificate as it was signed, in hexadecimal.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = digest(&SHA256, &self.certificate);
        let bytes = digest.as_ref().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn borrowed(&self) -> Submission<'_> {
        Submission {
            entry: match &self.entry {
                OwnedEntry::Certificate(der) => Entry::Certificate(der),
                OwnedEntry::Precertificate {
                    issuer_key_hash,
                    tbs,
                } => Entry::Precertificate {
                    issuer_key_hash: *issuer_key_hash,
                    tbs,
                },
            },
            certificate: &self.certificate,
            issuers: &self.issuers,
        }
    }
}
