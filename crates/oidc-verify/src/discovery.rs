use core::fmt;
use std::collections::HashSet;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::Value;

use crate::{Algorithm, AlgorithmSet, letter_case::same_but_for_case};

/// What is used of an issuer's discovery document (OpenID Connect Discovery 1.0 §3).
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    pub(crate) key_set_url: String,
    pub(crate) algorithms: AlgorithmSet,
}

/// Why a discovery document cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// Its `issuer` is not the configured one.
    #[error("the document is of the issuer {found:?}")]
    Issuer {
        /// What it says.
        found: String,
    },
    /// It is not JSON, one of its members has the wrong type, or is there twice or in another case
    /// than its name.
    #[error("the document cannot be read")]
    Json(#[source] serde_json::Error),
    /// Its `jwks_uri` is absent or no URL, is neither http nor https, or is plain http below an https
    /// issuer.
    #[error("the key set is at {url:?}, which is not fetched")]
    KeySetUrl {
        /// What it says.
        url: String,
    },
}

impl Discovery {
    /// Where an issuer's document is (§4.1): one slash at its end is dropped.
    pub(crate) fn url(issuer: &str) -> String {
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        format!("{base}/.well-known/openid-configuration")
    }

    /// Reads the document that came from [`url`](Self::url) of `issuer`.
    pub(crate) fn parse(json: &[u8], issuer: &str) -> Result<Self, DiscoveryError> {
        let document: Document = serde_json::from_slice(json).map_err(DiscoveryError::Json)?;
        if document.issuer != issuer {
            return Err(DiscoveryError::Issuer {
                found: document.issuer,
            });
        }
        if !is_fetched(&document.key_set_url, issuer) {
            return Err(DiscoveryError::KeySetUrl {
                url: document.key_set_url,
            });
        }
        let known: AlgorithmSet = (document.algorithms.iter().flatten())
            .filter_map(|name| Algorithm::from_name(name))
            .collect();
        Ok(Self {
            key_set_url: document.key_set_url,
            algorithms: if known.is_empty() {
                AlgorithmSet::RS256
            } else {
                known
            },
        })
    }
}

/// Whether the keys of `issuer` may be at `url`: as Go reads it, which repairs nothing.
fn is_fetched(url: &str, issuer: &str) -> bool {
    let Ok(url) = fulcio_go_url::Url::parse(url) else {
        return false;
    };
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => !issuer.starts_with("https:"),
        _ => false,
    };
    is_safe && !url.hostname().is_empty()
}

/// The members that Fulcio's verifier decodes, by its rules: `null` is as good as absent, and a wrong
/// type refuses the document even where the value is not used. What it also takes, names in another
/// case and names that stand there twice, is refused instead.
#[derive(Default)]
struct Document {
    issuer: String,
    key_set_url: String,
    algorithms: Vec<Option<String>>,
}

const ALGORITHMS: &str = "id_token_signing_alg_values_supported";
const ISSUER: &str = "issuer";
const KEY_SET_URL: &str = "jwks_uri";
const UNUSED: [&str; 4] = [
    "authorization_endpoint",
    "device_authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
];

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of provider metadata")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let read = [ISSUER, KEY_SET_URL, ALGORITHMS].into_iter().chain(UNUSED);
        let mut document = Document::default();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let Some(known) = read.clone().find(|known| same_but_for_case(known, &name)) else {
                // Not merely passed over, which would follow any nesting.
                map.next_value::<Value>()?;
                continue;
            };
            if known != name {
                return Err(A::Error::custom("a member is written in another case"));
            }
            if !seen.insert(known) {
                return Err(A::Error::custom("a member stands there twice"));
            }
            match known {
                ALGORITHMS => {
                    document.algorithms = map.next_value::<Option<_>>()?.unwrap_or_default();
                }
                ISSUER => document.issuer = text(&mut map)?,
                KEY_SET_URL => document.key_set_url = text(&mut map)?,
                _ => _ = text(&mut map)?,
            }
        }
        Ok(document)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    Ok(map.next_value::<Option<String>>()?.unwrap_or_default())
}
