use std::sync::Arc;

use fulcio_cert_builder::{IssuedLeaf, Leaf};
use fulcio_ct_client::{Entry, Submission, TransparencyLog, encode_sct_list};
use pki_types::CertificateDer;

use crate::{
    CertificateAuthority, Certified, Error, Issuing, IssuingKey, RequestContext, Stage, Timestamp,
};

/// The authority that signs with a key of ours.
///
/// With a log it signs twice: the precertificate that the log sees, then the certificate that
/// holds the log's promise (RFC 6962 section 3.1). Without one it signs once.
#[derive(Debug)]
pub struct LocalAuthority {
    key: IssuingKey,
    log: Option<Arc<dyn TransparencyLog>>,
}

impl LocalAuthority {
    /// Issues without embedding a timestamp.
    #[must_use]
    pub fn new(key: IssuingKey) -> Self {
        Self { key, log: None }
    }

    /// Issues with the timestamp of `log` embedded.
    #[must_use]
    pub fn with_embedded_timestamps(key: IssuingKey, log: Arc<dyn TransparencyLog>) -> Self {
        Self {
            key,
            log: Some(log),
        }
    }

    async fn certificate(&self, leaf: &Leaf, context: &RequestContext) -> Result<Certified, Error> {
        let leaf = leaf.issued_by(self.key.issuer()).map_err(Error::Issuer)?;
        let (certificate, timestamp) = match &self.log {
            Some(log) => self.logged(&leaf, &**log, context).await?,
            None => {
                let signed = async { self.key.sign(leaf.certificate(None)).await };
                (context.stage(Stage::Sign, signed).await?, Timestamp::None)
            }
        };
        let mut chain = Vec::with_capacity(1 + self.key.chain().len());
        chain.push(certificate);
        chain.extend_from_slice(self.key.chain());
        Ok(Certified::new(chain, timestamp))
    }

    async fn logged(
        &self,
        leaf: &IssuedLeaf<'_>,
        log: &dyn TransparencyLog,
        context: &RequestContext,
    ) -> Result<(CertificateDer<'static>, Timestamp), Error> {
        let signed = async { self.key.sign(leaf.precertificate()).await };
        let precertificate = context.stage(Stage::SignPrecertificate, signed).await?;
        let logged = async {
            log.submit(Submission {
                entry: Entry::Precertificate {
                    issuer_key_hash: self.key.issuer().key_hash(),
                    tbs: &leaf.log_entry_tbs(),
                },
                certificate: &precertificate,
                issuers: self.key.chain(),
            })
            .await
            .map_err(Error::Log)
        };
        let timestamp = context.stage(Stage::Log, logged).await?;
        let signed = async {
            let list = encode_sct_list(core::slice::from_ref(&timestamp));
            self.key.sign(leaf.certificate(Some(&list))).await
        };
        let certificate = context.stage(Stage::Sign, signed).await?;
        Ok((certificate, Timestamp::Embedded(timestamp)))
    }
}

impl CertificateAuthority for LocalAuthority {
    fn issue<'a>(&'a self, leaf: &'a Leaf, context: &'a RequestContext) -> Issuing<'a> {
        Box::pin(self.certificate(leaf, context))
    }

    fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>> {
        vec![self.key.chain().to_vec()]
    }
}
