//! `azurekms:`.

use fulcio_signer_azure_keyvault::{
    AzureConfig, AzureKeyVaultSigner, Error as AzureError, KeyReference,
};

use crate::{
    Error, KeyService, LocatedKey, OpenOptions, OpenedKey, SignerUri,
    locate::{Openable, Opening},
};

const SERVICE: &str = "Azure Key Vault";

#[derive(Debug)]
struct AzureKey {
    config: AzureConfig,
    reference: KeyReference,
}

pub(crate) fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let reference: KeyReference = uri.to_string().parse().map_err(Error::AzureKeyVault)?;
    let config = config(options)?;
    let service = KeyService {
        address: Some(reference.address()),
        name: SERVICE,
        trusts_anyone: false,
        uses_proxies: false,
    };
    Ok(LocatedKey::at(service, AzureKey { config, reference }))
}

fn config(options: &OpenOptions) -> Result<AzureConfig, Error> {
    if let Some(config) = options.azure() {
        return Ok(config.clone());
    }
    let variables = options.variables(SERVICE)?;
    let config = AzureConfig::from_variables(variables, options.roots().to_vec());
    let mut config = config.map_err(Error::AzureKeyVault)?;
    if let Some(times) = options.timeouts() {
        (config.try_timeout, config.timeout) = times;
    }
    Ok(config)
}

impl Openable for AzureKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let signer = AzureKeyVaultSigner::open(&self.reference, &self.config)
                .await
                .map_err(Error::AzureKeyVault)?;
            Ok(OpenedKey {
                name: signer.id().to_owned(),
                signer: Box::new(signer),
            })
        })
    }
}

pub(crate) fn is_setting(error: &AzureError) -> bool {
    match error {
        AzureError::Authority
        | AzureError::ChallengeResource { .. }
        | AzureError::CredentialsIncomplete { .. }
        | AzureError::CredentialsKind { .. }
        | AzureError::CredentialsMissing { .. }
        | AzureError::CredentialsUnsupported { .. }
        | AzureError::Environment { .. }
        | AzureError::Reference { .. } => true,
        AzureError::Token(cause) => is_setting(cause),
        _ => false,
    }
}
