//! `awskms:`.

use fulcio_signer_aws_kms::{AwsConfig, AwsKmsSigner, Error as AwsError, KeyReference, Trust};
#[cfg(feature = "tink")]
use fulcio_signer_aws_kms::{AwsKmsUnwrap, UnwrapKeyReference};

#[cfg(feature = "tink")]
use crate::tink::{LocatedUnwrap, OpenableUnwrap, OpeningUnwrap};
use crate::{
    Error, KeyService, LocatedKey, OpenOptions, OpenedKey, SignerUri,
    locate::{Openable, Opening},
};

const SERVICE: &str = "AWS KMS";

#[derive(Debug)]
struct AwsKey {
    config: AwsConfig,
    reference: KeyReference,
}

pub(crate) fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let reference: KeyReference = uri.to_string().parse().map_err(Error::AwsKms)?;
    let config = config(options)?;
    let address = match reference.host() {
        Some(host) => Some(format!("https://{host}")),
        None => address(reference.region(), &config),
    };
    let service = service(address, &config);
    Ok(LocatedKey::at(service, AwsKey { config, reference }))
}

fn config(options: &OpenOptions) -> Result<AwsConfig, Error> {
    if let Some(config) = options.aws() {
        return Ok(config.clone());
    }
    let variables = options.variables(SERVICE)?;
    let mut config = AwsConfig::from_variables(variables, options.roots().to_vec());
    if let Some(times) = options.timeouts() {
        (config.try_timeout, config.timeout) = times;
    }
    Ok(config)
}

fn service(address: Option<String>, config: &AwsConfig) -> KeyService {
    KeyService {
        address,
        name: SERVICE,
        trusts_anyone: matches!(config.trust, Trust::Anyone),
        uses_proxies: false,
    }
}

/// Where it is, as far as that is known before the SDK has looked around.
fn address(region: Option<&str>, config: &AwsConfig) -> Option<String> {
    if let Some(endpoint) = &config.endpoint {
        return Some(endpoint.clone());
    }
    let region = region.or(config.region.as_deref())?;
    let usual = !config.dual_stack && !config.fips && !region.starts_with("cn-");
    usual.then(|| format!("https://kms.{region}.amazonaws.com"))
}

impl Openable for AwsKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let signer = AwsKmsSigner::open(&self.reference, &self.config)
                .await
                .map_err(Error::AwsKms)?;
            Ok(OpenedKey {
                name: signer.id().to_owned(),
                signer: Box::new(signer),
            })
        })
    }
}

#[cfg(feature = "tink")]
#[derive(Debug)]
struct WrappingKey {
    config: AwsConfig,
    reference: UnwrapKeyReference,
}

/// Finds out which key decrypts a keyset.
#[cfg(feature = "tink")]
pub(crate) fn locate_unwrap(
    uri: &SignerUri<'_>,
    options: &OpenOptions,
) -> Result<LocatedUnwrap, Error> {
    let reference: UnwrapKeyReference = uri.to_string().parse().map_err(Error::AwsKms)?;
    let config = config(options)?;
    // An ARN, whose fourth part is the region.
    let address = address(reference.key().split(':').nth(3), &config);
    Ok(LocatedUnwrap {
        service: service(address, &config),
        key: Box::new(WrappingKey { config, reference }),
    })
}

#[cfg(feature = "tink")]
impl OpenableUnwrap for WrappingKey {
    fn open(&self) -> OpeningUnwrap<'_> {
        Box::pin(async {
            let opened = AwsKmsUnwrap::open(&self.reference, &self.config).await;
            opened
                .map(|unwrap| Box::new(unwrap) as _)
                .map_err(Error::AwsKms)
        })
    }
}

pub(crate) fn is_setting(error: &AwsError) -> bool {
    matches!(
        error,
        AwsError::CredentialsMissing(_)
            | AwsError::Endpoint
            | AwsError::NoRegion
            | AwsError::Reference { .. }
            | AwsError::UnwrapReference { .. }
    )
}
