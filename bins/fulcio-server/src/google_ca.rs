use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use fulcio_google_ca_service::{Error, GoogleCaService, GoogleConfig, Parent};

use crate::{
    key_service::KeyService,
    network::{Network, variable},
    usage_error::UsageError,
    values::Optional,
};

/// The flag of `--ca googleca`.
#[derive(Debug, Args)]
pub(crate) struct GoogleFlags {
    /// googleca: projects/PROJECT/locations/LOCATION/caPools/POOL, and
    /// /certificateAuthorities/ID behind it for one authority of the pool.
    #[arg(
        long = "gcp_private_ca_parent",
        value_name = "NAME",
        default_value = ""
    )]
    gcp_private_ca_parent: Optional<String>,
}

impl GoogleFlags {
    /// Who is to issue.
    pub(crate) fn parent(&self) -> Result<Parent, UsageError> {
        let parent = self.gcp_private_ca_parent.as_ref();
        let parent = parent.ok_or_else(|| UsageError::must_be_set(FLAG, "googleca"))?;
        let parent = parent.parse();
        // The text of it begins with the value.
        parent.map_err(|error: Error| UsageError::new(format!("{FLAG} {error}")))
    }
}

/// Finds out who issues in `parent`.
pub(crate) async fn open(parent: &Parent, network: &Network) -> Result<Arc<GoogleCaService>> {
    let config = GoogleConfig::from_variables(variable);
    let usual = || "https://privateca.googleapis.com".to_owned();
    let service = KeyService {
        address: Some(config.endpoint.clone().unwrap_or_else(usual)),
        name: "CA Service",
        trusts_anyone: false,
        uses_proxies: true,
    };
    service.warn(&network.proxies);
    let opened = GoogleCaService::open(parent, &config).await;
    let authority = opened.map_err(|error| {
        let is_setting = matches!(error, Error::Endpoint);
        let error = anyhow::Error::new(error);
        match service.host() {
            _ if is_setting => error.context(UsageError::new(format!("{FLAG} {parent}"))),
            Some(host) => error.context(format!("{FLAG} {parent}, asked of {host}")),
            None => error.context(format!("{FLAG} {parent}")),
        }
    });
    let authority = authority?;
    tracing::info!(%parent, "CA Service issues");
    Ok(Arc::new(authority))
}

const FLAG: &str = "--gcp_private_ca_parent";
