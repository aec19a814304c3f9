use http::Method;
use percent_encoding::percent_decode_str;

/// What is served over HTTP: one method on one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Configuration,
    Description,
    Health,
    LegacyDescription,
    LegacyRootCertificate,
    LegacySigningCertificate,
    Readiness,
    SigningCertificate,
    TrustBundle,
}

impl Endpoint {
    pub(super) const ALL: [Self; 9] = [
        Self::SigningCertificate,
        Self::TrustBundle,
        Self::Configuration,
        Self::Description,
        Self::LegacySigningCertificate,
        Self::LegacyRootCertificate,
        Self::LegacyDescription,
        Self::Health,
        Self::Readiness,
    ];

    /// The endpoint at `path`, however it is escaped and whatever the method.
    pub(super) fn at(path: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        // Hardly anybody escapes it.
        if !path.contains('%') {
            return all.find(|endpoint| endpoint.path() == path);
        }
        let path = percent_decode_str(path);
        all.find(|endpoint| path.clone().eq(endpoint.path().bytes()))
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Configuration => "/api/v2/configuration",
            Self::Description => "/api/v2/openapi.json",
            Self::Health => "/healthz",
            Self::LegacyDescription => "/api/v1/openapi.json",
            Self::LegacyRootCertificate => "/api/v1/rootCert",
            Self::LegacySigningCertificate => "/api/v1/signingCert",
            Self::Readiness => "/readyz",
            Self::SigningCertificate => "/api/v2/signingCert",
            Self::TrustBundle => "/api/v2/trustBundle",
        }
    }

    pub(super) const fn method(self) -> Method {
        match self {
            Self::LegacySigningCertificate | Self::SigningCertificate => Method::POST,
            Self::Configuration
            | Self::Description
            | Self::Health
            | Self::LegacyDescription
            | Self::LegacyRootCertificate
            | Self::Readiness
            | Self::TrustBundle => Method::GET,
        }
    }
}
