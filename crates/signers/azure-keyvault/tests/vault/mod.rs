//! A vault, and how this crate is told of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;

use fulcio_signer_azure_keyvault::{AzureConfig, AzureKeyVaultSigner, Credentials, Error};
use fulcio_test_services::azure_key_vault::AzureKeyVault;
use zeroize::Zeroizing;

/// The application with its secret, at `vault`.
pub(crate) fn config(vault: &AzureKeyVault) -> AzureConfig {
    let credentials = Credentials::ClientSecret {
        client: AzureKeyVault::CLIENT.to_owned(),
        secret: Zeroizing::new(AzureKeyVault::SECRET.to_owned()),
        tenant: AzureKeyVault::TENANT.to_owned(),
    };
    config_as(vault, credentials)
}

pub(crate) fn config_as(vault: &AzureKeyVault, credentials: Credentials) -> AzureConfig {
    let mut config = AzureConfig::new(credentials);
    config.authority = format!("https://{}", vault.address());
    config.resource = Some(AzureKeyVault::RESOURCE.to_owned());
    config.roots = vec![vault.root()];
    config
}

pub(crate) fn workload(token_file: PathBuf) -> Credentials {
    Credentials::WorkloadIdentity {
        client: AzureKeyVault::CLIENT.to_owned(),
        tenant: AzureKeyVault::TENANT.to_owned(),
        token_file,
    }
}

/// Opens what is written after the host.
pub(crate) async fn open(
    vault: &AzureKeyVault,
    key: &str,
    config: &AzureConfig,
) -> Result<AzureKeyVaultSigner, Error> {
    let reference = format!("azurekms://{}/{key}", vault.address());
    AzureKeyVaultSigner::open(&reference.parse().unwrap(), config).await
}
