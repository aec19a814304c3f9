//! `hashivault:` and `openbao:`.

use fulcio_signer_hashivault::{Error as VaultError, HashivaultSigner, KeyReference, VaultConfig};
#[cfg(feature = "tink")]
use fulcio_signer_hashivault::{HashivaultUnwrap, UnwrapKeyReference};

#[cfg(feature = "tink")]
use crate::tink::{LocatedUnwrap, OpenableUnwrap, OpeningUnwrap};
use crate::{
    Error, KeyService, LocatedKey, OpenOptions, OpenedKey, SignerUri,
    locate::{Openable, Opening},
};

const SERVICE: &str = "Vault";

#[derive(Debug)]
struct VaultKey {
    config: VaultConfig,
    /// Whether variables said the configuration, so that they can be named.
    by_variables: bool,
    reference: KeyReference,
}

pub(crate) fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let reference: KeyReference = uri.to_string().parse().map_err(Error::Hashivault)?;
    let by_variables = options.vault().is_none();
    let config = config(options, None)?;
    let service = service(config.address.clone());
    let key = VaultKey {
        config,
        by_variables,
        reference,
    };
    Ok(LocatedKey::at(service, key))
}

/// The configuration that is given, or else what the variables say; `address` counts for more than
/// theirs.
fn config(options: &OpenOptions, address: Option<String>) -> Result<VaultConfig, Error> {
    if let Some(config) = options.vault() {
        return Ok(config.clone());
    }
    let said = options.variables(SERVICE)?;
    let variable = |name: &str| match &address {
        Some(address) if name == "VAULT_ADDR" => Some(address.clone()),
        _ => said(name),
    };
    let mut config = VaultConfig::from_variables(variable).map_err(Error::Hashivault)?;
    if config.roots.is_empty() {
        let mut files = ["VAULT_CACERT", "BAO_CACERT"].into_iter().map(said);
        if let Some(file) = files.find_map(|file| file.filter(|file| !file.is_empty())) {
            return Err(Error::HashivaultRoots { file: file.into() });
        }
        config.roots = options.roots().to_vec();
    }
    if let Some(times) = options.timeouts() {
        (config.try_timeout, config.timeout) = times;
    }
    Ok(config)
}

fn service(address: String) -> KeyService {
    KeyService {
        address: Some(address),
        name: SERVICE,
        trusts_anyone: false,
        uses_proxies: false,
    }
}

impl Openable for VaultKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let signer = HashivaultSigner::open(&self.reference, &self.config)
                .await
                .map_err(|source| explained(source, self.by_variables))?;
            let name = self.reference.name();
            Ok(OpenedKey {
                name: format!("hashivault://{name}/versions/{}", signer.version()),
                signer: Box::new(signer),
            })
        })
    }
}

#[cfg(feature = "tink")]
#[derive(Debug)]
struct WrappingKey {
    by_variables: bool,
    config: VaultConfig,
    reference: UnwrapKeyReference,
}

/// Finds out which key decrypts a keyset.
#[cfg(feature = "tink")]
pub(crate) fn locate_unwrap(
    uri: &SignerUri<'_>,
    options: &OpenOptions,
) -> Result<LocatedUnwrap, Error> {
    let reference: UnwrapKeyReference = uri.to_string().parse().map_err(Error::Hashivault)?;
    let config = config(options, reference.address())?;
    let address = reference.address();
    Ok(LocatedUnwrap {
        service: service(address.unwrap_or_else(|| config.address.clone())),
        key: Box::new(WrappingKey {
            by_variables: options.vault().is_none(),
            config,
            reference,
        }),
    })
}

#[cfg(feature = "tink")]
impl OpenableUnwrap for WrappingKey {
    fn open(&self) -> OpeningUnwrap<'_> {
        Box::pin(async {
            let opened = HashivaultUnwrap::open(&self.reference, &self.config).await;
            opened
                .map(|unwrap| Box::new(unwrap) as _)
                .map_err(|source| explained(source, self.by_variables))
        })
    }
}

pub(crate) fn is_setting(error: &VaultError) -> bool {
    matches!(
        error,
        VaultError::Address
            | VaultError::AddressMissing
            | VaultError::Mount { .. }
            | VaultError::Namespace { .. }
            | VaultError::Reference { .. }
            | VaultError::TokenMalformed
            | VaultError::TokenMissing
            | VaultError::UnwrapReference { .. }
    )
}

fn explained(source: VaultError, by_variables: bool) -> Error {
    match variable_at_fault(&source) {
        Some(variable) if by_variables => Error::HashivaultVariable { variable, source },
        _ => Error::Hashivault(source),
    }
}

/// Which variable has to say something else, where the error does not name it.
fn variable_at_fault(error: &VaultError) -> Option<&'static str> {
    match error {
        VaultError::Address => Some("VAULT_ADDR or BAO_ADDR"),
        VaultError::Mount { .. } => Some("TRANSIT_SECRET_ENGINE_PATH"),
        VaultError::Namespace { .. } => Some("VAULT_NAMESPACE or BAO_NAMESPACE"),
        VaultError::TokenMalformed => Some("VAULT_TOKEN or BAO_TOKEN"),
        _ => None,
    }
}
