use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_signer::Signer as _;
use fulcio_signer_pkcs11::{Config, FULCIO_KEY_LABEL, Token};
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

use crate::files;

/// A token that stores the certificate of the key that is in it, for `serve --ca pkcs11ca`.
#[derive(Debug, Args)]
pub(crate) struct TokenFlags {
    /// Store the certificate in the token of the key, for `serve --ca pkcs11ca`, under this id; its
    /// characters are the bytes of the id.
    #[arg(long, value_name = "ID")]
    hsm_caroot_id: Option<String>,
    /// Label of the key pair, and of the stored certificate [default: PKCS11CA].
    #[arg(long, value_name = "LABEL", requires = "hsm_caroot_id")]
    hsm_key_label: Option<String>,
    /// Where the token is, for storing: JSON as crypto11 reads it [default: config/crypto11.conf].
    #[arg(long, value_name = "FILE", requires = "hsm_caroot_id")]
    pkcs11_config_path: Option<PathBuf>,
}

/// A token with room for the certificate.
#[derive(Debug)]
pub(crate) struct Store {
    token: Token,
    id: String,
    label: String,
}

impl TokenFlags {
    /// Opens the token as `serve` will, where one is wanted. The key there must be `key`, and the id
    /// free.
    pub(crate) async fn open(&self, key: &SubjectPublicKeyInfoDer<'_>) -> Result<Option<Store>> {
        let Some(id) = &self.hsm_caroot_id else {
            return Ok(None);
        };
        if id.is_empty() {
            bail!("--hsm-caroot-id: an id has at least one character");
        }
        let label = self.hsm_key_label.as_deref().unwrap_or(FULCIO_KEY_LABEL);
        let path = self.pkcs11_config_path.clone();
        let path = path.unwrap_or_else(|| "config/crypto11.conf".into());
        let flag = || format!("--pkcs11-config-path {}", path.display());
        let config = Config::from_json(&files::read(&path)?).with_context(flag)?;
        let token = Token::open(config).await.with_context(flag)?;
        let stored = token.certificate(id.as_bytes()).await;
        if stored
            .with_context(|| format!("--hsm-caroot-id {id}"))?
            .is_some()
        {
            bail!(
                "--hsm-caroot-id {id}: the token has a certificate with this id already; choose \
                 another id, or delete that certificate with a tool of the token"
            );
        }
        let signer = token.fulcio_signer(label, id.as_bytes()).await;
        let signer = signer.with_context(|| format!("--hsm-key-label {label}"))?;
        if signer.public_key() != *key {
            bail!(
                "--hsm-key-label {label} is another key than --key, and `serve` would not take the \
                 certificate for it"
            );
        }
        let (id, label) = (id.clone(), label.to_owned());
        Ok(Some(Store { token, id, label }))
    }
}

impl Store {
    /// Under which id it stores.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) async fn store(&self, certificate: &CertificateDer<'_>) -> Result<()> {
        self.token
            .import_certificate(self.id.as_bytes(), &self.label, certificate)
            .await
            .with_context(|| format!("--hsm-caroot-id {}", self.id))
            .context("the certificate could not be stored in the token")
    }
}
