use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_cert_builder::CaChain;
use fulcio_issuance::{Clock as _, IssuingKey, SystemClock};
use fulcio_signer::Signer;
use fulcio_signer_hashivault::KeyReference;

use crate::{input_file, usage_error::UsageError, values::Optional, vault_key};

/// The flags of `--ca kmsca`.
#[derive(Debug, Args)]
pub(crate) struct KmsFlags {
    /// kmsca: the key. hashivault://KEY or openbao://KEY is the newest version of KEY in the transit
    /// engine of Vault or OpenBao, with /versions/N behind it version N; VAULT_ADDR and VAULT_TOKEN,
    /// or BAO_ADDR and BAO_TOKEN, say where that is and who asks. awskms://, azurekms:// and
    /// gcpkms:// are not built yet.
    #[arg(long, value_name = "URI", default_value = "")]
    kms_resource: Optional<String>,
    /// kmsca: PEM file of the chain, the certificate of the key first, the root last.
    #[arg(long, value_name = "FILE", default_value = "")]
    kms_cert_chain_path: Optional<PathBuf>,
}

impl KmsFlags {
    /// Which key they mean.
    pub(crate) fn key(&self) -> Result<KmsKey, UsageError> {
        let missing = |flag| move || UsageError::must_be_set(flag, "kmsca");
        let resource = self.kms_resource.as_ref();
        let resource = resource.ok_or_else(missing("--kms-resource"))?;
        let chain = self.kms_cert_chain_path.as_ref();
        let chain = chain.ok_or_else(missing("--kms-cert-chain-path"))?;
        let flag = format!("--kms-resource {resource}");
        Ok(KmsKey {
            reference: KmsReference::parse(resource, &flag)?,
            flag,
            chain: chain.clone(),
        })
    }
}

/// A key in a key service, and where its certificates are.
#[derive(Clone, Debug)]
pub(crate) struct KmsKey {
    reference: KmsReference,
    /// `--kms-resource` with its value.
    flag: String,
    /// `--kms-cert-chain-path`.
    chain: PathBuf,
}

impl KmsKey {
    /// Reads the chain, opens the key, and puts them together.
    pub(crate) async fn open(&self) -> Result<IssuingKey> {
        let chain_flag = format!("--kms-cert-chain-path {}", self.chain.display());
        let pem = input_file::read(&chain_flag, &self.chain)?;
        let chain =
            CaChain::from_pem(&pem, SystemClock.now()).with_context(|| chain_flag.clone())?;
        let (signer, named) = self.reference.open(&self.flag).await?;
        IssuingKey::new(chain, signer).with_context(|| format!("{chain_flag} and {named}"))
    }
}

/// The value of `--kms-resource`, by the service that holds the key. A service that is new gets a
/// variant, its scheme in [`parse`](Self::parse), and a file of its own that opens its keys.
#[derive(Clone, Debug)]
enum KmsReference {
    Vault(KeyReference),
}

impl KmsReference {
    fn parse(resource: &str, flag: &str) -> Result<Self, UsageError> {
        let scheme = resource.split_once("://").map(|(scheme, _)| scheme);
        let scheme = scheme.unwrap_or_default().to_ascii_lowercase();
        if VAULT_SCHEMES.contains(&scheme.as_str()) {
            return resource.parse().map(Self::Vault).map_err(|error| {
                // The text of it begins with the value.
                UsageError::new(format!("--kms-resource {error}"))
            });
        }
        let not_built = NOT_BUILT.iter().find(|(known, _)| *known == scheme);
        let wrong = match not_built {
            Some((_, service)) => format!("keys in {service} are not built into this server yet"),
            None => "this names no key service".to_owned(),
        };
        Err(UsageError::new(format!(
            "{flag}: {wrong}; --ca kmsca signs with a key in Vault or OpenBao, written as \
             hashivault://KEY or openbao://KEY"
        )))
    }

    /// The signer, and what to call its key.
    async fn open(&self, flag: &str) -> Result<(Box<dyn Signer>, String)> {
        match self {
            Self::Vault(reference) => {
                let signer = vault_key::open(reference, flag).await?;
                let named = format!("{flag}, version {}", signer.version());
                Ok((Box::new(signer), named))
            }
        }
    }
}

const VAULT_SCHEMES: [&str; 2] = ["hashivault", "openbao"];

/// The other schemes that Fulcio knows.
const NOT_BUILT: [(&str, &str); 3] = [
    ("awskms", "AWS KMS"),
    ("azurekms", "Azure Key Vault"),
    ("gcpkms", "Google Cloud KMS"),
];
