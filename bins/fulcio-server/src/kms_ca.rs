use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::{
    remote_key::{RemoteKey, shown},
    usage_error::UsageError,
    values::Optional,
};

/// The flags of `--ca kmsca`.
#[derive(Debug, Args)]
pub(crate) struct KmsFlags {
    /// kmsca: the key. awskms:///KEY is in AWS KMS, where KEY is alias/NAME, a key ID or an ARN, and
    /// the host of an https endpoint may stand before it; azurekms://NAME.vault.azure.net/KEY is in
    /// Azure Key Vault or a Managed HSM;
    /// gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY is in Google Cloud
    /// KMS; hashivault://KEY or openbao://KEY is in the transit engine of Vault or OpenBao. The
    /// newest version is meant, or the one behind it: /VERSION for Azure, /cryptoKeyVersions/N or
    /// /versions/N for Google, /versions/N for Vault. The variables that each service's own tools
    /// read say who asks, and where.
    #[arg(long, value_name = "URI", default_value = "")]
    kms_resource: Optional<String>,
    /// kmsca: PEM file of the chain, the certificate of the key first, the root last.
    #[arg(long, value_name = "FILE", default_value = "")]
    kms_cert_chain_path: Optional<PathBuf>,
    /// kmsca with a key in Google Cloud KMS: for how many more tries a signature has time. A failure
    /// that may pass is tried again in that time, which is never less than 5 seconds.
    #[arg(
        long,
        value_name = "COUNT",
        default_value = "0",
        value_parser = value_parser!(u32).range(..=MOST_RETRIES)
    )]
    gcp_kms_retries: u32,
    /// kmsca with a key in Google Cloud KMS: how long one try may take, in seconds; 0 for 2 seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "0",
        value_parser = value_parser!(u64).range(..=LONGEST_TRY)
    )]
    gcp_kms_timeout: u64,
}

impl KmsFlags {
    /// Which key they mean.
    pub(crate) fn key(&self) -> Result<RemoteKey, UsageError> {
        let missing = |flag| move || UsageError::must_be_set(flag, "kmsca");
        let uri = self.kms_resource.as_ref();
        let uri = uri.ok_or_else(missing("--kms-resource"))?;
        let chain_flag = "--kms-cert-chain-path";
        let chain = self.kms_cert_chain_path.as_ref();
        let chain = chain.ok_or_else(missing(chain_flag))?;
        let named = shown("--kms-resource", uri);
        let Some(scheme) = service_scheme(uri) else {
            return Err(UsageError::new(format!(
                "{named} names no key service; it can be {SHAPES}"
            )));
        };
        Ok(RemoteKey {
            chain: chain.clone(),
            chain_flag,
            named,
            timeouts: self.timeouts(scheme),
            uri: uri.clone(),
        })
    }

    /// How long one try may take, and how long all tries together.
    fn timeouts(&self, scheme: &str) -> Option<(Duration, Duration)> {
        let unsaid = self.gcp_kms_retries == 0 && self.gcp_kms_timeout == 0;
        if scheme != "gcpkms" || unsaid {
            return None;
        }
        let one_try = match self.gcp_kms_timeout {
            0 => USUAL_TRY,
            seconds => Duration::from_secs(seconds),
        };
        let all_tries = one_try * (self.gcp_kms_retries + 1);
        Some((one_try, all_tries.max(USUAL_TRIES)))
    }
}

/// The scheme of a key service; the facade opens more than that.
fn service_scheme(uri: &str) -> Option<&'static str> {
    let (scheme, _rest) = uri.split_once("://")?;
    let mut known = SCHEMES.into_iter();
    known.find(|known| scheme.eq_ignore_ascii_case(known))
}

const SCHEMES: [&str; 5] = ["awskms", "azurekms", "gcpkms", "hashivault", "openbao"];

const SHAPES: &str = "awskms:///KEY, azurekms://NAME.vault.azure.net/KEY, \
    gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY, hashivault://KEY or \
    openbao://KEY";

/// In seconds.
const LONGEST_TRY: u64 = 3600;
const MOST_RETRIES: i64 = 100;
/// The times of Google Cloud KMS where no flag says others.
const USUAL_TRY: Duration = Duration::from_secs(2);
const USUAL_TRIES: Duration = Duration::from_secs(5);
