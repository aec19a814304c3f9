use serde::Deserialize;

use crate::Digest;

/// Where a chain is: how many lines it has, and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a place in a chain")]
pub struct Head {
    /// The sequence number of the next line.
    pub next: u64,
    /// The hash of the last line; [`Digest::ZERO`] before the first.
    pub hash: Digest,
}

impl Head {
    /// Before the first line.
    pub const START: Self = Self {
        next: 0,
        hash: Digest::ZERO,
    };

    /// Appends the line that says `body`, a JSON object, and gives the head after it.
    ///
    /// The hash is that of all bytes of the line before `,"hash":`, so nobody needs a canonical form
    /// of JSON to compute it.
    pub(crate) fn append(self, body: &str, lines: &mut Vec<u8>) -> Self {
        let Self { next, hash } = self;
        let body = body.strip_prefix('{').unwrap_or(body);
        let body = body.strip_suffix('}').unwrap_or(body);
        let begin = lines.len();
        lines.extend_from_slice(
            format!("{{\"seq\":{next},\"previous\":\"{hash}\",{body}").as_bytes(),
        );
        let hash = Digest::of(&lines[begin..]);
        lines.extend_from_slice(seal(hash).as_bytes());
        lines.push(b'\n');
        Self {
            next: next + 1,
            hash,
        }
    }
}

/// What every line of a trail has. Its hash was computed, and is the one that it says.
#[derive(Debug, Deserialize)]
pub(crate) struct Line<'a> {
    pub(crate) seq: u64,
    pub(crate) previous: Digest,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    pub(crate) time: &'a str,
    #[serde(skip, default = "zero")]
    pub(crate) hash: Digest,
}

fn zero() -> Digest {
    Digest::ZERO
}

/// Why bytes are not a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadLine {
    /// Its hash is not that of its content.
    Changed,
    /// It has not got the form of a line.
    Malformed,
}

impl<'a> Line<'a> {
    /// Reads a line without the byte that ends it.
    pub(crate) fn read(line: &'a [u8]) -> Result<Self, BadLine> {
        let sealed = line.len().checked_sub(SEAL).ok_or(BadLine::Malformed)?;
        let (content, end) = line.split_at(sealed);
        let has_form = content.starts_with(BEGIN)
            && end.starts_with(SEAL_BEGIN.as_bytes())
            && end.ends_with(SEAL_END.as_bytes());
        if !has_form {
            return Err(BadLine::Malformed);
        }
        let hash = Digest::of(content);
        if end != seal(hash).as_bytes() {
            return Err(BadLine::Changed);
        }
        let read: Self = serde_json::from_slice(line).map_err(|_json| BadLine::Malformed)?;
        Ok(Self { hash, ..read })
    }

    /// The head of the chain that ends with it.
    pub(crate) fn head(&self) -> Head {
        Head {
            next: self.seq + 1,
            hash: self.hash,
        }
    }
}

/// The end of a line with this hash.
fn seal(hash: Digest) -> String {
    format!("{SEAL_BEGIN}{hash}{SEAL_END}")
}

/// How every line begins.
pub(crate) const BEGIN: &[u8] = b"{\"seq\":";
const SEAL_BEGIN: &str = ",\"hash\":\"";
const SEAL_END: &str = "\"}";
const SEAL: usize = SEAL_BEGIN.len() + 64 + SEAL_END.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_has_written() {
        let mut lines = Vec::new();
        let head = Head::START.append(r#"{"time":"t","type":"a"}"#, &mut lines);
        let second = lines.len();
        let end = head.append(r#"{"time":"u","type":"b"}"#, &mut lines);
        let line = Line::read(&lines[second..lines.len() - 1]).unwrap();
        assert_eq!((line.seq, line.previous), (1, head.hash));
        assert_eq!((line.kind, line.time), ("b", "u"));
        assert_eq!(line.head(), end);
    }
}
