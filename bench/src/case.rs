use core::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is asked for, and what of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) curve: Curve,
    pub(crate) log: Log,
    pub(crate) api: Api,
    pub(crate) proof: ProofKind,
    pub(crate) token: TokenKind,
}

/// The curve of the issuing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Curve {
    P256,
    P384,
}

/// Where certificates are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Log {
    /// In our server, on disk; Fulcio, which has none, uses the log behind a URL.
    Embedded,
    /// CTFE behind a URL; its timestamps are verified.
    External,
    None,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Api {
    Grpc,
    V1,
    V2,
}

/// How possession of the client's P-256 key is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProofKind {
    Challenge,
    Csr,
}

/// The algorithm of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenKind {
    Es256,
    Rs256,
}

impl Case {
    /// Without a log, over HTTP v2, with an RS256 token and a signed challenge.
    pub(crate) const fn new(curve: Curve) -> Self {
        Self {
            curve,
            log: Log::None,
            api: Api::V2,
            proof: ProofKind::Challenge,
            token: TokenKind::Rs256,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.curve {
            Curve::P256 => "P-256, ",
            Curve::P384 => "P-384, ",
        })?;
        f.write_str(match self.log {
            Log::Embedded => "embedded log, ",
            Log::External => "external log, ",
            Log::None => "no log, ",
        })?;
        f.write_str(match self.api {
            Api::Grpc => "gRPC",
            Api::V1 => "HTTP v1",
            Api::V2 => "HTTP v2",
        })?;
        if self.proof == ProofKind::Csr {
            f.write_str(", CSR")?;
        }
        if self.token == TokenKind::Es256 {
            f.write_str(", ES256")?;
        }
        Ok(())
    }
}
