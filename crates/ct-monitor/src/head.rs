use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_client::{DigitallySigned, LogKey, SignatureScheme};
use fulcio_ct_log::reader::{Checkpoint, Hash, NoteError};
use serde::Deserialize;

/// What a log has signed that its tree is; only verifying makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Entries in the tree.
    pub(crate) size: u64,
    /// The Merkle tree hash.
    pub(crate) root: Hash,
    /// When it was signed, in milliseconds since 1970.
    pub(crate) timestamp: u64,
    /// As the log served it.
    pub(crate) raw: String,
}

impl Head {
    /// Reads the checkpoint of a static-ct log.
    pub(crate) fn of_checkpoint(
        raw: String,
        origin: &str,
        key: &LogKey,
    ) -> Result<Self, NoteError> {
        let checkpoint = Checkpoint::verify(raw.as_bytes(), origin, key)?;
        Ok(Self {
            size: checkpoint.size(),
            root: checkpoint.root(),
            timestamp: checkpoint.timestamp(),
            raw,
        })
    }

    /// Reads the answer to `get-sth` (RFC 6962, section 4.3).
    pub(crate) fn of_sth(raw: String, key: &LogKey) -> Result<Self, NoteError> {
        let sth: Sth = serde_json::from_str(&raw).map_err(|_not_a_head| NoteError::Malformed)?;
        let root = hash(&sth.sha256_root_hash).ok_or(NoteError::Malformed)?;
        let signed = STANDARD
            .decode(&sth.tree_head_signature)
            .map_err(|_not_base64| NoteError::Malformed)?;
        let signed = digitally_signed(&signed).ok_or(NoteError::Malformed)?;
        if sth.tree_size > MAX_SIZE {
            return Err(NoteError::Malformed);
        }
        key.verify(&to_be_signed(&sth, &root), &signed)
            .map_err(|_not_its_signature| NoteError::Signature)?;
        Ok(Self {
            size: sth.tree_size,
            root,
            timestamp: sth.timestamp,
            raw,
        })
    }
}

#[derive(Deserialize)]
struct Sth {
    tree_size: u64,
    timestamp: u64,
    sha256_root_hash: String,
    tree_head_signature: String,
}

/// `TreeHeadSignature` of RFC 6962, section 3.5.
fn to_be_signed(sth: &Sth, root: &Hash) -> Vec<u8> {
    let mut out = vec![VERSION, TREE_HASH];
    out.extend(sth.timestamp.to_be_bytes());
    out.extend(sth.tree_size.to_be_bytes());
    out.extend(root);
    out
}

fn digitally_signed(bytes: &[u8]) -> Option<DigitallySigned> {
    let (scheme, rest) = bytes.split_first_chunk()?;
    let (length, signature) = rest.split_first_chunk()?;
    let complete = usize::from(u16::from_be_bytes(*length)) == signature.len();
    complete.then(|| DigitallySigned {
        scheme: SignatureScheme(*scheme),
        signature: signature.to_vec(),
    })
}

/// A digest in base64.
pub(crate) fn hash(base64: &str) -> Option<Hash> {
    STANDARD.decode(base64).ok()?.try_into().ok()
}

const VERSION: u8 = 0;
const TREE_HASH: u8 = 1;

/// The largest tree that is believed; proofs are checked for no larger one.
const MAX_SIZE: u64 = 1 << 40;
