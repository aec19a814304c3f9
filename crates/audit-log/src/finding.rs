use core::fmt;
use std::path::PathBuf;

use crate::Digest;

/// What is wrong with a trail, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a place and a problem")]
pub struct Finding {
    /// The file; `None` where it is about no one of them.
    pub file: Option<PathBuf>,
    /// The line in the file, counted from 1.
    pub line: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The first line is not the first of the chain, and it was not said after which it comes.
    Beginning {
        /// Its sequence number.
        seq: u64,
    },
    /// The content of the line is not what its hash was made of.
    Changed,
    /// There is nothing in the files.
    Empty,
    /// A file begins with another line than the one that begins files, or has that one elsewhere.
    FileLine,
    /// It is not a line of a trail.
    Malformed,
    /// Lines are missing before this one.
    Missing {
        /// The sequence number of the first of them.
        from: u64,
        /// The sequence number of the last of them.
        to: u64,
    },
    /// The file is another node's.
    Node {
        /// Whose.
        node: String,
    },
    /// The line stands elsewhere in the chain, or is there twice.
    Order {
        /// Its sequence number.
        seq: u64,
        /// The one that should be here.
        expected: u64,
    },
    /// The chain has another line at the place of a head that was kept elsewhere.
    OtherHead {
        /// The sequence number.
        seq: u64,
        /// The hash of the line that is there.
        hash: Digest,
    },
    /// The line is whole but follows another line than the one before it.
    Unlinked,
    /// The chain does not have the line of a head that was kept elsewhere.
    Unreached {
        /// The sequence number.
        seq: u64,
    },
    /// The file ends within a line.
    Torn {
        /// The bytes after the last whole line.
        bytes: u64,
    },
}

impl Problem {
    /// The word for it; it never changes.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Beginning { .. } => "beginning",
            Self::Changed => "changed",
            Self::Empty => "empty",
            Self::FileLine => "file-line",
            Self::Malformed => "malformed",
            Self::Missing { .. } => "missing",
            Self::Node { .. } => "node",
            Self::Order { .. } => "order",
            Self::OtherHead { .. } => "other-head",
            Self::Unlinked => "unlinked",
            Self::Unreached { .. } => "unreached",
            Self::Torn { .. } => "torn",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning { seq } => write!(
                f,
                "the chain begins with number {seq}: what was before is missing"
            ),
            Self::Changed => f.write_str("the line was changed: its hash is another"),
            Self::Empty => f.write_str("there is no line"),
            Self::FileLine => {
                f.write_str("the line that begins a file is not the first, or the first is another")
            }
            Self::Malformed => f.write_str("it is not a line of an audit log"),
            Self::Missing { from, to } if from == to => {
                write!(f, "number {from} is missing before this line")
            }
            Self::Missing { from, to } => {
                write!(f, "numbers {from} to {to} are missing before this line")
            }
            Self::Node { node } => write!(f, "it is of another node: {node}"),
            Self::Order { seq, expected } => write!(
                f,
                "number {seq} stands where {expected} belongs: it was moved, repeated or put in"
            ),
            Self::OtherHead { seq, hash } => write!(
                f,
                "number {seq} has the hash {hash}, and not the one that was kept elsewhere"
            ),
            Self::Unlinked => f.write_str(
                "it follows another line than the one before it, which was replaced or put in",
            ),
            Self::Unreached { seq } => write!(
                f,
                "number {seq}, whose hash was kept elsewhere, is not there: the end is missing"
            ),
            Self::Torn { bytes } => write!(
                f,
                "{bytes} bytes after the last whole line: cut off, or being written at this moment"
            ),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
        }
        self.problem.fmt(f)
    }
}
