use core::time::Duration;
use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use fulcio_client::{Client, ClientKey, Description};
use serde::Serialize;

use crate::{
    Failure, files,
    output::{self, Page},
    roots::tls_roots,
    token::TokenSource,
};

/// Get a certificate for a fresh key.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// The certificate authority.
    #[arg(long, default_value = "http://127.0.0.1:5555")]
    url: String,
    #[command(flatten)]
    token: TokenSource,
    /// The folder for certificate.pem, chain.pem and key.pem; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Replace files of an earlier request.
    #[arg(long)]
    force: bool,
    /// A PEM file of the roots that the server's TLS certificate may be under, instead of the
    /// system's.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// How long the server may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    timeout: u64,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Written<'a> {
    certificate: &'a Path,
    chain: &'a Path,
    key: &'a Path,
    description: &'a Description,
}

impl Request {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let roots = tls_roots(self.tls_ca.as_deref())?;
        let client = Client::new(&self.url, &roots, Duration::from_secs(self.timeout));
        fs::create_dir_all(&self.out)
            .with_context(|| format!("cannot make the folder {}", self.out.display()))?;
        let [certificate_path, chain_path, key_path] =
            ["certificate.pem", "chain.pem", "key.pem"].map(|name| self.out.join(name));
        if !self.force {
            for path in [&certificate_path, &chain_path, &key_path] {
                if path.exists() {
                    return Err(anyhow!(
                        "{} is there already; use --force to replace it, or --out for another folder",
                        path.display()
                    )
                    .into());
                }
            }
        }
        let token = self.token.token(&client)?;
        let key = ClientKey::generate()?;
        let chain = client.certificate(&token, &key)?;
        let Some((certificate, issuers)) = chain.split_first() else {
            return Err(fulcio_client::Error::NoCertificate.into());
        };
        if !key.is_key_of(certificate)? {
            let error = anyhow!("the server's certificate is for another key than ours");
            return Err(error.into());
        }
        let description = Description::of(certificate)?;

        let pem = fulcio_client::to_pem(core::slice::from_ref(certificate))?;
        files::write(&key_path, &key.to_pem()?, true, self.force)?;
        files::write(&certificate_path, &pem, false, self.force)?;
        files::write(
            &chain_path,
            &fulcio_client::to_pem(issuers)?,
            false,
            self.force,
        )?;

        if json {
            let written = Written {
                certificate: &certificate_path,
                chain: &chain_path,
                key: &key_path,
                description: &description,
            };
            output::json(&written)?;
        } else {
            let mut page = Page::default();
            page.description(&description);
            page.line("");
            page.row("Certificate in", &certificate_path.display().to_string());
            page.row("Chain in", &chain_path.display().to_string());
            page.row("Private key in", &key_path.display().to_string());
            page.print()?;
        }
        Ok(())
    }
}
