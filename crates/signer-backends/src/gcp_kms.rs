//! `gcpkms:`.

use fulcio_signer_gcp_kms::{Error as GcpError, GcpKmsConfig, GcpKmsSigner, KeyReference};
#[cfg(feature = "tink")]
use fulcio_signer_gcp_kms::{GcpKmsUnwrap, UnwrapReference};

#[cfg(feature = "tink")]
use crate::tink::{LocatedUnwrap, OpenableUnwrap, OpeningUnwrap};
use crate::{
    Error, KeyService, LocatedKey, OpenOptions, OpenedKey, SignerUri,
    locate::{Openable, Opening},
};

const SERVICE: &str = "Google Cloud KMS";

#[derive(Debug)]
struct GcpKey {
    config: GcpKmsConfig,
    reference: KeyReference,
}

pub(crate) fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let reference: KeyReference = uri.to_string().parse().map_err(Error::GcpKms)?;
    let config = config(options)?;
    let service = service(&config);
    Ok(LocatedKey::at(service, GcpKey { config, reference }))
}

fn config(options: &OpenOptions) -> Result<GcpKmsConfig, Error> {
    if let Some(config) = options.gcp() {
        return Ok(config.clone());
    }
    let mut config = GcpKmsConfig::from_variables(options.variables(SERVICE)?);
    if let Some(times) = options.timeouts() {
        (config.try_timeout, config.timeout) = times;
    }
    Ok(config)
}

fn service(config: &GcpKmsConfig) -> KeyService {
    let usual = || "https://cloudkms.googleapis.com".to_owned();
    KeyService {
        address: Some(config.endpoint.clone().unwrap_or_else(usual)),
        name: SERVICE,
        trusts_anyone: false,
        uses_proxies: true,
    }
}

impl Openable for GcpKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let signer = GcpKmsSigner::open(&self.reference, &self.config)
                .await
                .map_err(Error::GcpKms)?;
            Ok(OpenedKey {
                name: format!("gcpkms://{}", signer.version()),
                signer: Box::new(signer),
            })
        })
    }
}

#[cfg(feature = "tink")]
#[derive(Debug)]
struct WrappingKey {
    config: GcpKmsConfig,
    reference: UnwrapReference,
}

/// Finds out which key decrypts a keyset.
#[cfg(feature = "tink")]
pub(crate) fn locate_unwrap(
    uri: &SignerUri<'_>,
    options: &OpenOptions,
) -> Result<LocatedUnwrap, Error> {
    let reference: UnwrapReference = uri.to_string().parse().map_err(Error::GcpKms)?;
    let config = config(options)?;
    Ok(LocatedUnwrap {
        service: service(&config),
        key: Box::new(WrappingKey { config, reference }),
    })
}

#[cfg(feature = "tink")]
impl OpenableUnwrap for WrappingKey {
    fn open(&self) -> OpeningUnwrap<'_> {
        Box::pin(async {
            let opened = GcpKmsUnwrap::open(&self.reference, &self.config).await;
            opened
                .map(|unwrap| Box::new(unwrap) as _)
                .map_err(Error::GcpKms)
        })
    }
}

pub(crate) fn is_setting(error: &GcpError) -> bool {
    matches!(
        error,
        GcpError::Endpoint | GcpError::Reference { .. } | GcpError::UnwrapReference { .. }
    )
}
