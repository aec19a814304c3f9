use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_challenge::PublicKey;
use fulcio_signer::Signer;
use fulcio_signer_backends::{OpenOptions, SignerUri, locate};
use pki_types::SubjectPublicKeyInfoDer;
use zeroize::Zeroizing;

use super::report::Warnings;
use crate::{files, roots::tls_roots};

/// The key that a certificate is about.
#[derive(Debug, Args)]
pub(crate) struct KeyFlags {
    /// The authority's key, such as file:ca.key, pkcs11:token=T;object=K?module-path=M or
    /// hashivault://K.
    #[arg(long, value_name = "URI")]
    key: String,
    #[command(flatten)]
    password: PasswordFlags,
}

/// How it is unlocked.
#[derive(Debug, Args)]
pub(crate) struct PasswordFlags {
    /// A file whose first line is the password of --key, or the PIN of its token.
    #[arg(
        long,
        value_name = "FILE",
        requires = "key",
        conflicts_with = "key_password_env"
    )]
    key_password_file: Option<PathBuf>,
    /// An environment variable that holds the password of --key, or the PIN of its token.
    #[arg(long, value_name = "NAME", requires = "key")]
    key_password_env: Option<String>,
}

/// The key that certifies another one.
#[derive(Debug, Args)]
pub(crate) struct ParentKeyFlags {
    /// The key of the authority that signs, a URI as for --key.
    #[arg(long, value_name = "URI")]
    parent_key: String,
    /// A file whose first line is the password of --parent-key, or the PIN of its token.
    #[arg(long, value_name = "FILE", conflicts_with = "parent_key_password_env")]
    parent_key_password_file: Option<PathBuf>,
    /// An environment variable that holds the password of --parent-key, or the PIN of its token.
    #[arg(long, value_name = "NAME")]
    parent_key_password_env: Option<String>,
}

impl KeyFlags {
    pub(crate) async fn open(&self, warnings: &mut Warnings) -> Result<Box<dyn Signer>> {
        self.password.open(&self.key, warnings).await
    }
}

impl PasswordFlags {
    /// Opens the key at `uri`, which is that of `--key`.
    pub(crate) async fn open(&self, uri: &str, warnings: &mut Warnings) -> Result<Box<dyn Signer>> {
        let file = self.key_password_file.as_deref();
        let variable = self.key_password_env.as_deref();
        open("--key", uri, file, variable, warnings).await
    }
}

impl ParentKeyFlags {
    pub(crate) async fn open(&self, warnings: &mut Warnings) -> Result<Box<dyn Signer>> {
        let file = self.parent_key_password_file.as_deref();
        let variable = self.parent_key_password_env.as_deref();
        open("--parent-key", &self.parent_key, file, variable, warnings).await
    }
}

/// Refuses keys that `serve` would refuse to issue with.
pub(crate) fn approve(key: &SubjectPublicKeyInfoDer<'_>) -> Result<()> {
    PublicKey::parse(key).context("an authority may not have this key")?;
    Ok(())
}

/// Opens the key that `flag` names. Nothing that is said of it has the URI in it, because that may
/// have a PIN.
async fn open(
    flag: &str,
    uri: &str,
    password_file: Option<&Path>,
    password_variable: Option<&str>,
    warnings: &mut Warnings,
) -> Result<Box<dyn Signer>> {
    let uri = SignerUri::parse(uri).context(flag.to_owned())?;
    if uri.scheme().eq_ignore_ascii_case("ephemeral") {
        bail!(
            "{flag}: a key that is never written down cannot be that of an authority; make a key \
             file, or a key in a token or key service"
        );
    }
    let mut options = OpenOptions::new()
        .with_variables(variable)
        .with_roots(tls_roots(None)?);
    if let Some(password) = password(flag, password_file, password_variable)? {
        options = options.with_password(password);
    }
    let located = locate(&uri, &options).context(flag.to_owned())?;
    if let Some(service) = located.service().filter(|service| service.trusts_anyone) {
        warnings.add(format!(
            "{flag}: whoever answers is taken for {}, because TLS certificates are not verified",
            service.name
        ));
    }
    let opened = located.open().await.context(flag.to_owned())?;
    Ok(opened.signer)
}

fn password(
    flag: &str,
    file: Option<&Path>,
    variable: Option<&str>,
) -> Result<Option<Zeroizing<String>>> {
    let (named, text) = match (file, variable) {
        (Some(path), _) => {
            let bytes = Zeroizing::new(files::read(path)?);
            let named = format!("{flag}-password-file {}", path.display());
            let text = core::str::from_utf8(&bytes)
                .with_context(|| format!("{named} is not a text in UTF-8"))?;
            (named, Zeroizing::new(text.to_owned()))
        }
        (None, Some(name)) => {
            let named = format!("{flag}-password-env {name}");
            let Some(text) = self::variable(name) else {
                bail!("{named}: the environment has no such variable, or it is no text");
            };
            (named, Zeroizing::new(text))
        }
        (None, None) => return Ok(None),
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("{named} has an empty first line, and a password is expected there");
    }
    Ok(Some(Zeroizing::new(line.to_owned())))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary, which hands the environment to the libraries"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
