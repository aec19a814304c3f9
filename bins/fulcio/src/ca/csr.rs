use anyhow::Result;
use clap::Args;
use fulcio_cert_builder::{CertificationRequest, Role, request_pem};
use serde_json::json;

use super::{
    key::{self, KeyFlags},
    report::{self, OutFlags, Warnings},
    rules,
    template::TemplateFlags,
};

/// Ask for an intermediate: make a request (PKCS#10) that an offline authority can sign.
///
/// `fulcio ca intermediate --csr` signs it, and `fulcio ca import` takes the certificate. Whoever
/// signs decides what the certificate says.
#[derive(Debug, Args)]
pub(crate) struct Csr {
    #[command(flatten)]
    key: KeyFlags,
    #[command(flatten)]
    template: TemplateFlags,
    #[command(flatten)]
    out: OutFlags,
}

impl Csr {
    pub(crate) async fn run(self, json: bool) -> Result<()> {
        self.out.check()?;
        let mut warnings = Warnings::default();
        let template = self.template.template(Role::Intermediate, None, None)?;
        let template = template.without_lifetime(&mut warnings);
        let signer = self.key.open(&mut warnings).await?;
        key::approve(&signer.public_key())?;

        let unsigned = template.request(signer.public_key())?;
        rules::hold_to(&unsigned.review()?, &mut warnings)?;
        let signature = signer.sign(unsigned.to_be_signed()).await?;
        let request = unsigned.signed(&signature.0);
        CertificationRequest::verify(&request)?;
        self.out.write(&request_pem(&request))?;

        let (out, algorithm) = (&self.out.out, signer.algorithm().to_string());
        report::print(
            json,
            &json!({"request": out, "signatureAlgorithm": algorithm}),
            |page| {
                page.row("Signed with", &algorithm);
                page.row("Request in", &out.display().to_string());
            },
            &warnings,
        )
    }
}
