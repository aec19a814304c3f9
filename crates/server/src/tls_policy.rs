use core::{fmt, str::FromStr};
use std::sync::Arc;

use rustls::{
    SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    version::{TLS12, TLS13},
};

use crate::TlsError;

/// Which versions of TLS and which cipher suites a server takes.
///
/// The default is TLS 1.3 with all its suites, as Fulcio's gRPC has it.
#[derive(Clone)]
pub struct TlsPolicy {
    provider: Arc<CryptoProvider>,
    versions: &'static [&'static SupportedProtocolVersion],
}

/// A version of TLS that can be asked for as the lowest. It is read from `1.2` or `1.3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// RFC 5246.
    V1_2,
    /// RFC 8446.
    #[default]
    V1_3,
}

impl TlsPolicy {
    /// Takes `lowest` and later versions, with the suites that are named as Go's crypto/tls names them.
    ///
    /// Without names, all suites are taken. With names, TLS 1.2 is left with those of its suites that are
    /// named, and is not taken when none of them is; TLS 1.3 is left with those of its suites that are named,
    /// and keeps all when none of them is, because lists that were written for Go name none.
    ///
    /// # Errors
    /// A name is none of a suite that this server has; the error lists those.
    pub fn new<'a>(
        lowest: TlsVersion,
        suites: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, TlsError> {
        let mut provider = aws_lc_rs::default_provider();
        let mut named = Vec::new();
        for name in suites {
            let suite = provider
                .cipher_suites
                .iter()
                .find(|suite| go_name(suite) == name.trim());
            named.push(*suite.ok_or_else(|| TlsError::Suite {
                name: name.trim().to_owned(),
                known: provider.cipher_suites.iter().map(go_name).collect(),
            })?);
        }
        let mut with_1_2 = lowest == TlsVersion::V1_2;
        if !named.is_empty() {
            let names = |version| named.iter().any(|suite| suite.version().version == version);
            let all_of_1_3 = !names(TLS13.version);
            with_1_2 &= names(TLS12.version);
            provider.cipher_suites.retain(|suite| {
                named.contains(suite) || (all_of_1_3 && suite.version().version == TLS13.version)
            });
        }
        Ok(Self {
            provider: Arc::new(provider),
            versions: if with_1_2 { WITH_1_2 } else { ONLY_1_3 },
        })
    }

    /// The names of all suites that this server has, as Go's crypto/tls names them.
    #[must_use]
    pub fn suites() -> Vec<String> {
        let provider = aws_lc_rs::default_provider();
        provider.cipher_suites.iter().map(go_name).collect()
    }

    pub(crate) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    pub(crate) fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        self.versions
    }
}

static WITH_1_2: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
static ONLY_1_3: &[&SupportedProtocolVersion] = &[&TLS13];

impl Default for TlsPolicy {
    fn default() -> Self {
        Self {
            provider: Arc::new(aws_lc_rs::default_provider()),
            versions: ONLY_1_3,
        }
    }
}

impl fmt::Debug for TlsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPolicy")
            .field("suites", &self.provider.cipher_suites)
            .field("versions", &self.versions)
            .finish()
    }
}

impl FromStr for TlsVersion {
    type Err = TlsError;

    fn from_str(text: &str) -> Result<Self, TlsError> {
        match text {
            "1.2" => Ok(Self::V1_2),
            "1.3" => Ok(Self::V1_3),
            _ => Err(TlsError::Version {
                given: text.to_owned(),
            }),
        }
    }
}

/// The name that IANA registered, which is Go's; rustls spells those of TLS 1.3 in its own way.
fn go_name(suite: &SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replacen("TLS13_", "TLS_", 1)
}
