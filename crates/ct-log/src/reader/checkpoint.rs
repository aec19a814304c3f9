use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_client::{DigitallySigned, LogKey, SignatureScheme};

use crate::{
    key::SigningKey,
    leaf::{Hash, sha256},
    tile::MAX_SIZE,
};

/// What a log says that its tree is: a signed tree head in the form of c2sp.org/tlog-checkpoint,
/// with the signature of c2sp.org/static-ct-api.
///
/// Only [`verify`](Self::verify) makes one, so the log's key has signed size, root and timestamp.
/// The origin is not covered by that signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    timestamp: u64,
}

impl Checkpoint {
    /// Reads the note of the log that is called `origin` and signs with `key`.
    ///
    /// Signatures of others are ignored, as c2sp.org/signed-note demands.
    ///
    /// # Errors
    ///
    /// The note is malformed, is another log's, or is not signed by the key.
    pub fn verify(note: &[u8], origin: &str, key: &LogKey) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE {
            return Err(NoteError::Malformed);
        }
        let note = str::from_utf8(note).map_err(|_| NoteError::Malformed)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let (size, root) = parse_text(text, origin)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let mut found = None;
        for line in signatures.split('\n') {
            let (name, signature) = parse_signature(line).ok_or(NoteError::Malformed)?;
            let Some(signature) = signature.strip_prefix(&key_id(origin, key)) else {
                continue;
            };
            if name != origin {
                continue;
            }
            let (timestamp, signed) = parse_tree_head(signature).ok_or(NoteError::Signature)?;
            key.verify(&tree_head(timestamp, size, &root), &signed)
                .map_err(|_| NoteError::Signature)?;
            found = found.or(Some(timestamp));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            timestamp: found.ok_or(NoteError::Unsigned)?,
        })
    }

    /// Signs the head of a tree; gives the note beside it.
    pub(crate) fn sign(
        origin: &str,
        size: u64,
        root: Hash,
        timestamp: u64,
        key: &SigningKey,
    ) -> Result<(Self, String), crate::Error> {
        let signed = key.sign(&tree_head(timestamp, size, &root))?;
        let mut signature = key_id(origin, key.public()).to_vec();
        signature.extend(timestamp.to_be_bytes());
        signature.extend(signed.scheme.0);
        let length = u16::try_from(signed.signature.len()).map_err(|_| crate::Error::Sign)?;
        signature.extend(length.to_be_bytes());
        signature.extend(&signed.signature);
        let note = format!(
            "{origin}\n{size}\n{}\n\n{DASH}{origin} {}\n",
            STANDARD.encode(root),
            STANDARD.encode(signature),
        );
        let checkpoint = Self {
            origin: origin.to_owned(),
            size,
            root,
            timestamp,
        };
        Ok((checkpoint, note))
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Entries in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The Merkle tree hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root
    }

    /// When it was signed, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }
}

/// Why a note is not a checkpoint of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is not a signed note, or its text is not a checkpoint.
    #[error("the checkpoint is malformed")]
    Malformed,
    /// It names another log.
    #[error("the checkpoint is another log's")]
    Origin,
    /// It has a signature of the log's key that does not verify.
    #[error("the checkpoint's signature does not verify")]
    Signature,
    /// It has no signature of the log's key.
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
}

/// Whether a log can have this name: a key name of c2sp.org/signed-note that looks like a
/// schema-less URL without a slash at its end.
pub(crate) fn is_origin(origin: &str) -> bool {
    !origin.is_empty()
        && origin.len() <= 255
        && !origin.ends_with('/')
        && !origin.contains("://")
        && origin
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

fn parse_text(text: &str, origin: &str) -> Result<(u64, Hash), NoteError> {
    let mut lines = text.split('\n');
    let (Some(name), Some(size), Some(root), None) =
        (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(NoteError::Malformed);
    };
    if name != origin {
        return Err(NoteError::Origin);
    }
    let number: u64 = size.parse().map_err(|_| NoteError::Malformed)?;
    if number > MAX_SIZE || number.to_string() != size {
        return Err(NoteError::Malformed);
    }
    let root = STANDARD.decode(root).map_err(|_| NoteError::Malformed)?;
    let root = root.try_into().map_err(|_| NoteError::Malformed)?;
    Ok((number, root))
}

fn parse_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    (!name.is_empty() && signature.len() > 4).then_some((name, signature))
}

