use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_client::{DigitallySigned, LogKey, SignatureScheme};

use crate::{
    identity::Identity,
    leaf::{Hash, sha256},
    note_key::NoteVerifier,
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
        let (text, signatures) = split(note)?;
        let (size, root) = parse_text(text, origin)?;
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
        identity: &Identity,
        size: u64,
        root: Hash,
        timestamp: u64,
    ) -> Result<(Self, String), crate::Error> {
        let Identity { origin, key, note } = identity;
        let signed = key.sign(&tree_head(timestamp, size, &root))?;
        let mut signature = key_id(origin, key.public()).to_vec();
        signature.extend(timestamp.to_be_bytes());
        signature.extend(signed.scheme.0);
        let length = u16::try_from(signed.signature.len()).map_err(|_| crate::Error::Sign)?;
        signature.extend(length.to_be_bytes());
        signature.extend(&signed.signature);
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
        let second = note.as_ref().map(|note| note.sign(origin, &text));
        let mut signatures = String::new();
        for signature in core::iter::once(signature).chain(second) {
            signatures += &format!("{DASH}{origin} {}\n", STANDARD.encode(signature));
        }
        let note = format!("{text}\n{signatures}");
        let checkpoint = Self {
            origin: origin.clone(),
            size,
            root,
            timestamp,
        };
        Ok((checkpoint, note))
    }

    /// Size and root of a note that is not known to be signed by anybody.
    pub(crate) fn unverified(note: &[u8], origin: &str) -> Result<(u64, Hash), NoteError> {
        let (text, _) = split(note)?;
        parse_text(text, origin)
    }

    /// Whether the signature by `verifier` verifies, if the note has one.
    pub(crate) fn second_signature(
        note: &[u8],
        origin: &str,
        verifier: &NoteVerifier,
    ) -> Option<bool> {
        let (text, signatures) = split(note).ok()?;
        let mut signatures = signatures.lines().filter_map(parse_signature);
        let (_, signature) = signatures.find(|(name, signature)| {
            *name == origin && signature.starts_with(&verifier.id(origin))
        })?;
        Some(verifier.verifies(origin, &format!("{text}\n"), &signature))
    }

    /// Whether the note has a signature in the name of the log that is not by its key.
    pub(crate) fn has_second_signature(note: &[u8], origin: &str, key: &LogKey) -> bool {
        let own = key_id(origin, key);
        split(note).is_ok_and(|(_, signatures)| {
            let mut signatures = signatures.lines().filter_map(parse_signature);
            signatures.any(|(name, signature)| name == origin && !signature.starts_with(&own))
        })
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

/// The text of a note without the end of its last line, and its signatures likewise.
fn split(note: &[u8]) -> Result<(&str, &str), NoteError> {
    if note.len() > MAX_NOTE {
        return Err(NoteError::Malformed);
    }
    let note = str::from_utf8(note).map_err(|_| NoteError::Malformed)?;
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Malformed);
    }
    let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
    let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
    Ok((text, signatures))
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
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{key::SigningKey, note_key::NoteSigner};

    const ORIGIN: &str = "log.example.com/test";

    fn identity() -> Identity {
        let (key, _) = SigningKey::generate().expect("a key");
        Identity {
            origin: ORIGIN.to_owned(),
            key: Arc::new(key),
            note: None,
        }
    }

    fn signed() -> (LogKey, String) {
        let identity = identity();
        let (_, note) = Checkpoint::sign(&identity, 7, [3; 32], 99).expect("a signature");
        (identity.key.public().clone(), note)
    }

    #[test]
    fn a_second_signature_is_found_and_verified_by_its_own_key() {
        let (signer, _) = NoteSigner::generate().expect("a key");
        let (verifier, mut identity) = (signer.verifier(), identity());
        let (_, once) = Checkpoint::sign(&identity, 7, [3; 32], 99).expect("a signature");
        identity.note = Some(Arc::new(signer));
        let (checkpoint, twice) =
            Checkpoint::sign(&identity, 7, [3; 32], 99).expect("two signatures");
        let second = |note: &str| Checkpoint::second_signature(note.as_bytes(), ORIGIN, &verifier);
        assert_eq!(second(&once), None);
        assert_eq!(second(&twice), Some(true));
        assert_eq!(second(&twice.replacen("\n7\n", "\n8\n", 1)), Some(false));
        let verified = Checkpoint::verify(twice.as_bytes(), ORIGIN, identity.key.public());
        assert_eq!(verified, Ok(checkpoint));
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
