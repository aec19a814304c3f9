use core::time::Duration;

use const_oid::db::rfc6962::CT_PRECERT_SCTS;
use der::Decode as _;
use fulcio_ct_client::{Entry, LogKey, SignedCertificateTimestamp};
use pki_types::CertificateDer;
use x509_cert::Certificate;

use crate::{
    Description, Error, description::timestamps, hex, path::issuer_key,
    precertificate::log_entry_tbs, sha256,
};

/// What a certificate must be under to be trusted.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
    logs: Vec<LogKey>,
}

/// Whom a certificate must name; what is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "meant to be written out by the caller"
)]
pub struct Expected {
    /// The subject alternative name.
    pub identity: Option<String>,
    /// The `iss` of the token.
    pub issuer: Option<String>,
}

/// A certificate that was under a trusted root for code signing, and known to a log, at the time
/// of its timestamp.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The certificate itself.
    pub certificate: CertificateDer<'static>,
    /// What the certificate says.
    pub description: Description,
    /// The log's promise.
    pub timestamp: SignedCertificateTimestamp,
    /// What the log must hold: the [`Entry::Precertificate`] of this certificate.
    pub precertificate: PrecertificateEntry,
}

/// The owned form of [`Entry::Precertificate`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrecertificateEntry {
    /// SHA-256 of the issuer's `SubjectPublicKeyInfo`.
    pub issuer_key_hash: [u8; 32],
    /// The DER `TBSCertificate` without poison and without the list of timestamps.
    pub tbs: Vec<u8>,
}

impl PrecertificateEntry {
    /// The form that a log signs for.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry::Precertificate {
            issuer_key_hash: self.issuer_key_hash,
            tbs: &self.tbs,
        }
    }
}

impl Trust {
    /// Trusts the last certificate of each chain, knows those before it, and believes the logs
    /// that have these keys.
    #[must_use]
    pub fn new(chains: Vec<Vec<CertificateDer<'static>>>, logs: Vec<LogKey>) -> Self {
        let (mut roots, mut intermediates) = (Vec::new(), Vec::new());
        for mut chain in chains {
            roots.extend(chain.pop());
            intermediates.append(&mut chain);
        }
        Self {
            roots,
            intermediates,
            logs,
        }
    }

    /// Trusts those of `certificates` that are signed by themselves, knows the others, and believes
    /// the logs that have these keys. Where none is signed by itself, the last one is trusted.
    #[must_use]
    pub fn of_certificates(certificates: Vec<CertificateDer<'static>>, logs: Vec<LogKey>) -> Self {
        let (mut roots, mut intermediates): (Vec<_>, Vec<_>) =
            certificates.into_iter().partition(|der| names_itself(der));
        if roots.is_empty() {
            roots.extend(intermediates.pop());
        }
        Self {
            roots,
            intermediates,
            logs,
        }
    }

    /// Verifies one certificate: its chain and its usage at the time that its timestamp states,
    /// the timestamp, and whom it names.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        expected: &Expected,
    ) -> Result<Verified, Error> {
        let description = Description::of(certificate)?;
        let (log, timestamp) = self.timestamp(certificate)?;
        let seen = Duration::from_millis(timestamp.timestamp());
        within_validity(certificate, seen)?;
        let issuer_key = issuer_key(certificate, &self.roots, &self.intermediates, seen)?;
        let precertificate = PrecertificateEntry {
            issuer_key_hash: sha256(&issuer_key),
            tbs: log_entry_tbs(certificate)?,
        };
        timestamp
            .verify(&precertificate.entry(), log, None)
            .map_err(Error::Timestamp)?;
        expected.check(&description)?;
        Ok(Verified {
            certificate: certificate.clone().into_owned(),
            description,
            timestamp,
            precertificate,
        })
    }

    /// The first timestamp in the certificate that says it is of a log we believe, and that log.
    fn timestamp(
        &self,
        certificate: &CertificateDer<'_>,
    ) -> Result<(&LogKey, SignedCertificateTimestamp), Error> {
        let parsed = Certificate::from_der(certificate)?;
        let list = parsed
            .tbs_certificate()
            .extensions()
            .into_iter()
            .flatten()
            .find(|extension| extension.extn_id == CT_PRECERT_SCTS);
        let held = match list {
            Some(list) => timestamps(list.extn_value.as_bytes())?,
            None => Vec::new(),
        };
        held.into_iter()
            .find_map(|held| {
                let log = self.logs.iter().find(|log| log.id() == held.log_id())?;
                Some((log, held))
            })
            .ok_or_else(|| Error::NoTimestamp {
                log_id: self
                    .logs
                    .first()
                    .map_or_else(String::new, |log| hex(&log.id())),
            })
    }
}

impl Expected {
    fn check(&self, description: &Description) -> Result<(), Error> {
        if let Some(expected) = &self.identity
            && !description
                .identities
                .iter()
                .any(|identity| identity.value == *expected)
        {
            let found = description.identities.iter().map(|i| i.value.as_str());
            return Err(Error::Identity {
                found: found.collect::<Vec<_>>().join(", "),
                expected: expected.clone(),
            });
        }
        if let Some(expected) = &self.issuer
            && description.identity_issuer.as_ref() != Some(expected)
        {
            return Err(Error::Issuer {
                found: description.identity_issuer.clone().unwrap_or_default(),
                expected: expected.clone(),
            });
        }
        Ok(())
    }
}

fn names_itself(certificate: &[u8]) -> bool {
    Certificate::from_der(certificate).is_ok_and(|certificate| {
        let tbs = certificate.tbs_certificate();
        tbs.issuer() == tbs.subject()
    })
}

/// A certificate is judged by the second, as its dates are.
fn within_validity(certificate: &[u8], seen: Duration) -> Result<(), Error> {
    let certificate = Certificate::from_der(certificate)?;
    let validity = certificate.tbs_certificate().validity();
    let second = Duration::from_secs(seen.as_secs());
    let begin = validity.not_before.to_unix_duration();
    let end = validity.not_after.to_unix_duration();
    if second < begin {
        return Err(Error::OutsideValidity {
            by: begin - second,
            early: true,
        });
    }
    if second > end {
        return Err(Error::OutsideValidity {
            by: second - end,
            early: false,
        });
    }
    Ok(())
}
