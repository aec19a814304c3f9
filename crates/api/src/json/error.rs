use core::fmt;
use std::error::Error as StdError;

use super::text::{GoByte, GoString};

/// Why a body is not the message it should be.
///
/// `Display` is what the caller is told, word for word what Fulcio's gateway says. Everything
/// quoted in it came from the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Two fields were given of which only one may be.
    AlreadySet {
        /// Where the second one is.
        at: Position,
        /// Its name as it was written, quotes included.
        field: String,
        /// What they exclude each other in.
        oneof: &'static str,
    },
    /// A character where none like it may be.
    Character {
        /// The character's first byte.
        found: u8,
        /// What was being read.
        context: &'static str,
    },
    /// A field was given twice.
    Duplicate {
        /// Where the second one is.
        at: Position,
        /// Its name as it was written, quotes included.
        field: String,
    },
    /// A surrogate escape whose other half does not follow.
    Escape {
        /// Where the string begins.
        at: Position,
        /// What follows instead.
        code: Vec<u8>,
    },
    /// The body ends too early.
    Incomplete,
    /// A message was wanted and something else is there.
    Token {
        /// Where it is.
        at: Position,
        /// What is there.
        token: String,
    },
    /// The body ends where the other half of a surrogate escape should be.
    TruncatedEscape,
    /// A string is not UTF-8.
    Utf8 {
        /// Where it begins.
        at: Position,
    },
    /// A field cannot have this value.
    Value {
        /// Where the value is.
        at: Position,
        /// The protobuf type of the field.
        kind: &'static str,
        /// The field.
        field: &'static str,
        /// The value as it was written.
        value: String,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadySet { at, field, oneof } => write!(
                f,
                "proto: ({at}): error parsing {field}, oneof {oneof} is already set"
            ),
            Self::Character { found, context } => {
                write!(f, "invalid character {} {context}", GoByte(*found))
            }
            Self::Duplicate { at, field } => write!(f, "proto: ({at}): duplicate field {field}"),
            Self::Escape { at, code } => write!(
                f,
                "proto: syntax error ({at}): invalid escape code {} in string",
                GoString(code)
            ),
            Self::Incomplete => f.write_str("unexpected EOF"),
            Self::Token { at, token } => {
                write!(f, "proto: syntax error ({at}): unexpected token {token}")
            }
            Self::TruncatedEscape => f.write_str("proto: unexpected EOF"),
            Self::Utf8 { at } => {
                write!(f, "proto: syntax error ({at}): invalid UTF-8 in string")
            }
            Self::Value {
                at,
                kind,
                field,
                value,
            } => write!(
                f,
                "proto: ({at}): invalid value for {kind} field {field}: {value}"
            ),
        }
    }
}

impl StdError for DecodeError {}

/// A place in a body, counted from the first character of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl Position {
    /// The place of the byte `index` of `input`.
    pub(super) fn of(input: &[u8], index: usize) -> Self {
        let before = &input[..index];
        let line_start = before.iter().rposition(|byte| *byte == b'\n');
        let on_line = &before[line_start.map_or(0, |newline| newline + 1)..];
        let characters: usize = on_line
            .utf8_chunks()
            .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
            .sum();
        Self {
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + characters,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}:{}", self.line, self.column)
    }
}
