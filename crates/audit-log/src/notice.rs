use serde::Serialize;

use crate::Digest;

/// What a trail says of itself, between what it says of requests.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Notice<'a> {
    /// A file begins.
    File {
        format: &'static str,
        node: &'a str,
        /// Files before it.
        file: u64,
    },
    /// Records could not be kept, from the first to the last of these moments.
    Lost {
        from: String,
        to: String,
        abandoned: u64,
        issued: u64,
        refused: u64,
    },
    /// A server began to write.
    Started {
        version: &'static str,
        sync: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        torn: Option<Torn>,
    },
    /// A server ended as it should.
    Stopped {},
}

/// The bytes after the last whole line that a crash left behind.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Torn {
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
    /// The file in which they are kept.
    pub(crate) kept: String,
}

/// A notice at its moment.
#[derive(Serialize)]
pub(crate) struct Timed<'a> {
    pub(crate) time: String,
    #[serde(flatten)]
    pub(crate) notice: &'a Notice<'a>,
}

/// The format of the files.
pub(crate) const FORMAT: &str = "fulcio-audit-log/1";
