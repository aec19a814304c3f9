use crate::{AddressError, quote};

/// Why a text is no URL, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse {}: {cause}", quote(.url.as_bytes()))]
pub struct Error {
    url: String,
    cause: Cause,
}

impl Error {
    pub(crate) fn new(url: &str, cause: Cause) -> Self {
        Self {
            url: url.to_owned(),
            cause,
        }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// Between the brackets of the host is no IPv6 address.
    #[error("invalid host: {0}")]
    Address(AddressError),
    /// A byte below 0x20, or 0x7f.
    #[error("net/url: invalid control character in URL")]
    ControlCharacter,
    /// A `%` without two hexadecimal digits, or an escape where none is allowed.
    #[error("invalid URL escape {}", quote(.0))]
    Escape(Vec<u8>),
    /// A colon in the first segment of a relative path.
    #[error("first path segment in URL cannot contain colon")]
    FirstSegment,
    /// A character that no host has.
    #[error("invalid character {} in host name", quote(&[*.0]))]
    HostCharacter(u8),
    /// Brackets around, or inside, what is no IPv6 address.
    #[error("invalid IP-literal")]
    IpLiteral,
    /// Nothing before the first colon.
    #[error("missing protocol scheme")]
    MissingScheme,
    /// What follows the host is not a port.
    #[error("invalid port {} after host", quote(.0.as_bytes()))]
    Port(String),
    /// A bracket that is not closed.
    #[error("missing ']' in host")]
    UnclosedBracket,
    /// A character that no user information has.
    #[error("net/url: invalid userinfo")]
    UserInfo,
}
