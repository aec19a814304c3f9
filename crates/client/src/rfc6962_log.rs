use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{self, ConsistencyProof, Hash, InclusionProof, NoteError, leaf_hash};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

use crate::{
    Client, Error, TreeHead, Verified, log_reader::Prove, sha256, tlog_proof::hash,
    tree_head::inclusion,
};

/// A log that is asked as RFC 6962 section 4 says.
pub(crate) struct Rfc6962Log<'a> {
    log: &'a Client,
    origin: &'a str,
    key: &'a LogKey,
}

impl<'a> Rfc6962Log<'a> {
    pub(crate) fn new(log: &'a Client, origin: &'a str, key: &'a LogKey) -> Self {
        Self { log, origin, key }
    }

    fn ask<T: DeserializeOwned>(&self, what: &str, with: &[(&str, &str)]) -> Result<T, Error> {
        let mut path = format!("/ct/v1/{what}");
        if !with.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(with)
                .finish();
            path = format!("{path}?{query}");
        }
        self.log.json(&path)
    }
}

impl Prove for Rfc6962Log<'_> {
    fn head(&self) -> Result<TreeHead, Error> {
        let answer: SignedTreeHead = self.ask("get-sth", &[])?;
        let note = answer
            .to_note(self.origin, self.key)
            .ok_or_else(|| inclusion(NoteError::Malformed))?;
        TreeHead::verify(note.as_bytes(), Some(self.origin), self.key).map_err(inclusion)
    }

    fn inclusion(
        &self,
        head: &TreeHead,
        verified: &Verified,
    ) -> Result<Option<InclusionProof>, Error> {
        let size = head.checkpoint().size();
        if size == 0 {
            return Ok(None);
        }
        let timestamp = &verified.timestamp;
        let entry = verified.precertificate.entry();
        let leaf = leaf_hash(entry, timestamp.timestamp(), timestamp.extensions());
        let with = [
            ("hash", &*BASE64_STANDARD.encode(leaf)),
            ("tree_size", &*size.to_string()),
        ];
        let answer: Option<AuditProof> = match self.ask("get-proof-by-hash", &with) {
            Err(Error::Refused { status: 404, .. }) => None,
            other => Some(other?),
        };
        let Some(answer) = answer else {
            return Ok(None);
        };
        Ok(Some(InclusionProof {
            index: answer.leaf_index,
            size,
            path: nodes(&answer.audit_path).ok_or_else(|| inclusion(reader::Error::Proof))?,
        }))
    }

    fn consistency(&self, old: &TreeHead, new: &TreeHead) -> Result<ConsistencyProof, Error> {
        let (old_size, new_size) = (old.checkpoint().size(), new.checkpoint().size());
        let with = [
            ("first", &*old_size.to_string()),
            ("second", &*new_size.to_string()),
        ];
        let answer: Consistency = self.ask("get-sth-consistency", &with)?;
        let path = nodes(&answer.consistency).ok_or(Error::Consistency {
            size: old_size,
            source: reader::Error::Proof,
        })?;
        Ok(ConsistencyProof {
            old_size,
            new_size,
            path,
        })
    }
}

/// The answer of section 4.3.
#[derive(Deserialize)]
struct SignedTreeHead {
    tree_size: u64,
    timestamp: u64,
    sha256_root_hash: String,
    tree_head_signature: String,
}

/// The answer of section 4.5.
#[derive(Deserialize)]
struct AuditProof {
    leaf_index: u64,
    /// `null` is what Go makes of an empty list.
    audit_path: Option<Vec<String>>,
}

/// The answer of section 4.4.
#[derive(Deserialize)]
struct Consistency {
    consistency: Option<Vec<String>>,
}

impl SignedTreeHead {
    /// The same as a signed note: `RFC6962NoteSignature` of c2sp.org/static-ct-api.
    fn to_note(&self, origin: &str, key: &LogKey) -> Option<String> {
        let root = BASE64_STANDARD.encode(hash(&self.sha256_root_hash)?);
        let mut named = format!("{origin}\n").into_bytes();
        named.push(RFC6962_NOTE);
        named.extend(key.id());
        let mut signature = sha256(&named)[..4].to_vec();
        signature.extend(self.timestamp.to_be_bytes());
        signature.extend(BASE64_STANDARD.decode(&self.tree_head_signature).ok()?);
        let signature = BASE64_STANDARD.encode(signature);
        let size = self.tree_size;
        Some(format!(
            "{origin}\n{size}\n{root}\n\n\u{2014} {origin} {signature}\n"
        ))
    }
}

fn nodes(path: &Option<Vec<String>>) -> Option<Vec<Hash>> {
    path.iter().flatten().map(|node| hash(node)).collect()
}

/// The type of such a signature.
const RFC6962_NOTE: u8 = 0x05;
