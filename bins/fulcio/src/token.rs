use std::{env, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_client::Client;
use zeroize::Zeroizing;

use crate::files;

/// Where the identity token comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TokenSource {
    /// The token itself; others on this machine can see it, so prefer a file or a variable.
    #[arg(long, value_name = "TOKEN")]
    token: Option<Secret>,
    /// A file that holds the token, or - for standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// An environment variable that holds the token, such as SIGSTORE_ID_TOKEN.
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// Ask the server's development identity provider for a token for this e-mail address.
    #[arg(long, value_name = "EMAIL")]
    dev_identity: Option<String>,
}

/// A token that does not show itself.
#[derive(Clone)]
struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

impl TokenSource {
    pub(crate) fn token(self, client: &Client) -> Result<Zeroizing<String>> {
        let token = if let Some(token) = self.token {
            token.0
        } else if let Some(path) = &self.token_file {
            let bytes = Zeroizing::new(files::read(path)?);
            let text = core::str::from_utf8(&bytes)
                .with_context(|| format!("{} does not hold a token", path.display()))?;
            Zeroizing::new(text.to_owned())
        } else if let Some(name) = &self.token_env {
            Zeroizing::new(from_environment(name)?)
        } else {
            let email = self.dev_identity.unwrap_or_default();
            client
                .development_token(&email)
                .context("the server's development identity provider gave no token")?
        };
        let trimmed = token.trim();
        if trimmed.is_empty() {
            bail!("the identity token is empty");
        }
        Ok(Zeroizing::new(trimmed.to_owned()))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user named this variable on the command line"
)]
fn from_environment(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("the environment variable {name} holds no token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_show_itself() {
        let source = TokenSource {
            token: Some(Secret::from("a-token".to_owned())),
            token_file: None,
            token_env: None,
            dev_identity: None,
        };
        let shown = format!("{source:?}");
        assert!(
            shown.contains("Secret") && !shown.contains("a-token"),
            "{shown}"
        );
    }
}
