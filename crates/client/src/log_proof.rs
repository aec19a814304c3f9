use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{self, ConsistencyProof, Hash, InclusionProof, NoteError, leaf_hash};
use pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use crate::{
    EarlierTree, Error, Inclusion, ProofError, TreeHead, Verified,
    tlog_proof::{TlogProof, hash},
    tree_head::inclusion,
};

/// The proof that a log holds a certificate, to be kept in a file and checked without the log.
///
/// [`LogReader`](crate::LogReader) makes it, [`parse`](Self::parse) reads it, and nothing is
/// believed of it before [`verify`](Self::verify). The text is a proof of c2sp.org/tlog-proof, whose
/// entry is the Merkle leaf of the precertificate (RFC 6962 section 3.4). Its extra line holds the
/// certificate, and, where it was asked for, the proof that the log's tree begins with an earlier one:
///
/// ```json
/// {"certificate": "the DER in base64", "earlier": {"checkpoint": "a signed note", "path": ["a node in base64"]}}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    certificate: Option<CertificateDer<'static>>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: String,
    earlier: Option<Earlier>,
}

/// An earlier tree head, and the nodes that lead from it to the later one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Earlier {
    checkpoint: String,
    path: Vec<Hash>,
}

impl LogProof {
    /// Puts together what a log has given.
    pub(crate) fn new(
        certificate: CertificateDer<'static>,
        head: &TreeHead,
        proof: InclusionProof,
        since: Option<(&TreeHead, ConsistencyProof)>,
    ) -> Self {
        Self {
            certificate: Some(certificate),
            index: proof.index,
            path: proof.path,
            checkpoint: head.note().to_owned(),
            earlier: since.map(|(earlier, proof)| Earlier {
                checkpoint: earlier.note().to_owned(),
                path: proof.path,
            }),
        }
    }

    /// Reads the text of a saved proof.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &[u8]) -> Result<Self, ProofError> {
        let proof = TlogProof::parse(text)?;
        let extra = match proof.extra {
            Some(extra) => serde_json::from_slice(&extra).map_err(ProofError::Extra)?,
            None => Extra::default(),
        };
        let certificate = extra
            .certificate
            .map(|text| {
                BASE64_STANDARD
                    .decode(text)
                    .map_err(ProofError::Certificate)
            })
            .transpose()?;
        let earlier = extra.earlier.map(Earlier::parse).transpose()?;
        Ok(Self {
            certificate: certificate.map(CertificateDer::from),
            index: proof.index,
            path: proof.path,
            checkpoint: proof.checkpoint,
            earlier,
        })
    }

    /// Writes the text.
    ///
    /// # Errors
    /// Never for a proof that was read or made here.
    pub fn to_text(&self) -> Result<String, ProofError> {
        let extra = Extra {
            certificate: self
                .certificate
                .as_ref()
                .map(|der| BASE64_STANDARD.encode(der)),
            earlier: self.earlier.as_ref().map(Earlier::to_json),
        };
        let extra = if extra == Extra::default() {
            None
        } else {
            Some(serde_json::to_vec(&extra).map_err(ProofError::Extra)?)
        };
        let proof = TlogProof {
            extra,
            index: self.index,
            path: self.path.clone(),
            checkpoint: self.checkpoint.clone(),
        };
        Ok(proof.to_text())
    }

    /// The certificate that it says it is of. It is for [`Trust`](crate::Trust) to verify.
    #[must_use]
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificate.as_ref()
    }

    /// The head of the tree that it leads to.
    ///
    /// # Errors
    /// It is another log's, or is not signed by the key.
    pub fn tree_head(&self, origin: Option<&str>, key: &LogKey) -> Result<TreeHead, NoteError> {
        TreeHead::verify(self.checkpoint.as_bytes(), origin, key)
    }

    /// Checks that the log which signs with `key` holds the precertificate of `verified`, and that
    /// its tree begins with the earlier tree, if the proof names one. With `origin` given, the log
    /// must call itself that.
    ///
    /// With `since` given, the proof must be about that tree too: show that the log's tree begins
    /// with it, or be of this very tree.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn verify(
        &self,
        verified: &Verified,
        since: Option<&TreeHead>,
        origin: Option<&str>,
        key: &LogKey,
    ) -> Result<Inclusion, Error> {
        let certificate = self.certificate.as_ref();
        if certificate.is_some_and(|certificate| *certificate != verified.certificate) {
            return Err(Error::OtherCertificate);
        }
        let head = self.tree_head(origin, key).map_err(inclusion)?;
        self.verify_inclusion(&head, verified)?;
        let earlier = match &self.earlier {
            Some(earlier) => Some(earlier.verify(&head, origin, key)?),
            None => None,
        };
        let trees = [Some(&head), earlier.as_ref()];
        let since = match since {
            Some(since) => Some(same_tree(since, trees.into_iter().flatten())?),
            None => earlier.as_ref(),
        };
        let tree = head.checkpoint();
        Ok(Inclusion {
            leaf_index: self.index,
            tree_size: tree.size(),
            tree_time_ms: tree.timestamp(),
            since: since.map(EarlierTree::of),
        })
    }

    fn verify_inclusion(&self, head: &TreeHead, verified: &Verified) -> Result<(), Error> {
        let timestamp = &verified.timestamp;
        // A log of RFC 6962 may put anything into its extensions; then there is no index to compare.
        let promised = timestamp.leaf_index().ok().flatten();
        if promised.is_some_and(|promised| promised != self.index) {
            return Err(inclusion(reader::Error::Proof));
        }
        let proof = InclusionProof {
            index: self.index,
            size: head.checkpoint().size(),
            path: self.path.clone(),
        };
        let entry = verified.precertificate.entry();
        let leaf = leaf_hash(entry, timestamp.timestamp(), timestamp.extensions());
        proof
            .verify(&leaf, &head.checkpoint().root())
            .map_err(inclusion)
    }
}

