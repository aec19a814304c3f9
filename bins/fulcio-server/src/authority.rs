use std::sync::Arc;

use fulcio_ct_client::TransparencyLog;
use fulcio_google_ca_service::GoogleCaService;
use fulcio_issuance::{CertificateIssuer, IssuingKey, LocalAuthority};

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

    /// Issues with it, into `log` where there is one.
    pub(crate) fn issuer(self, log: Option<Arc<dyn TransparencyLog>>) -> CertificateIssuer {
        match (self, log) {
            (Self::Google(service), Some(log)) => {
                CertificateIssuer::new(service).with_detached_timestamps(log)
            }
            (Self::Google(service), None) => CertificateIssuer::new(service),
            (Self::Key(key), Some(log)) => {
                let authority = LocalAuthority::with_embedded_timestamps(*key, log);
                CertificateIssuer::new(Arc::new(authority))
            }
            (Self::Key(key), None) => CertificateIssuer::new(Arc::new(LocalAuthority::new(*key))),
        }
    }
}
