use std::sync::{Arc, Mutex, PoisonError};

use fulcio_ct_client::{Entry, SignedCertificateTimestamp, Submission};
use tokio::sync::oneshot;

use crate::{
    error::Error,
    key::SigningKey,
    leaf::{Hash, UnplacedLeaf, extensions_for, sha256},
};

/// The most bytes that an entry may have, and the certificates above it together.
pub(crate) const MAX_ENTRY: usize = 1 << 20;

/// A submission on its way to the sequencer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) leaf: UnplacedLeaf,
    /// What makes two submissions the same.
    pub(crate) identity: Hash,
    /// The certificates above it, by fingerprint.
    pub(crate) issuers: Vec<(Hash, Vec<u8>)>,
    /// Where its place goes once that is durable.
    pub(crate) reply: oneshot::Sender<Arc<Placed>>,
}

impl Waiting {
    pub(crate) fn new(
        submission: &Submission<'_>,
        reply: oneshot::Sender<Arc<Placed>>,
    ) -> Result<Self, Error> {
        let signed = match submission.entry {
            Entry::Certificate(certificate) => certificate,
            Entry::Precertificate { tbs, .. } => tbs,
        };
        let certificate = submission.certificate.as_ref();
        let above: usize = submission.issuers.iter().map(|issuer| issuer.len()).sum();
        let fits = |bytes: usize| (1..=MAX_ENTRY).contains(&bytes);
        if !fits(signed.len())
            || !fits(certificate.len())
            || above > MAX_ENTRY
            || submission.issuers.len() > MAX_ISSUERS
        {
            return Err(Error::Unfit { limit: MAX_ENTRY });
        }
        let issuers: Vec<_> = submission
            .issuers
            .iter()
            .map(|issuer| (sha256(issuer), issuer.to_vec()))
            .collect();
        let fingerprints = issuers.iter().map(|(fingerprint, _)| *fingerprint);
        let leaf = UnplacedLeaf::new(submission.entry, certificate, fingerprints);
        Ok(Self {
            identity: leaf.identity(),
            leaf,
            issuers,
            reply,
        })
    }

    /// About how many bytes it adds to a batch.
    pub(crate) fn weight(&self) -> usize {
        self.leaf.size() + self.issuers.iter().map(|(_, der)| der.len()).sum::<usize>()
    }
}

/// The place of an entry in the log, and the one timestamp that is signed for it.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) index: u64,
    pub(crate) timestamp: u64,
    signed: Mutex<Option<SignedCertificateTimestamp>>,
}

impl Placed {
    pub(crate) fn new(index: u64, timestamp: u64) -> Self {
        Self {
            index,
            timestamp,
            signed: Mutex::new(None),
        }
    }

    /// The signed certificate timestamp: whoever asks first signs it.
    pub(crate) fn signed(
        &self,
        entry: Entry<'_>,
        key: &SigningKey,
    ) -> Result<SignedCertificateTimestamp, Error> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = &*signed {
            return Ok(signed.clone());
        }
        let extensions = extensions_for(self.index).to_vec();
        let unfit = Error::Unfit { limit: MAX_ENTRY };
        let Ok(message) = entry.to_be_signed(self.timestamp, &extensions) else {
            return Err(unfit);
        };
        let signature = key.sign(&message)?;
        let timestamp = SignedCertificateTimestamp::new(
            key.public().id(),
            self.timestamp,
            extensions,
            signature,
        );
        Ok(signed.insert(timestamp.map_err(|_| Error::Sign)?).clone())
    }
}

/// The most certificates that an entry may have above it.
const MAX_ISSUERS: usize = 32;
