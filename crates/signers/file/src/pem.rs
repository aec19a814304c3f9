//! What is between BEGIN and END in a key file (RFC 7468).

use pem_rfc7468::Decoder;
use zeroize::Zeroizing;

use crate::{KeyError, legacy::Encryption};

/// The first private key of a file, as it is written there.
pub(crate) struct KeyBlock {
    pub(crate) kind: KeyKind,
    /// How `der` is encrypted, where headers in the block say that it is.
    pub(crate) legacy: Option<Encryption>,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    EncryptedPkcs8,
    Pkcs1,
    Pkcs8,
    Sec1,
    /// The bytes are JSON, not DER.
    Sigstore,
}

impl KeyBlock {
    pub(crate) fn first(text: &[u8]) -> Result<Self, KeyError> {
        let mut rest = text;
        let mut found = None;
        while let Some((label, start)) = next_begin(rest) {
            let end = format!("-----END {label}-----");
            let length = find(start, end.as_bytes()).ok_or(UNTERMINATED)? + end.len();
            let (block, after) = start.split_at(length);
            if let Some(kind) = kind(label)? {
                let (legacy, rest) = Encryption::split(block)?;
                return Ok(Self {
                    kind,
                    legacy,
                    der: decode(&rest)?,
                });
            }
            found.get_or_insert_with(|| label.to_owned());
            rest = after;
        }
        Err(KeyError::NotAKey { found })
    }
}

/// The label of the next block, and everything from its BEGIN line on.
fn next_begin(text: &[u8]) -> Option<(&str, &[u8])> {
    let start = &text[find(text, BEGIN)?..];
    let after = &start[BEGIN.len()..];
    let line = &after[..find(after, b"\n").unwrap_or(after.len())];
    let label = &line[..find(line, b"-----")?];
    Some((core::str::from_utf8(label).ok()?, start))
}

/// `None` for a block that is not a private key.
fn kind(label: &str) -> Result<Option<KeyKind>, KeyError> {
    Ok(match label {
        "EC PRIVATE KEY" => Some(KeyKind::Sec1),
        "ENCRYPTED PRIVATE KEY" => Some(KeyKind::EncryptedPkcs8),
        "PRIVATE KEY" => Some(KeyKind::Pkcs8),
        "RSA PRIVATE KEY" => Some(KeyKind::Pkcs1),
        "ENCRYPTED COSIGN PRIVATE KEY" | "ENCRYPTED SIGSTORE PRIVATE KEY" => {
            Some(KeyKind::Sigstore)
        }
        "DSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => {
            let kind = label.to_owned();
            return Err(KeyError::Unsupported { kind });
        }
        _ => None,
    })
}

fn decode(block: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut decoder = Decoder::new_detect_wrap(block).map_err(|_line| NOT_BASE64)?;
    // As much as is needed at once: a vector that grows leaves copies behind.
    let mut der = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder
        .decode_to_end(&mut der)
        .map_err(|_line| NOT_BASE64)?;
    Ok(der)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const NOT_BASE64: KeyError = KeyError::Malformed {
    reason: "the lines between BEGIN and END are not base64",
};
const UNTERMINATED: KeyError = KeyError::Malformed {
    reason: "its END line is missing",
};
