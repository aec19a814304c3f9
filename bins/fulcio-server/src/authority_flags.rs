use core::time::Duration;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use fulcio_cert_builder::{CaChain, CaTemplate};
use fulcio_google_ca_service::Parent;
use fulcio_issuance::{
    Clock as _, IssuingKey, RandomSerialNumbers, SerialNumbers as _, SystemClock, ca_certificate,
};
use fulcio_signer::Algorithm;
use fulcio_signer_file::EphemeralSigner;

use crate::{
    authority::Authority,
    google_ca::{self, GoogleFlags},
    key_files::{KeyFiles, PasswordSource},
    kms_ca::KmsFlags,
    network::Network,
    pkcs11_ca::{TokenFlags, TokenKey},
    remote_key::RemoteKey,
    tink_ca::TinkFlags,
    usage_error::UsageError,
    values::{Optional, Password, Switch, duration},
};

/// Who signs the certificates.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate authority")]
pub(crate) struct AuthorityFlags {
    /// Where the issuing key is, or who issues.
    #[arg(long, value_enum)]
    ca: CaKind,
    /// fileca: PEM file of the chain, the certificate of the issuing key first, the root last.
    #[arg(long, value_name = "FILE", default_value = "")]
    fileca_cert: Optional<PathBuf>,
    /// fileca: PEM file of the issuing key.
    #[arg(long, value_name = "FILE", default_value = "")]
    fileca_key: Optional<PathBuf>,
    /// fileca: password of the issuing key. Others on the machine see command lines: prefer the
    /// environment, or --fileca-key-passwd-file.
    #[arg(long, value_name = "PASSWORD")]
    fileca_key_passwd: Option<Password>,
    /// fileca: file that holds the password of the issuing key in its first line.
    #[arg(long, value_name = "FILE", conflicts_with = "fileca_key_passwd")]
    fileca_key_passwd_file: Option<PathBuf>,
    /// fileca: use a new key and chain as soon as the files have changed.
    #[arg(long, value_name = "BOOL", default_value = "true")]
    fileca_watch: Switch,
    /// How often the issuing key makes a test signature, whose outcome readiness tells; 0 for never.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    signer_test_interval: Duration,
    #[command(flatten)]
    token: TokenFlags,
    #[command(flatten)]
    kms: KmsFlags,
    #[command(flatten)]
    tink: TinkFlags,
    #[command(flatten)]
    google: GoogleFlags,
}

/// The values of `--ca`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CaKind {
    /// An encrypted key file.
    #[value(name = "fileca")]
    File,
    /// A key and a self-signed certificate that are made at start and forgotten at the end.
    #[value(name = "ephemeralca")]
    Ephemeral,
    /// A key in a PKCS#11 token.
    #[value(name = "pkcs11ca", alias = "fulcioca")]
    Pkcs11,
    /// A key in a key service: AWS KMS, Azure Key Vault, Google Cloud KMS, Vault or OpenBao.
    #[value(name = "kmsca")]
    Kms,
    /// A key in a Tink keyset that a key service has encrypted.
    #[value(name = "tinkca")]
    Tink,
    /// Google's CA Service, which makes the certificates itself.
    #[value(name = "googleca")]
    Google,
}

/// What `--ca` and the flags that belong to it come to.
#[derive(Clone, Debug)]
pub(crate) enum AuthoritySource {
    Ephemeral,
    Files(KeyFiles),
    Google(Parent),
    RemoteKey(RemoteKey),
    Token(TokenKey),
}

impl AuthorityFlags {
    /// Finds out what is meant; nothing is opened yet.
    pub(crate) fn source(&self) -> Result<AuthoritySource, UsageError> {
        match self.ca {
            CaKind::Ephemeral => Ok(AuthoritySource::Ephemeral),
            CaKind::File => self.key_files().map(AuthoritySource::Files),
            CaKind::Pkcs11 => self.token.key().map(AuthoritySource::Token),
            CaKind::Kms => self.kms.key().map(AuthoritySource::RemoteKey),
            CaKind::Tink => self.tink.key().map(AuthoritySource::RemoteKey),
            CaKind::Google => self.google.parent().map(AuthoritySource::Google),
        }
    }

    /// How often the key makes a test signature, if ever.
    pub(crate) fn signer_test_every(&self) -> Option<Duration> {
        Some(self.signer_test_interval).filter(|interval| !interval.is_zero())
    }

    fn key_files(&self) -> Result<KeyFiles, UsageError> {
        let file = |flag, value: &Optional<PathBuf>| {
            value
                .as_ref()
                .cloned()
                .ok_or_else(|| UsageError::must_be_set(flag, "fileca"))
        };
        Ok(KeyFiles {
            chain: file("--fileca-cert", &self.fileca_cert)?,
            key: file("--fileca-key", &self.fileca_key)?,
            password: match (&self.fileca_key_passwd, &self.fileca_key_passwd_file) {
                (Some(password), _) => PasswordSource::Given(password.clone()),
                (None, Some(file)) => PasswordSource::File(file.clone()),
                (None, None) => {
                    return Err(UsageError::new(
                        "--fileca-key-passwd or --fileca-key-passwd-file must be set when using \
                         --ca fileca; for a key that is not encrypted any text will do",
                    ));
                }
            },
            watched: self.fileca_watch.is_on(),
        })
    }
}

impl AuthoritySource {
    /// Opens it. A key whose chain does not belong to it is refused.
    pub(crate) async fn open(&self, network: &Network) -> Result<Authority> {
        match self {
            Self::Ephemeral => ephemeral().await.map(Authority::from),
            Self::Files(files) => files.open().await.map(Authority::from),
            Self::Google(parent) => google_ca::open(parent, network)
                .await
                .map(Authority::Google),
            Self::RemoteKey(key) => key.open(network).await.map(Authority::from),
            Self::Token(key) => key.open().await.map(Authority::from),
        }
    }

    /// Whether it is still the same when it is opened again, unless an operator has changed it.
    pub(crate) fn is_permanent(&self) -> bool {
        !matches!(self, Self::Ephemeral)
    }

    /// The files to look at again and again, if there are any.
    pub(crate) fn watched(&self) -> Option<Vec<PathBuf>> {
        match self {
            Self::Files(files) if files.watched => Some(files.paths()),
            Self::Ephemeral
            | Self::Files(_)
            | Self::Google(_)
            | Self::RemoteKey(_)
            | Self::Token(_) => None,
        }
    }
}

async fn ephemeral() -> Result<IssuingKey> {
    let signer = EphemeralSigner::generate(Algorithm::EcdsaP256Sha256)?;
    let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
    let root = ca_certificate(&CaTemplate::ephemeral(), &signer, None, serial, now).await?;
    let chain = CaChain::new(vec![root], now)?;
    Ok(IssuingKey::new(chain, Box::new(signer))?)
}
