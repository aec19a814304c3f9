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

    /// How messages are exchanged.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::HealthWatch => "server_stream",
            _ => "unary",
        }
    }
}
