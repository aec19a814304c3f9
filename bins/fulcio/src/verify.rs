use core::time::Duration;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use fulcio_client::{
    Client, Error, Expected, Inclusion, LogProof, LogReader, TreeHead, Trust, Verified,
};
use fulcio_ct_client::LogKey;
use pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::{
    Failure, files,
    output::{self, Page},
    roots::tls_roots,
};

/// Check chain, usage, timestamp and identity of a certificate, and that the log holds it.
///
/// The certificate is judged at the time that its timestamp states, because that is when it was
/// fresh; whether a signature was made then is for another timestamp to say.
///
/// With --log-url the log is asked to prove that it holds the certificate, and --save-proof keeps the
/// proof; with --proof such a proof is checked without any network. --since adds that the log has only
/// grown since an earlier proof or checkpoint.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The certificate in PEM, the first one of the file, or - for standard input. A saved proof
    /// holds the certificate that it is of.
    #[arg(required_unless_present = "proof")]
    certificate: Option<PathBuf>,
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
    /// Where the log can be read, by c2sp.org/static-ct-api or by RFC 6962, as the certificate's
    /// timestamp is of one or the other: have it prove that it holds the certificate.
    #[arg(long, value_name = "URL", visible_alias = "log", group = "place")]
    log_url: Option<String>,
    /// What the log calls itself in its checkpoints; without it, the log's URL without the scheme, or
    /// any name in a saved proof.
    #[arg(long, requires = "place")]
    log_origin: Option<String>,
    /// Keep the log's proof in this file (c2sp.org/tlog-proof), which must not be there yet.
    #[arg(
        long,
        value_name = "FILE",
        requires = "log_url",
        conflicts_with = "proof"
    )]
    save_proof: Option<PathBuf>,
    /// Check this saved proof instead of asking the log.
    #[arg(long, value_name = "FILE", group = "place")]
    proof: Option<PathBuf>,
    /// A saved proof or a checkpoint from before, of any certificate: the log must have only grown
    /// since then.
    #[arg(long, value_name = "FILE", requires = "place")]
    since: Option<PathBuf>,
}

/// What is known of the certificate's place in the log.
enum Place {
    Proven(Inclusion),
    NotAsked,
}

impl Verify {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        if let Some(path) = &self.save_proof
            && path.exists()
        {
            return Err(anyhow!("{} is there already", path.display()).into());
        }
        let log = LogKey::from_pem(&files::read(&self.ct_log_key)?)
            .with_context(|| format!("{} is not a log's key", self.ct_log_key.display()))?;
        let proof = self.proof.as_deref().map(saved_proof).transpose()?;
        let bundle = files::certificates(&self.trust_bundle)?;
        let certificate = self.certificate(proof.as_ref())?;
        let trust = Trust::of_certificates(bundle, vec![log.clone()]);
        let expected = Expected {
            identity: self.identity.clone(),
            issuer: self.issuer.clone(),
        };
        let verified = trust
            .verify(&certificate, &expected)
            .map_err(Failure::of_verification)?;
        let place = self.place(proof.as_ref(), &verified, &log)?;
        if json {
            let report = json!({
                "verified": true,
                "description": verified.description,
                "inclusion": place.json(),
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
        self.tell(&place, &mut page);
        if anybody {
            page.line("Any identity was accepted: use --identity and --issuer to demand one.");
        }
        page.print()?;
        Ok(())
    }

    fn certificate(&self, proof: Option<&LogProof>) -> Result<CertificateDer<'static>, Failure> {
        if let Some(path) = &self.certificate {
            return Ok(files::certificates(path)?.swap_remove(0));
        }
        let held = proof.and_then(LogProof::certificate).cloned();
        held.ok_or_else(|| anyhow!("the saved proof holds no certificate: name its file").into())
    }

    fn place(
        &self,
        proof: Option<&LogProof>,
        verified: &Verified,
        key: &LogKey,
    ) -> Result<Place, Failure> {
        let origin = self.log_origin.as_deref();
        if let Some(proof) = proof {
            let since = self.earlier(origin, key)?;
            let proven = proof.verify(verified, since.as_ref(), origin, key);
            return Ok(Place::Proven(proven.map_err(Failure::of_verification)?));
        }
        let Some(url) = &self.log_url else {
            return Ok(Place::NotAsked);
        };
        let origin = origin.unwrap_or_else(|| origin_of(url));
        let since = self.earlier(Some(origin), key)?;
        let client = Client::new(url, &tls_roots(None)?, Duration::from_secs(30));
        let reader = LogReader::new(client, origin, key.clone());
        let (proof, proven) = reader
            .prove(verified, since.as_ref())
            .map_err(Failure::of_verification)?;
        if let Some(path) = &self.save_proof {
            files::write(path, &proof.to_text().map_err(Error::from)?, false, false)?;
        }
        Ok(Place::Proven(proven))
    }

    fn earlier(&self, origin: Option<&str>, key: &LogKey) -> Result<Option<TreeHead>, Failure> {
        let Some(path) = &self.since else {
            return Ok(None);
        };
        match TreeHead::from_file(&files::read(path)?, origin, key) {
            Ok(head) => Ok(Some(head)),
            Err(error) => Err(Failure::of_verification(error).about(path)),
        }
    }

    fn tell(&self, place: &Place, page: &mut Page) {
        let Place::Proven(inclusion) = place else {
            return;
        };
        let who = match &self.proof {
            Some(_) => "The saved proof shows that the log holds it",
            None => "The log proved that it holds it",
        };
        page.good(&format!(
            "{who}: entry {} of {}, as signed at {}.",
            inclusion.leaf_index,
            inclusion.tree_size,
            inclusion.tree_time()
        ));
        if let Some(since) = inclusion.since {
            page.good(&format!(
                "The log has only grown since it had {} entries, as signed at {}.",
                since.size,
                since.time()
            ));
        }
        if let Some(path) = &self.save_proof {
            page.row("Proof in", &path.display().to_string());
        }
    }
}

impl Place {
    fn json(&self) -> Value {
        let Self::Proven(inclusion) = self else {
            return Value::Null;
        };
        json!({
            "leafIndex": inclusion.leaf_index,
            "treeSize": inclusion.tree_size,
            "treeTime": inclusion.tree_time(),
            "since": inclusion.since.map(|since| json!({
                "treeSize": since.size,
                "treeTime": since.time(),
            })),
        })
    }
}

fn saved_proof(path: &Path) -> Result<LogProof, Failure> {
    let parsed = LogProof::parse(&files::read(path)?);
    Ok(parsed.with_context(|| format!("{} is not a saved proof", path.display()))?)
}

/// A log's URL without the scheme and without a slash at its end.
fn origin_of(url: &str) -> &str {
    let schemeless = url.split_once("://").map_or(url, |(_, rest)| rest);
    schemeless.trim_end_matches('/')
}
