use core::time::Duration;

use anyhow::{Context as _, Result, bail};
use fulcio_client::{
    Client, ClientKey, Expected, Inclusion, Trust, Verified, prove_inclusion, to_pem,
};
use fulcio_ct_client::LogKey;
use pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::data_dir::{DataDir, Mode};

/// The client that gets the first certificate, over HTTP as any other does.
#[derive(Debug)]
pub(crate) struct FirstClient {
    pub(crate) base: String,
    pub(crate) identity: String,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) log_key: LogKey,
    pub(crate) log_origin: String,
}

/// A certificate that has been verified, and the log's proof that it holds it.
#[derive(Debug)]
pub(crate) struct FirstCertificate {
    pub(crate) verified: Verified,
    pub(crate) inclusion: Inclusion,
    chain: Vec<CertificateDer<'static>>,
    key: Zeroizing<String>,
}

pub(crate) const CERTIFICATE: &str = "issued/certificate.pem";
pub(crate) const CHAIN: &str = "issued/chain.pem";
pub(crate) const KEY: &str = "issued/key.pem";

impl FirstClient {
    /// Gets a certificate and verifies it: chain, usage, timestamp, identity, inclusion. Blocks.
    pub(crate) fn certificate(self) -> Result<FirstCertificate> {
        let client = Client::new(&self.base, &[], PATIENCE);
        let token = client
            .development_token(&self.identity)
            .with_context(|| format!("no token for --identity {}", self.identity))?;
        let key = ClientKey::generate()?;
        let chain = client.certificate(token.trim(), &key)?;
        let Some(certificate) = chain.first() else {
            bail!("the server answered without a certificate");
        };
        if !key.is_key_of(certificate)? {
            bail!("the certificate is for another key");
        }

        let trust = Trust::new(vec![self.chain], vec![self.log_key.clone()]);
        let expected = Expected {
            identity: Some(self.identity),
            issuer: Some(format!("{}/dev-idp", self.base)),
        };
        let verified = trust.verify(certificate, &expected)?;
        let log = Client::new(&format!("{}/ct-log", self.base), &[], PATIENCE);
        let inclusion = prove_inclusion(&log, &self.log_origin, &self.log_key, &verified)?;
        Ok(FirstCertificate {
            verified,
            inclusion,
            chain,
            key: key.to_pem()?,
        })
    }
}

const PATIENCE: Duration = Duration::from_secs(15);

impl FirstCertificate {
    /// Writes certificate, chain and key into the folder.
    pub(crate) fn write(&self, dir: &DataDir) -> Result<()> {
        let (certificate, issuers) = self.chain.split_at(1);
        dir.write(KEY, self.key.as_bytes(), Mode::Secret)?;
        dir.write(CERTIFICATE, to_pem(certificate)?.as_bytes(), Mode::Public)?;
        dir.write(CHAIN, to_pem(issuers)?.as_bytes(), Mode::Public)
    }
}
