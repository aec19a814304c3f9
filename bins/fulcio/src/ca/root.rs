use anyhow::Result;
use clap::Args;
use fulcio_cert_builder::{CaChain, Role};
use fulcio_client::Description;
use fulcio_issuance::{
    Clock as _, IssuingKey, RandomSerialNumbers, SerialNumbers as _, SystemClock,
};
use serde_json::json;

use super::{
    key::{self, KeyFlags},
    lifetime::WrittenLifetime,
    report::{self, OutFlags, Warnings},
    rules,
    template::TemplateFlags,
};

/// Make a root: a certificate that its own key signs.
#[derive(Debug, Args)]
pub(crate) struct Root {
    #[command(flatten)]
    key: KeyFlags,
    #[command(flatten)]
    template: TemplateFlags,
    /// How long it is valid, as 10y, 3650d or 87600h [default: 10y].
    #[arg(long, value_name = "TIME")]
    lifetime: Option<WrittenLifetime>,
    #[command(flatten)]
    out: OutFlags,
}

impl Root {
    pub(crate) async fn run(self, json: bool) -> Result<()> {
        self.out.check()?;
        let mut warnings = Warnings::default();
        let template = self.template.template(Role::Root, self.lifetime, None)?.ca;
        let signer = self.key.open(&mut warnings).await?;
        key::approve(&signer.public_key())?;

        let (serial, now) = (RandomSerialNumbers::default().next()?, SystemClock.now());
        let unsigned = template.unsigned(signer.public_key(), serial, now, None)?;
        rules::hold_to(&unsigned.review(&[])?, &mut warnings)?;
        let signature = signer.sign(unsigned.to_be_signed()).await?;
        let root = unsigned.signed(&signature.0);
        // Whatever `serve` would refuse is not written.
        let chain = CaChain::new(vec![root], now)?;
        let pem = chain.pem();
        let description = Description::of(&chain.certificates()[0])?;
        rules::hold_chain_to(&chain, 0, false, &mut warnings)?;
        IssuingKey::new(chain, signer)?;
        self.out.write(&pem)?;

        let out = &self.out.out;
        report::print(
            json,
            &json!({"certificate": out, "description": description}),
            |page| {
                page.description(&description);
                page.line("");
                page.row("Root in", &out.display().to_string());
            },
            &warnings,
        )
    }
}
