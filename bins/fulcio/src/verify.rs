use core::time::Duration;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use fulcio_client::{Client, Expected, Trust, prove_inclusion};
use fulcio_ct_client::LogKey;
use serde_json::json;

use crate::{
    Failure, files,
    output::{self, Page},
    roots::tls_roots,
};

/// Check chain, usage, timestamp and identity of a certificate.
///
/// The certificate is judged at the time that its timestamp states, because that is when it was
/// fresh; whether a signature was made then is for another timestamp to say.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The certificate in PEM, the first one of the file, or - for standard input.
    certificate: PathBuf,
    /// A PEM file of the certificates above it; the self-signed ones are the roots to trust.
    #[arg(long, value_name = "FILE")]
    trust_bundle: PathBuf,
    /// A PEM file of the transparency log's public key.
    #[arg(long, value_name = "FILE")]
    ct_log_key: PathBuf,
    /// The identity that the certificate must name.
    #[arg(long)]
    identity: Option<String>,
    /// The identity provider that must have vouched for it.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where the log can be read (c2sp.org/static-ct-api): have it prove that it holds the
    /// certificate.
    #[arg(long, value_name = "URL")]
    log_url: Option<String>,
    /// What the log calls itself in its checkpoints; without it, its URL without the scheme.
    #[arg(long, requires = "log_url")]
    log_origin: Option<String>,
}

impl Verify {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let certificates = files::certificates(&self.certificate)?;
        let bundle = files::certificates(&self.trust_bundle)?;
        let log = LogKey::from_pem(&files::read(&self.ct_log_key)?)
            .with_context(|| format!("{} is not a log's key", self.ct_log_key.display()))?;
        let trust = Trust::of_certificates(bundle, vec![log.clone()]);
        let expected = Expected {
            identity: self.identity,
            issuer: self.issuer,
        };
        let verified = trust
            .verify(&certificates[0], &expected)
            .map_err(Failure::of_verification)?;
        let inclusion = match &self.log_url {
            Some(url) => {
                let client = Client::new(url, &tls_roots(None)?, Duration::from_secs(30));
                let origin = self.log_origin.as_deref().unwrap_or_else(|| origin_of(url));
                let proven = prove_inclusion(&client, origin, &log, &verified);
                Some(proven.map_err(Failure::of_verification)?)
            }
            None => None,
        };

        if json {
            let report = json!({
                "verified": true,
                "description": verified.description,
                "inclusion": inclusion.map(|inclusion| json!({
                    "leafIndex": inclusion.leaf_index,
                    "treeSize": inclusion.tree_size,
                })),
            });
            output::json(&report)?;
            return Ok(());
        }
        let mut page = Page::default();
        page.description(&verified.description);
        page.line("");
        let anybody = expected == Expected::default();
        page.good(if anybody {
            "The certificate is good: chain, usage and timestamp were verified."
        } else {
            "The certificate is good: chain, usage, timestamp and identity were verified."
        });
        if let Some(inclusion) = inclusion {
            page.good(&format!(
                "The log proved that it holds it: entry {} of {}.",
                inclusion.leaf_index, inclusion.tree_size
            ));
        }
        if anybody {
            page.line("Any identity was accepted: use --identity and --issuer to demand one.");
        }
        page.print()?;
        Ok(())
    }
}

/// A log's URL without the scheme and without a slash at its end.
fn origin_of(url: &str) -> &str {
    let schemeless = url.split_once("://").map_or(url, |(_, rest)| rest);
    schemeless.trim_end_matches('/')
}
