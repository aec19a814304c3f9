use core::time::Duration;
use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use fulcio_ct_client::Logs;
use fulcio_google_ca_service::GoogleCaService;
use fulcio_issuance::{CertificateAuthority as _, CertificateIssuer, IssuingKey, LocalAuthority};
use fulcio_server::{SignerFault, SignerHealth};
use pki_types::CertificateDer;
use tokio::task::spawn_blocking;

use crate::chains::Chains;

/// What issues certificates, open.
#[derive(Clone, Debug)]
pub(crate) enum Authority {
    /// Google's CA Service, which makes the whole certificate. Timestamps come beside it.
    Google(Arc<GoogleCaService>),
    /// A key with its chain. Timestamps go into its certificates.
    Key {
        key: Arc<IssuingKey>,
        /// What its test signatures say, where some are made.
        health: Option<SignerHealth>,
    },
}

impl From<IssuingKey> for Authority {
    fn from(key: IssuingKey) -> Self {
        Self::Key {
            key: Arc::new(key),
            health: None,
        }
    }
}

impl Authority {
    /// Has a key of ours make a test signature soon, and `every` so often as long as it is in use.
    pub(crate) fn under_test(self, every: Option<Duration>) -> Self {
        match (self, every) {
            (Self::Key { key, .. }, Some(every)) => {
                let health = SignerHealth::untested(Arc::clone(&key), every);
                let testing = health.keep_testing();
                tokio::spawn(async move {
                    // The first randomness of a process takes a while to gather, in which no thread is
                    // kept from its requests. Where there is none, the key says so.
                    let gathered = spawn_blocking(|| SystemRandom::new().fill(&mut [0])).await;
                    drop(gathered);
                    testing.await;
                });
                let health = Some(health);
                Self::Key { key, health }
            }
            (untested, _) => untested,
        }
    }

    /// The same, where the first test signature has to be made before the key is used.
    pub(crate) async fn tested(self, every: Option<Duration>) -> Result<Self, SignerFault> {
        match (self, every) {
            (Self::Key { key, .. }, Some(every)) => {
                let health = SignerHealth::tested(Arc::clone(&key), every).await?;
                tokio::spawn(health.keep_testing());
                let health = Some(health);
                Ok(Self::Key { key, health })
            }
            (untested, _) => Ok(untested),
        }
    }

    /// What is above its certificates.
    pub(crate) fn chains(&self) -> Chains {
        match self {
            Self::Google(service) => Chains::Changing(Arc::clone(service) as _),
            Self::Key { key, .. } => Chains::Fixed(key.issuer().validity()),
        }
    }

    /// Whether its key signs, where that is tested.
    pub(crate) fn health(&self) -> Option<SignerHealth> {
        match self {
            Self::Google(_) => None,
            Self::Key { health, .. } => health.clone(),
        }
    }

    /// The chains that its certificates may be under, each from the issuer to the root.
    pub(crate) fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>> {
        match self {
            Self::Google(service) => service.trust_bundle(),
            Self::Key { key, .. } => vec![key.chain().to_vec()],
        }
    }

    /// Issues with it, into `logs` where there are any.
    pub(crate) fn issuer(&self, logs: Option<Logs>) -> CertificateIssuer {
        match (self, logs) {
            (Self::Google(service), Some(logs)) => {
                CertificateIssuer::new(Arc::clone(service) as _).with_detached_timestamps(logs)
            }
            (Self::Google(service), None) => CertificateIssuer::new(Arc::clone(service) as _),
            (Self::Key { key, .. }, Some(logs)) => {
                let authority = LocalAuthority::with_embedded_timestamps(Arc::clone(key), logs);
                CertificateIssuer::new(Arc::new(authority))
            }
            (Self::Key { key, .. }, None) => {
                CertificateIssuer::new(Arc::new(LocalAuthority::new(Arc::clone(key))))
            }
        }
    }
}
