use core::fmt;

use crate::{Error, Url, quote};

/// A URI that a certificate can name (RFC 5280 section 4.2.1.6), by the judgement of Go's
/// `crypto/x509`: ASCII, a URL, and a host, port included, that could be a domain name.
///
/// Go refuses a certificate, and a request for one, that names another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateUri(String);

/// Why no certificate can name a URI, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateUriError {
    /// The host ends in a dot, has an empty label, or holds what no host name can.
    #[error("x509: cannot parse URI {}: invalid domain", quote(.0.as_bytes()))]
    Domain(String),
    /// It is not ASCII.
    #[error("x509: {} cannot be encoded as an IA5String", quote(.0.as_bytes()))]
    NotAscii(String),
    /// It is no URL.
    #[error("x509: cannot parse URI {}: {source}", quote(.uri.as_bytes()))]
    Url {
        /// The URI.
        uri: String,
        /// Why not.
        source: Error,
    },
}

impl CertificateUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// No certificate can name it.
    pub fn parse(text: &str) -> Result<Self, CertificateUriError> {
        if !text.is_ascii() {
            return Err(CertificateUriError::NotAscii(text.to_owned()));
        }
        let url = Url::parse(text).map_err(|source| CertificateUriError::Url {
            uri: text.to_owned(),
            source,
        })?;
        if !is_domain(url.host()) {
            return Err(CertificateUriError::Domain(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI, unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URI, unchanged.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for CertificateUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Labels of visible ASCII with single dots between them, or nothing at all.
fn is_domain(host: &[u8]) -> bool {
    let is_label = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_graphic);
    host.is_empty() || host.split(|b| *b == b'.').all(is_label)
}
