use std::path::PathBuf;

use anyhow::{Context as _, Result};
use fulcio_cert_builder::CaChain;
use fulcio_issuance::{Clock as _, IssuingKey, SystemClock};
use fulcio_signer_file::{FileSigner, KeyError};
use tokio::task::spawn_blocking;

use crate::{input_file, secret_file::warn_if_exposed, values::Password};

/// The files of `--ca fileca`.
#[derive(Clone, Debug)]
pub(crate) struct KeyFiles {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) password: PasswordSource,
    /// Whether changes are to be noticed.
    pub(crate) watched: bool,
}

/// Where the password of the key is.
#[derive(Clone, Debug)]
pub(crate) enum PasswordSource {
    File(PathBuf),
    Given(Password),
}

impl KeyFiles {
    /// All of the files.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.chain.clone(), self.key.clone()];
        if let PasswordSource::File(password) = &self.password {
            paths.push(password.clone());
        }
        paths
    }

    /// Reads them. Deriving the key of an encrypted file takes its time, on a thread that may block.
    pub(crate) async fn open(&self) -> Result<IssuingKey> {
        let files = self.clone();
        spawn_blocking(move || files.open_blocking()).await?
    }

    fn open_blocking(&self) -> Result<IssuingKey> {
        let (password, password_flag) = match &self.password {
            PasswordSource::Given(password) => {
                (password.reveal().clone(), "--fileca-key-passwd".to_owned())
            }
            PasswordSource::File(file) => {
                let flag = format!("--fileca-key-passwd-file {}", file.display());
                warn_if_exposed(&flag, file);
                (input_file::read_password(&flag, file)?, flag)
            }
        };
        warn_if_exposed(&format!("--fileca-key {}", self.key.display()), &self.key);
        let signer = FileSigner::open(&self.key, Some(&password)).map_err(|error| {
            let flags = match &error {
                fulcio_signer_file::Error::Key {
                    source: KeyError::WrongPassword,
                    ..
                } => format!("--fileca-key and {password_flag}"),
                _ => "--fileca-key".to_owned(),
            };
            anyhow::Error::new(error).context(flags)
        })?;
        let chain_flag = format!("--fileca-cert {}", self.chain.display());
        let pem = input_file::read(&chain_flag, &self.chain)?;
        let chain =
            CaChain::from_pem(&pem, SystemClock.now()).with_context(|| chain_flag.clone())?;
        IssuingKey::new(chain, Box::new(signer))
            .with_context(|| format!("{chain_flag} and --fileca-key {}", self.key.display()))
    }
}
