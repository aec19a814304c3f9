//! The first PEM block of a text, found as tolerantly as Go's `encoding/pem` finds it: clients of
//! Fulcio send what that reads. RFC 7468 is stricter about lines.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use memchr::{
    memchr,
    memmem::{find, rfind},
};

/// What stands between two lines `-----BEGIN label-----` and `-----END label-----`.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a [u8],
    pub(crate) contents: Vec<u8>,
}

/// The first block that is whole; text before, after and between broken blocks is passed over.
///
/// Lines end with LF or CRLF and may be of any length, or end in spaces. Lines with a colon after
/// the first are headers (RFC 1421) and ignored.
pub(crate) fn first_block(text: &[u8]) -> Option<Block<'_>> {
    let mut from = 0;
    loop {
        let end = from + find(&text[from..], END)?;
        let trailer = end + END.len();
        if let Some(begin) = rfind(&text[from..end], BEGIN).map(|at| from + at)
            && (begin == from || text[begin - 1] == b'\n')
        {
            match block(text, begin + BEGIN.len(), end, trailer) {
                Found::Block(block) => return Some(block),
                Found::Broken => {}
                Found::EndOfText => return None,
            }
        }
        from = trailer;
    }
}

enum Found<'a> {
    Block(Block<'a>),
    Broken,
    EndOfText,
}

/// Reads one block: its label begins at `label`, the line before its end line ends at `end`, and
/// the end line's label begins at `trailer`.
fn block(text: &[u8], label: usize, end: usize, trailer: usize) -> Found<'_> {
    let (line, mut at) = line(text, label);
    let Some(label) = line.strip_suffix(DASHES) else {
        return Found::Broken;
    };
    let mut headers = false;
    loop {
        if at == text.len() {
            return Found::EndOfText;
        }
        let (line, next) = self::line(text, at);
        if !line.contains(&b':') {
            break;
        }
        headers = true;
        at = next;
    }
    if headers && end < at {
        return if trailer < at {
            Found::EndOfText
        } else {
            Found::Broken
        };
    }
    let ends_alike = text[trailer..]
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES))
        .is_some_and(|rest| self::line(rest, 0).0.is_empty());
    if !ends_alike {
        return Found::Broken;
    }
    let lines = &text[at.min(end)..end];
    let mut base64 = Vec::with_capacity(lines.len());
    for part in lines.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
        base64.extend_from_slice(part);
    }
    match BASE64.decode(base64) {
        Ok(contents) => Found::Block(Block { label, contents }),
        Err(_) => Found::Broken,
    }
}

/// The line that begins at `from`, without what ends it, and where the next one begins.
fn line(text: &[u8], from: usize) -> (&[u8], usize) {
    let rest = &text[from..];
    let (line, next) = match memchr(b'\n', rest) {
        Some(end) => {
            let line = &rest[..end];
            (line.strip_suffix(b"\r").unwrap_or(line), from + end + 1)
        }
        None => (rest, text.len()),
    };
    let trimmed = line
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(0, |last| last + 1);
    (&line[..trimmed], next)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// Padding is required, and the bits it leaves over may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);
