use std::sync::Arc;

use fulcio_ct_client::Logs;
use fulcio_google_ca_service::GoogleCaService;
use fulcio_issuance::{CertificateAuthority as _, CertificateIssuer, IssuingKey, LocalAuthority};
use pki_types::CertificateDer;

use crate::chains::Chains;

/// What issues certificates, open.
#[derive(Debug)]
pub(crate) enum Authority {
    /// Google's CA Service, which makes the whole certificate. Timestamps come beside it.
    Google(Arc<GoogleCaService>),
    /// A key with its chain. Timestamps go into its certificates.
    Key(Box<IssuingKey>),
}

impl From<IssuingKey> for Authority {
    fn from(key: IssuingKey) -> Self {
        Self::Key(Box::new(key))
    }
}

impl Authority {
    /// What is above its certificates.
    pub(crate) fn chains(&self) -> Chains {
        match self {
            Self::Google(service) => Chains::Changing(Arc::clone(service) as _),
            Self::Key(key) => Chains::Fixed(key.issuer().validity()),
        }
    }

    /// The chains that its certificates may be under, each from the issuer to the root.
    pub(crate) fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>> {
        match self {
            Self::Google(service) => service.trust_bundle(),
            Self::Key(key) => vec![key.chain().to_vec()],
        }
    }

    /// Issues with it, into `logs` where there are any.
    pub(crate) fn issuer(self, logs: Option<Logs>) -> CertificateIssuer {
        match (self, logs) {
            (Self::Google(service), Some(logs)) => {
                CertificateIssuer::new(service).with_detached_timestamps(logs)
            }
            (Self::Google(service), None) => CertificateIssuer::new(service),
            (Self::Key(key), Some(logs)) => {
                let authority = LocalAuthority::with_embedded_timestamps(*key, logs);
                CertificateIssuer::new(Arc::new(authority))
            }
            (Self::Key(key), None) => CertificateIssuer::new(Arc::new(LocalAuthority::new(*key))),
        }
    }
}