/// `RFC6962NoteSignature` of static-ct-api.
fn parse_tree_head(signature: &[u8]) -> Option<(u64, DigitallySigned)> {
    let (timestamp, rest) = signature.split_first_chunk()?;
    let (scheme, rest) = rest.split_first_chunk()?;
    let (length, signature) = rest.split_first_chunk()?;
    let signed = DigitallySigned {
        scheme: SignatureScheme(*scheme),
        signature: signature.to_vec(),
    };
    let complete = usize::from(u16::from_be_bytes(*length)) == signature.len();
    complete.then_some((u64::from_be_bytes(*timestamp), signed))
}

/// What is signed: `TreeHeadSignature` of RFC 6962, section 3.5.
fn tree_head(timestamp: u64, size: u64, root: &Hash) -> Vec<u8> {
    let mut out = vec![VERSION, TREE_HASH];
    out.extend(timestamp.to_be_bytes());
    out.extend(size.to_be_bytes());
    out.extend(root);
    out
}

fn key_id(origin: &str, key: &LogKey) -> [u8; 4] {
    let mut named = format!("{origin}\n").into_bytes();
    named.push(RFC6962_NOTE);
    named.extend(key.id());
    let [a, b, c, d, ..] = sha256(&named);
    [a, b, c, d]
}

const DASH: &str = "\u{2014} ";
const RFC6962_NOTE: u8 = 0x05;
const VERSION: u8 = 0;
const TREE_HASH: u8 = 1;

/// Room for sixteen signatures of the longest kind, in bytes.
const MAX_NOTE: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ORIGIN: &str = "log.example.com/test";

    fn signed() -> (LogKey, String) {
        let (key, _) = SigningKey::generate().expect("a key");
        let (_, note) = Checkpoint::sign(ORIGIN, 7, [3; 32], 99, &key).expect("a signature");
        (key.public().clone(), note)
    }

    #[test]
    fn verifies_what_it_signs_and_ignores_other_signatures() {
        let (key, note) = signed();
        let checkpoint = Checkpoint::verify(note.as_bytes(), ORIGIN, &key).expect("signed");
        assert_eq!(checkpoint.size(), 7);
        assert_eq!(checkpoint.root(), [3; 32]);
        assert_eq!(checkpoint.timestamp(), 99);
        let other = STANDARD.encode([1; 70]);
        let cosigned = format!("{note}{DASH}witness.example.com {other}\n{DASH}{ORIGIN} {other}\n");
        assert_eq!(
            Checkpoint::verify(cosigned.as_bytes(), ORIGIN, &key),
            Ok(checkpoint)
        );
    }

    #[test]
    fn refuses_a_note_with_anything_changed() {
        let (key, note) = signed();
        let verify = |note: &str| Checkpoint::verify(note.as_bytes(), ORIGIN, &key);
        assert_eq!(
            verify(&note.replace("\n7\n", "\n8\n")),
            Err(NoteError::Signature)
        );
        assert_eq!(
            verify(&note.replace("\n7\n", "\n07\n")),
            Err(NoteError::Malformed)
        );
        assert_eq!(
            verify(&note.replace("\n\n", "\nextra\n\n")),
            Err(NoteError::Malformed)
        );
        assert_eq!(
            verify(&note.replace('\n', "\r\n")),
            Err(NoteError::Malformed)
        );
        assert_eq!(
            verify(&note.replacen("log.", "lag.", 1)),
            Err(NoteError::Origin)
        );
        assert_eq!(verify(note.trim_end()), Err(NoteError::Malformed));
        let elsewhere = note.replace(&format!("{DASH}log"), &format!("{DASH}lag"));
        assert_eq!(verify(&elsewhere), Err(NoteError::Unsigned));
        let (other, _) = signed();
        assert_eq!(
            Checkpoint::verify(note.as_bytes(), ORIGIN, &other),
            Err(NoteError::Unsigned)
        );
    }

    proptest! {
        #[test]
        fn never_accepts_a_note_with_a_byte_changed(at in 0usize..250, to: u8) {
            let (key, note) = signed();
            let mut changed = note.clone().into_bytes();
            if let Some(byte) = changed.get_mut(at) {
                *byte = to;
            }
            let checkpoint = Checkpoint::verify(&changed, ORIGIN, &key);
            prop_assert_eq!(checkpoint.is_ok(), changed == note.as_bytes());
        }
    }
}
