/// How methods are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Grpc,
    Http,
}

/// The methods that are counted, by whichever way they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    CreateSigningCertificate,
    GetTrustBundle,
    GetConfiguration,
    LegacyCreateSigningCertificate,
    LegacyGetRootCertificate,
    HealthCheck,
    HealthList,
    HealthWatch,
}

impl Rpc {
    /// Every method, in the order of their discriminants.
    pub(crate) const ALL: [Self; 8] = [
        Self::CreateSigningCertificate,
        Self::GetTrustBundle,
        Self::GetConfiguration,
        Self::LegacyCreateSigningCertificate,
        Self::LegacyGetRootCertificate,
        Self::HealthCheck,
        Self::HealthList,
        Self::HealthWatch,
    ];

    /// The methods that certificates are asked for by.
    pub(crate) const ISSUING: [Self; 2] = [
        Self::CreateSigningCertificate,
        Self::LegacyCreateSigningCertificate,
    ];

    /// The full name of the service.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::CreateSigningCertificate | Self::GetTrustBundle | Self::GetConfiguration => {
                "dev.sigstore.fulcio.v2.CA"
            }
            Self::LegacyCreateSigningCertificate | Self::LegacyGetRootCertificate => {
                "dev.sigstore.fulcio.v1beta.CA"
            }
            Self::HealthCheck | Self::HealthList | Self::HealthWatch => "grpc.health.v1.Health",
        }
    }

    /// The name within the service.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::CreateSigningCertificate | Self::LegacyCreateSigningCertificate => {
                "CreateSigningCertificate"
            }
            Self::GetTrustBundle => "GetTrustBundle",
            Self::GetConfiguration => "GetConfiguration",
            Self::LegacyGetRootCertificate => "GetRootCertificate",
            Self::HealthCheck => "Check",
            Self::HealthList => "List",
            Self::HealthWatch => "Watch",
        }
    }

    /// The word of the logs for the way that this method was called.
    pub(crate) fn api(self, transport: Transport) -> &'static str {
        let is_legacy = matches!(
            self,
            Self::LegacyCreateSigningCertificate | Self::LegacyGetRootCertificate
        );
        match (transport, is_legacy) {
            (Transport::Grpc, false) => "grpc-v2",
            (Transport::Grpc, true) => "grpc-v1",
            (Transport::Http, false) => "http-v2",
            (Transport::Http, true) => "http-v1",
        }
    }

    /// How messages are exchanged.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::HealthWatch => "server_stream",
            _ => "unary",
        }
    }
}
