use core::fmt;
use std::collections::HashSet;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};

use crate::{Algorithm, Malformed};

/// What is used of a token's header (RFC 7515 §4.1).
///
/// A token that brings a key along (`jwk`, `x5c`) is refused; what it points at (`jku`, `x5u`) is
/// not looked at.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
}

impl Header {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Malformed> {
        let parameters: Parameters = serde_json::from_slice(json).map_err(Malformed::Header)?;
        if parameters.critical {
            return Err(Malformed::Critical);
        }
        if parameters.key {
            return Err(Malformed::EmbeddedKey);
        }
        if parameters.unencoded {
            return Err(Malformed::Unencoded);
        }
        Ok(Self {
            algorithm: parameters
                .algorithm
                .as_deref()
                .and_then(Algorithm::from_name)
                .ok_or(Malformed::UnknownAlgorithm)?,
            key_id: parameters.key_id.filter(|id| !id.is_empty()),
        })
    }
}

/// The header as it is written; a parameter that stands there twice is an error.
#[derive(Default)]
struct Parameters {
    algorithm: Option<String>,
    critical: bool,
    key: bool,
    key_id: Option<String>,
    unencoded: bool,
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParametersVisitor)
    }
}

struct ParametersVisitor;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = Parameters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of header parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
        let mut header = Parameters::default();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "alg" => header.algorithm = Some(map.next_value()?),
                "b64" => header.unencoded = !map.next_value::<bool>()?,
                "crit" => {
                    map.next_value::<IgnoredAny>()?;
                    header.critical = true;
                }
                "jwk" | "x5c" => {
                    map.next_value::<IgnoredAny>()?;
                    header.key = true;
                }
                "kid" => header.key_id = map.next_value()?,
                // Read for its type alone, which Fulcio insists on.
                "nonce" => _ = map.next_value::<Option<String>>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if !seen.insert(name) {
                return Err(A::Error::custom("a parameter stands there twice"));
            }
        }
        Ok(header)
    }
}
