use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_cert_builder::CaChain;
use fulcio_issuance::{Clock as _, IssuingKey, SystemClock};
use fulcio_signer_pkcs11::{Config, Error, FULCIO_KEY_LABEL, Token};
use zeroize::Zeroizing;

use crate::{input_file, secret_file::warn_if_exposed, usage_error::UsageError, values::Optional};

/// The flags of `--ca pkcs11ca`.
#[derive(Debug, Args)]
pub(crate) struct TokenFlags {
    /// pkcs11ca: id of the certificate in the token; its characters are the bytes of CKA_ID.
    #[arg(long, value_name = "ID", default_value = "")]
    hsm_caroot_id: Optional<String>,
    /// pkcs11ca: label of the key pair in the token.
    #[arg(long, value_name = "LABEL", default_value = FULCIO_KEY_LABEL)]
    hsm_key_label: String,
    /// pkcs11ca: the module, the token and its PIN, in JSON.
    #[arg(long, value_name = "FILE", default_value = "config/crypto11.conf")]
    pkcs11_config_path: PathBuf,
    /// pkcs11ca: PEM file of the root, for a token that stores no certificates.
    #[arg(long, value_name = "FILE", default_value = "")]
    aws_hsm_root_ca_path: Optional<PathBuf>,
}

impl TokenFlags {
    /// Which key they mean.
    pub(crate) fn key(&self) -> Result<TokenKey, UsageError> {
        let id = self.hsm_caroot_id.as_ref().cloned();
        Ok(TokenKey {
            config: self.pkcs11_config_path.clone(),
            caroot_id: id.ok_or_else(|| UsageError::must_be_set("--hsm-caroot-id", "pkcs11ca"))?,
            key_label: self.hsm_key_label.clone(),
            root: self.aws_hsm_root_ca_path.as_ref().cloned(),
        })
    }
}

/// A key in a token, and where its certificates are.
#[derive(Clone, Debug)]
pub(crate) struct TokenKey {
    /// `--pkcs11-config-path`: crypto11's configuration.
    pub(crate) config: PathBuf,
    /// `--hsm-caroot-id`: its characters are the identifier of the CA certificate.
    pub(crate) caroot_id: String,
    /// `--hsm-key-label`.
    pub(crate) key_label: String,
    /// `--aws-hsm-root-ca-path`: the chain in a file, where the token keeps no certificates.
    pub(crate) root: Option<PathBuf>,
}

impl TokenKey {
    /// Opens the key and its certificate, and puts them together.
    pub(crate) async fn open(&self) -> Result<IssuingKey> {
        let token = open(&self.config).await?;
        let now = SystemClock.now();
        let (chain, flag) = match &self.root {
            Some(file) => {
                let flag = format!("--aws-hsm-root-ca-path {}", file.display());
                let pem = input_file::read(&flag, file)?;
                (CaChain::from_pem(&pem, now).context(flag.clone())?, flag)
            }
            None => {
                let flag = format!("--hsm-caroot-id {}", self.caroot_id);
                let found = token.certificate(self.caroot_id.as_bytes()).await;
                let Some(certificate) = found.with_context(|| flag.clone())? else {
                    bail!(
                        "{flag}: the token has no certificate with this id (the characters of the \
                         flag, {:?}, are its bytes); make one with `fulcio-server createca`",
                        self.caroot_id
                    );
                };
                let chain = CaChain::new(vec![certificate], now);
                (chain.with_context(|| flag.clone())?, flag)
            }
        };
        let signer = token
            .fulcio_signer(&self.key_label, self.caroot_id.as_bytes())
            .await
            .with_context(|| format!("--hsm-key-label {}", self.key_label))?;
        IssuingKey::new(chain, Box::new(signer))
            .with_context(|| format!("{flag} and --hsm-key-label {}", self.key_label))
    }
}

/// Logs in to the token that a file in crypto11's format names.
pub(crate) async fn open(config: &Path) -> Result<Token> {
    let flag = format!("--pkcs11-config-path {}", config.display());
    warn_if_exposed(&flag, config);
    let json = Zeroizing::new(input_file::read(&flag, config)?);
    let opened = match Config::from_json(&json) {
        Ok(config) => Token::open(config).await,
        Err(error) => Err(Error::Config(error)),
    };
    opened.context(flag)
}
