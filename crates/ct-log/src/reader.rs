//! Reading a static-ct log and believing nothing that does not verify.
//!
//! [`Reader`] reads any log of c2sp.org/static-ct-api, embedded or far away, from a [`Source`]:
//! something that fetches a path, which may be a closure. It fetches while the caller waits, so
//! asynchronous code gives it a thread of its own.

mod checkpoint;
mod data_tile;
mod error;
mod proof;
mod source;
mod tree;

pub use checkpoint::{Checkpoint, NoteError};
pub use data_tile::DataTile;
pub use error::Error;
pub use proof::{ConsistencyProof, InclusionProof};
pub use source::{FetchError, Source};

pub use crate::leaf::{Hash, TileLeaf, leaf_hash};

pub(crate) use checkpoint::is_origin;
pub(crate) use source::cut;
pub(crate) use tree::VerifiedTree;

use fulcio_ct_client::{Entry, LogKey, SignedCertificateTimestamp};
use pki_types::CertificateDer;

use crate::{leaf::sha256, publisher::issuer_path};

/// One log, as seen by somebody who has its public key.
#[derive(Clone, Debug)]
pub struct Reader<S> {
    source: S,
    origin: String,
    key: LogKey,
}

impl<S: Source> Reader<S> {
    /// The log that is called `origin` and signs with `key`, read from `source`.
    pub fn new(source: S, origin: impl Into<String>, key: LogKey) -> Self {
        Self {
            source,
            origin: origin.into(),
            key,
        }
    }

    /// Fetches and verifies the latest checkpoint.
    ///
    /// # Errors
    ///
    /// It cannot be fetched, or is not this log's.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let note = source::required(&self.source, "checkpoint")?;
        Ok(Checkpoint::verify(&note, &self.origin, &self.key)?)
    }

    /// Makes the proof that the tree of `checkpoint` has an entry `index`, from verified tiles.
    ///
    /// # Errors
    ///
    /// There is no such entry, or the log does not serve what its checkpoint says.
    pub fn inclusion(&self, checkpoint: &Checkpoint, index: u64) -> Result<InclusionProof, Error> {
        self.tree(checkpoint).inclusion(index)
    }

    /// Makes the proof that the tree of `new` begins with the tree of `old`, and checks it.
    ///
    /// # Errors
    ///
    /// It does not, or the log does not serve what its checkpoint says.
    pub fn consistency(
        &self,
        old: &Checkpoint,
        new: &Checkpoint,
    ) -> Result<ConsistencyProof, Error> {
        let proof = self.tree(new).consistency(old.size())?;
        proof.verify(&old.root(), &new.root())?;
        Ok(proof)
    }

    /// Checks that the log has kept a promise: that `timestamp` is its signature for `entry`, and
    /// that the entry is in the tree of `checkpoint` where the timestamp says.
    ///
    /// # Errors
    ///
    /// It is not; [`Error::NotInTree`] for an entry that is behind the tree.
    pub fn inclusion_of(
        &self,
        checkpoint: &Checkpoint,
        entry: Entry<'_>,
        timestamp: &SignedCertificateTimestamp,
    ) -> Result<InclusionProof, Error> {
        timestamp.verify(&entry, &self.key, None)?;
        let index = timestamp.leaf_index()?.ok_or(Error::NoIndex)?;
        let proof = self.inclusion(checkpoint, index)?;
        let leaf = leaf_hash(entry, timestamp.timestamp(), timestamp.extensions());
        proof.verify(&leaf, &checkpoint.root())?;
        Ok(proof)
    }

    /// Fetches the data tile with entry `index`, and checks every entry in it against the tree of
    /// `checkpoint`. [`TileLeaf`] says what of an entry the tree does not cover.
    ///
    /// # Errors
    ///
    /// There is no such entry, or the log does not serve what its checkpoint says.
    pub fn entries(&self, checkpoint: &Checkpoint, index: u64) -> Result<DataTile, Error> {
        self.tree(checkpoint).entries(index)
    }

    /// Fetches the certificate with this fingerprint.
    ///
    /// # Errors
    ///
    /// It cannot be fetched, or has another fingerprint.
    pub fn issuer(&self, fingerprint: &Hash) -> Result<CertificateDer<'static>, Error> {
        let path = issuer_path(fingerprint);
        let der = source::required(&self.source, &path)?;
        if sha256(&der) != *fingerprint {
            return Err(Error::Malformed { path });
        }
        Ok(der.into())
    }

    fn tree(&self, checkpoint: &Checkpoint) -> VerifiedTree<'_, S> {
        VerifiedTree::new(&self.source, checkpoint.size(), checkpoint.root())
    }
}
