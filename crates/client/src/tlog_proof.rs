use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_ct_log::reader::Hash;

/// The lines of a proof as c2sp.org/tlog-proof has them. Nothing in it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlogProof {
    /// What the format leaves to us.
    pub(crate) extra: Option<Vec<u8>>,
    /// The place of the entry.
    pub(crate) index: u64,
    /// The nodes to hash the entry with, the lowest first (RFC 6962 section 2.1.1).
    pub(crate) path: Vec<Hash>,
    /// The signed note (c2sp.org/tlog-checkpoint).
    pub(crate) checkpoint: String,
}

/// Why a file is not a saved proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The certificate in it is not base64.
    #[error("its certificate is not base64")]
    Certificate(#[source] base64::DecodeError),
    /// The extra line does not hold what it should.
    #[error("its extra data are not those of a certificate's proof: {0}")]
    Extra(#[source] serde_json::Error),
    /// A line is not what belongs there.
    #[error("its line {line} is not as c2sp.org/tlog-proof wants it")]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// A node of the proof of consistency is not a hash.
    #[error("its proof of consistency is not made of hashes")]
    Node,
    /// It is longer than a proof can be.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The most bytes that are read.
        limit: usize,
    },
}

impl TlogProof {
    /// Reads the text.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, ProofError> {
        if text.len() > MAX_LEN {
            return Err(ProofError::TooLong { limit: MAX_LEN });
        }
        let mut lines = Lines::of(text)?;
        let (mut extra, mut path) = (None, Vec::new());
        if lines.next()? != HEADING {
            return Err(lines.wrong());
        }
        let mut line = lines.next()?;
        if let Some(data) = line.strip_prefix("extra ") {
            extra = Some(
                BASE64_STANDARD
                    .decode(data)
                    .map_err(|_other| lines.wrong())?,
            );
            line = lines.next()?;
        }
        let index = line
            .strip_prefix("index ")
            .and_then(number)
            .ok_or_else(|| lines.wrong())?;
        loop {
            line = lines.next()?;
            if line.is_empty() {
                break;
            }
            path.push(hash(line).ok_or_else(|| lines.wrong())?);
        }
        Ok(Self {
            extra,
            index,
            path,
            checkpoint: lines.rest.to_owned(),
        })
    }

    /// Writes the text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{HEADING}\n");
        if let Some(extra) = &self.extra {
            text += &format!("extra {}\n", BASE64_STANDARD.encode(extra));
        }
        text += &format!("index {}\n", self.index);
        for node in &self.path {
            text += &format!("{}\n", BASE64_STANDARD.encode(node));
        }
        text + "\n" + &self.checkpoint
    }
}

/// A hash as such proofs write it.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

/// Whether a file says that it is such a proof.
pub(crate) fn is_tlog_proof(text: &[u8]) -> bool {
    text.starts_with(HEADING.as_bytes())
}

struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Result<Self, ProofError> {
        let rest = str::from_utf8(text).map_err(|error| {
            let before = &text[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            ProofError::Line { line }
        })?;
        Ok(Self { rest, number: 0 })
    }

    fn next(&mut self) -> Result<&'a str, ProofError> {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or_else(|| self.wrong())?;
        self.rest = rest;
        Ok(line)
    }

    /// The line that was read last is wrong.
    fn wrong(&self) -> ProofError {
        ProofError::Line { line: self.number }
    }
}

/// A decimal number in its one spelling.
fn number(digits: &str) -> Option<u64> {
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(number)
}

const HEADING: &str = "c2sp.org/tlog-proof@v1";

/// Far more than a certificate, two checkpoints and two paths take.
const MAX_LEN: usize = 1 << 20;
