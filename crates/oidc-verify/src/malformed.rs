use base64::DecodeError;

/// What is wrong with the form of a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A part is not unpadded base64url (RFC 7515 §2).
    #[error("the {part} is not unpadded base64url")]
    Base64 {
        /// Header, payload or signature.
        part: &'static str,
        /// Where it breaks.
        source: DecodeError,
    },
    /// The payload is not an object of claims, a claim stands in it twice, or a registered claim
    /// has the wrong type.
    #[error("the payload is not a set of claims")]
    Claims(#[source] serde_json::Error),
    /// A distributed claim (OpenID Connect Core §5.6.2) names no source.
    #[error("a distributed claim has no source")]
    ClaimSource,
    /// The header has `crit`, and no extension is understood (RFC 7515 §4.1.11).
    #[error("the header has critical extensions")]
    Critical,
    /// The header brings a key along (`jwk`, `x5c`, RFC 7515 §4.1.3 and §4.1.6); keys come from the
    /// issuer alone.
    #[error("the header brings a key along")]
    EmbeddedKey,
    /// The header is not an object, or one of its parameters has the wrong type.
    #[error("the header is not a set of parameters")]
    Header(#[source] serde_json::Error),
    /// There are not exactly three parts (RFC 7515 §7.1).
    #[error("a token has three parts")]
    Parts,
    /// It is longer than a token may be.
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// There are more values in the header or the payload than there may be.
    #[error("there are more than {limit} values in a part of the token")]
    TooManyValues {
        /// How many there may be.
        limit: usize,
    },
    /// The payload is said to be signed without its encoding (RFC 7797).
    #[error("the payload is unencoded")]
    Unencoded,
    /// `alg` is none of ours; `none` and the HMAC algorithms end here.
    #[error("the algorithm is none that is accepted")]
    UnknownAlgorithm,
}

impl Malformed {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::UnknownAlgorithm => "algorithm",
            Self::Base64 { .. }
            | Self::Claims(_)
            | Self::ClaimSource
            | Self::Critical
            | Self::EmbeddedKey
            | Self::Header(_)
            | Self::Parts
            | Self::TooLong { .. }
            | Self::TooManyValues { .. }
            | Self::Unencoded => "malformed",
        }
    }
}
