use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How a log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Protocol {
    /// `get-sth`, `get-sth-consistency` and `get-entries` of RFC 6962, section 4.
    #[serde(rename = "rfc6962")]
    Rfc6962,
    /// Checkpoint and tiles of c2sp.org/static-ct-api.
    #[serde(rename = "static-ct")]
    StaticCt,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc6962 => "rfc6962",
            Self::StaticCt => "static-ct",
        })
    }
}

impl FromStr for Protocol {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "rfc6962" => Ok(Self::Rfc6962),
            "static-ct" => Ok(Self::StaticCt),
            _ => Err("a log is read as static-ct or as rfc6962"),
        }
    }
}
