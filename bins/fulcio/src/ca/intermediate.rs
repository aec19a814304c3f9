use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_cert_builder::{CaChain, CertificationRequest, Role};
use fulcio_client::Description;
use fulcio_issuance::{
    Clock as _, IssuingKey, RandomSerialNumbers, SerialNumbers as _, SystemClock,
};
use fulcio_signer::Signer;
use pki_types::SubjectPublicKeyInfoDer;
use serde_json::json;

use super::{
    key::{self, ParentKeyFlags, PasswordFlags},
    lifetime::WrittenLifetime,
    report::{self, OutFlags, Warnings},
    rules,
    template::TemplateFlags,
};
use crate::files;

/// Make an intermediate: a certificate that an authority's key signs for another key.
///
/// The other key is there (--key), or has asked by a request (--csr). The file that is written has
/// the new certificate first, then those of --parent: the chain that `serve` wants.
#[derive(Debug, Args)]
pub(crate) struct Intermediate {
    /// The new authority's key, such as file:ca.key, pkcs11:token=T;object=K?module-path=M or
    /// hashivault://K.
    #[arg(
        long,
        value_name = "URI",
        required_unless_present = "csr",
        conflicts_with = "csr"
    )]
    key: Option<String>,
    #[command(flatten)]
    password: PasswordFlags,
    /// A request in PEM by the new authority's key, or - for standard input. Only the key is taken
    /// from it, and the name where no flag and no template has one.
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    #[command(flatten)]
    parent_key: ParentKeyFlags,
    /// The certificates of the authority that signs, in PEM: its own first, the root last.
    #[arg(long, value_name = "FILE")]
    parent: PathBuf,
    /// Only warn where a certificate of --parent breaks the certificate specification.
    #[arg(long)]
    lenient_parents: bool,
    #[command(flatten)]
    template: TemplateFlags,
    /// How long it is valid, as 3y, 1000d or 26280h [default: 3y, or until its parent ends].
    #[arg(long, value_name = "TIME")]
    lifetime: Option<WrittenLifetime>,
    #[command(flatten)]
    out: OutFlags,
}

/// Who gets the certificate.
enum Subject {
    Key(Box<dyn Signer>),
    Request(CertificationRequest),
}

impl Intermediate {
    pub(crate) async fn run(self, json: bool) -> Result<()> {
        self.out.check()?;
        let mut warnings = Warnings::default();
        let now = SystemClock.now();
        let named = format!("--parent {}", self.parent.display());
        let parents = CaChain::from_pem(&files::read(&self.parent)?, now).context(named.clone())?;
        rules::must_reach_root(&parents, "--parent")?;
        rules::hold_chain_to(&parents, 0, self.lenient_parents, &mut warnings).context(named)?;

        let subject = self.subject(&mut warnings).await?;
        key::approve(&subject.public_key())?;
        if subject.public_key() == parents.issuer().public_key() {
            bail!("the new authority's key is the parent's own: an intermediate needs another one");
        }
        let template = self.template.template(
            Role::Intermediate,
            self.lifetime,
            match &subject {
                Subject::Key(_) => None,
                Subject::Request(request) => Some(request),
            },
        )?;
        template.fit_lifetime(parents.issuer(), now, &mut warnings)?;
        let serial = RandomSerialNumbers::default().next()?;
        let parent = Some(parents.issuer());
        let unsigned = template
            .ca
            .unsigned(subject.public_key(), serial, now, parent)?;
        let review = unsigned.review(parents.certificates())?;
        rules::hold_to(&review, &mut warnings)?;

        let parent_key = self.parent_key.open(&mut warnings).await?;
        let issuer = parents.issuer();
        let algorithm = parent_key.algorithm();
        if parent_key.public_key() != issuer.public_key()
            || algorithm.identifier() != issuer.signature_algorithm()
        {
            bail!(
                "--parent-key is not the key of the first certificate of {}, which has to be that \
                 of the authority that signs",
                self.parent.display()
            );
        }
        let signature = parent_key.sign(unsigned.to_be_signed()).await?;
        let mut certificates = vec![unsigned.signed(&signature.0)];
        certificates.extend_from_slice(parents.certificates());
        // Whatever `serve` would refuse is not written.
        let chain = CaChain::new(certificates, now)?;
        let pem = chain.pem();
        let description = Description::of(&chain.certificates()[0])?;
        if let Subject::Key(signer) = subject {
            IssuingKey::new(chain, signer)?;
        }
        self.out.write(&pem)?;

        let out = &self.out.out;
        report::print(
            json,
            &json!({"chain": out, "description": description}),
            |page| {
                page.description(&description);
                page.line("");
                page.row("Chain in", &out.display().to_string());
            },
            &warnings,
        )
    }

    async fn subject(&self, warnings: &mut Warnings) -> Result<Subject> {
        if let Some(uri) = &self.key {
            return self.password.open(uri, warnings).await.map(Subject::Key);
        }
        let path = self.csr.as_deref().unwrap_or("-".as_ref());
        let request = files::certification_request(path)?;
        let verified = CertificationRequest::verify(&request);
        let verified = verified.with_context(|| format!("--csr {}", path.display()))?;
        Ok(Subject::Request(verified))
    }
}

impl Subject {
    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        match self {
            Self::Key(signer) => signer.public_key(),
            Self::Request(request) => request.public_key(),
        }
    }
}
