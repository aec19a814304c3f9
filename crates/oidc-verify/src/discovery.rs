use serde::Deserialize;
use url::Url;

use crate::{Algorithm, AlgorithmSet};

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
    /// It is not JSON, or lacks `issuer` or `jwks_uri`.
    #[error("the document cannot be read")]
    Json(#[source] serde_json::Error),
    /// Its `jwks_uri` is neither http nor https, or plain http below an https issuer.
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
        let scheme = Url::parse(&document.jwks_uri).map(|url| url.scheme().to_owned());
        match scheme.as_deref() {
            Ok("https") => {}
            Ok("http") if !issuer.starts_with("https:") => {}
            _ => {
                return Err(DiscoveryError::KeySetUrl {
                    url: document.jwks_uri,
                });
            }
        }
        let known: AlgorithmSet = document
            .id_token_signing_alg_values_supported
            .iter()
            .flatten()
            .filter_map(|name| Algorithm::from_name(name))
            .collect();
        Ok(Self {
            key_set_url: document.jwks_uri,
            algorithms: if known.is_empty() {
                AlgorithmSet::RS256
            } else {
                known
            },
        })
    }
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
}