/// The one of `trees` that is `since`.
fn same_tree<'a>(
    since: &TreeHead,
    trees: impl Iterator<Item = &'a TreeHead>,
) -> Result<&'a TreeHead, Error> {
    let size = since.checkpoint().size();
    for tree in trees {
        since.is_not_a_fork_of(tree)?;
        if tree.checkpoint().size() == size {
            return Ok(tree);
        }
    }
    Err(Error::NotSince { size })
}

impl Earlier {
    fn parse(json: EarlierJson) -> Result<Self, ProofError> {
        let path = json.path.iter().map(|node| hash(node));
        Ok(Self {
            path: path.collect::<Option<_>>().ok_or(ProofError::Node)?,
            checkpoint: json.checkpoint,
        })
    }

    fn to_json(&self) -> EarlierJson {
        let path = self.path.iter().map(|node| BASE64_STANDARD.encode(node));
        EarlierJson {
            checkpoint: self.checkpoint.clone(),
            path: path.collect(),
        }
    }

    fn verify(
        &self,
        head: &TreeHead,
        origin: Option<&str>,
        key: &LogKey,
    ) -> Result<TreeHead, Error> {
        let earlier =
            TreeHead::verify(self.checkpoint.as_bytes(), origin, key).map_err(Error::Earlier)?;
        earlier.is_not_a_fork_of(head)?;
        let (old, new) = (earlier.checkpoint(), head.checkpoint());
        let proof = ConsistencyProof {
            old_size: old.size(),
            new_size: new.size(),
            path: self.path.clone(),
        };
        proof
            .verify(&old.root(), &new.root())
            .map_err(|source| Error::Consistency {
                size: old.size(),
                source,
            })?;
        Ok(earlier)
    }
}

/// The extra line of a proof. Unknown names are refused, so that nobody takes for proven what was not
/// looked at.
#[derive(Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<EarlierJson>,
}

#[derive(Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct EarlierJson {
    checkpoint: String,
    path: Vec<String>,
}
