use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fulcio_cert_builder::{CaChain, CaTemplate};
use fulcio_ct_client::TransparencyLog;
use fulcio_issuance::{
    Clock as _, IssuingKey, LocalAuthority, RandomSerialNumbers, SerialNumbers as _, SystemClock,
    ca_certificate,
};
use fulcio_signer::Algorithm;
use fulcio_signer_file::{EphemeralSigner, FileSigner, KeyError};
use zeroize::Zeroizing;

use crate::input_file;

/// Who signs the certificates.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate authority")]
pub(crate) struct AuthorityFlags {
    /// Where the issuing key is.
    #[arg(long, value_enum, env = "FULCIO_SERVE_CA")]
    ca: CaKind,
    /// fileca: PEM file of the chain, the certificate of the issuing key first, the root last.
    #[arg(long, value_name = "FILE", env = "FULCIO_SERVE_FILECA_CERT")]
    fileca_cert: Option<PathBuf>,
    /// fileca: PEM file of the issuing key.
    #[arg(long, value_name = "FILE", env = "FULCIO_SERVE_FILECA_KEY")]
    fileca_key: Option<PathBuf>,
    /// fileca: password of the issuing key. Others on the machine see command lines: prefer the
    /// environment, or --fileca-key-passwd-file.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "FULCIO_SERVE_FILECA_KEY_PASSWD",
        hide_env_values = true
    )]
    fileca_key_passwd: Option<Password>,
    /// fileca: file that holds the password of the issuing key in its first line.
    #[arg(
        long,
        value_name = "FILE",
        env = "FULCIO_SERVE_FILECA_KEY_PASSWD_FILE",
        conflicts_with = "fileca_key_passwd"
    )]
    fileca_key_passwd_file: Option<PathBuf>,
}

/// The values of `--ca`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum CaKind {
    /// An encrypted key file.
    FileCa,
    /// A key and a self-signed certificate that are made at start and forgotten at the end.
    EphemeralCa,
}

/// A password that does not show itself.
#[derive(Clone)]
pub(crate) struct Password(Zeroizing<String>);

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(Zeroizing::new(password))
    }
}

impl core::fmt::Debug for Password {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Password")
    }
}

impl AuthorityFlags {
    /// Opens the key and its chain, and puts them together.
    pub(crate) async fn issuing_key(&self) -> Result<IssuingKey> {
        match self.ca {
            CaKind::FileCa => self.file(),
            CaKind::EphemeralCa => ephemeral().await,
        }
    }

    fn file(&self) -> Result<IssuingKey> {
        let (Some(chain), Some(key)) = (&self.fileca_cert, &self.fileca_key) else {
            bail!("--fileca-cert and --fileca-key must be set when using --ca fileca");
        };
        let (password, password_flag) =
            match (&self.fileca_key_passwd, &self.fileca_key_passwd_file) {
                (Some(password), _) => (password.0.clone(), "--fileca-key-passwd".to_owned()),
                (None, Some(file)) => {
                    let flag = format!("--fileca-key-passwd-file {}", file.display());
                    (input_file::read_password(&flag, file)?, flag)
                }
                (None, None) => bail!(
                    "--fileca-key-passwd or --fileca-key-passwd-file must be set when using \
                 --ca fileca; for a key that is not encrypted any text will do"
                ),
            };
        let signer = FileSigner::open(key, Some(&password)).map_err(|error| {
            let flags = match &error {
                fulcio_signer_file::Error::Key {
                    source: KeyError::WrongPassword,
                    ..
                } => format!("--fileca-key and {password_flag}"),
                _ => "--fileca-key".to_owned(),
            };
            anyhow::Error::new(error).context(flags)
        })?;
        let chain_flag = format!("--fileca-cert {}", chain.display());
        let pem = input_file::read(&chain_flag, chain)?;
        let chain =
            CaChain::from_pem(&pem, SystemClock.now()).with_context(|| chain_flag.clone())?;
        IssuingKey::new(chain, Box::new(signer))
            .with_context(|| format!("{chain_flag} and --fileca-key {}", key.display()))
    }
}

async fn ephemeral() -> Result<IssuingKey> {
    let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256)?;
    let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
    let root = ca_certificate(&CaTemplate::ephemeral(), &signer, None, serial, now).await?;
    let chain = CaChain::new(vec![root], now)?;
    Ok(IssuingKey::new(chain, Box::new(signer))?)
}

/// The authority that signs with `key`, and embeds the timestamps of `log` where there is one.
pub(crate) fn local(key: IssuingKey, log: Option<Arc<dyn TransparencyLog>>) -> LocalAuthority {
    match log {
        Some(log) => LocalAuthority::with_embedded_timestamps(key, log),
        None => LocalAuthority::new(key),
    }
}
