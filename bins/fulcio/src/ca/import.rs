use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_cert_builder::{CaChain, Review};
use fulcio_client::Description;
use fulcio_issuance::{Clock as _, IssuingKey, SystemClock};
use serde_json::json;

use super::{
    key::KeyFlags,
    report::{self, Warnings, must_be_new},
    rules,
    token::TokenFlags,
};
use crate::files;

/// Take a certificate that somebody else has issued for a key.
///
/// It must be that of the key, its chain must hold now up to a root, and it must keep the rules. What
/// is written is the chain in its order, the certificate of the key first.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    key: KeyFlags,
    /// The certificate and those above it, in PEM and in any order; may be given more than once.
    #[arg(long, value_name = "FILE", required = true)]
    chain: Vec<PathBuf>,
    /// Only warn where a certificate above that of the key breaks the certificate specification.
    #[arg(long)]
    lenient_parents: bool,
    #[command(flatten)]
    token: TokenFlags,
    /// Write the chain to this file, in PEM.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file if it is there.
    #[arg(long, requires = "out")]
    overwrite: bool,
}

impl Import {
    pub(crate) async fn run(self, json: bool) -> Result<()> {
        if let Some(out) = &self.out {
            must_be_new(out, self.overwrite)?;
        }
        let mut warnings = Warnings::default();
        let mut certificates = Vec::new();
        for path in &self.chain {
            certificates.extend(files::certificates(path)?);
        }
        let given = certificates.len();
        let signer = self.key.open(&mut warnings).await?;
        let key = signer.public_key().into_owned();
        let chain = CaChain::of_key(&key, certificates, SystemClock.now()).context("--chain")?;

        rules::must_reach_root(&chain, "another --chain")?;
        let (own, above) = chain.certificates().split_at(1);
        let (own, used) = (own[0].clone(), chain.certificates().len());
        let review = Review::of(&own, above).context("--chain")?;
        if let Some(error) = rules::judgement(&review) {
            return Err(error);
        }
        rules::hold_to(&review, &mut warnings)?;
        rules::hold_chain_to(&chain, 1, self.lenient_parents, &mut warnings).context("--chain")?;
        if used < given {
            warnings.add(format!(
                "{} of the {given} certificates are not part of the chain, and were left out",
                given - used
            ));
        }
        let pem = chain.pem();
        let description = Description::of(&own)?;
        IssuingKey::new(chain, signer)?;

        let store = self.token.open(&key).await?;
        if let Some(store) = &store {
            store.store(&own).await?;
        }
        if let Some(out) = &self.out {
            files::write(out, &pem, false, self.overwrite)?;
        }
        let id = store.as_ref().map(|store| store.id());
        report::print(
            json,
            &json!({
                "certificates": used,
                "chain": self.out,
                "description": description,
                "storedUnder": id,
            }),
            |page| {
                page.description(&description);
                page.line("");
                page.good("The certificate is that of the key, and its chain holds.");
                if let Some(id) = id {
                    page.row("Stored in the token as", id);
                }
                if let Some(out) = &self.out {
                    page.row("Chain in", &out.display().to_string());
                }
            },
            &warnings,
        )
    }
}
