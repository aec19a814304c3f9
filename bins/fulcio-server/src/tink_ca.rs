use std::path::PathBuf;

use clap::Args;
use fulcio_signer_backends::tink_uri;

use crate::{
    remote_key::{RemoteKey, shown},
    usage_error::UsageError,
    values::Optional,
};

/// The flags of `--ca tinkca`.
#[derive(Debug, Args)]
pub(crate) struct TinkFlags {
    /// tinkca: the key that has encrypted the keyset, and decrypts it at the start: aws-kms://ARN,
    /// gcp-kms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY or
    /// hcvault://HOST:PORT/MOUNT/keys/KEY. The same variables say who asks as for kmsca.
    #[arg(long, value_name = "URI", default_value = "")]
    tink_kms_resource: Optional<String>,
    /// tinkca: PEM file of the chain, the certificate of the keyset's primary key first, the root
    /// last.
    #[arg(long, value_name = "FILE", default_value = "")]
    tink_cert_chain_path: Optional<PathBuf>,
    /// tinkca: the encrypted keyset, in JSON or in binary.
    #[arg(long, value_name = "FILE", default_value = "")]
    tink_keyset_path: Optional<String>,
}

impl TinkFlags {
    /// Which key they mean.
    pub(crate) fn key(&self) -> Result<RemoteKey, UsageError> {
        let missing = |flag| move || UsageError::must_be_set(flag, "tinkca");
        let kek = self.tink_kms_resource.as_ref();
        let kek = kek.ok_or_else(missing("--tink-kms-resource"))?;
        let chain_flag = "--tink-cert-chain-path";
        let chain = self.tink_cert_chain_path.as_ref();
        let chain = chain.ok_or_else(missing(chain_flag))?;
        let keyset = self.tink_keyset_path.as_ref();
        let keyset = keyset.ok_or_else(missing("--tink-keyset-path"))?;
        Ok(RemoteKey {
            chain: chain.clone(),
            chain_flag,
            named: format!(
                "{} and --tink-keyset-path {keyset}",
                shown("--tink-kms-resource", kek)
            ),
            timeouts: None,
            uri: tink_uri(keyset, kek),
        })
    }
}
