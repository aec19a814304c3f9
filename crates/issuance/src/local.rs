use fulcio_cert_builder::{IssuedLeaf, Leaf};
use fulcio_ct_client::{Entry, Logs, Submission, Timestamps, encode_sct_list};
use pki_types::CertificateDer;

use crate::{
    CertificateAuthority, Certified, Error, Issuing, IssuingKey, RequestContext, Stage, Timestamp,
};

/// The authority that signs with a key of ours.
///
/// With logs it signs twice: the precertificate that they see, then the certificate that holds a
/// promise of theirs (RFC 6962 section 3.1). Without any it signs once.
#[derive(Debug)]
pub struct LocalAuthority {
    key: IssuingKey,
    logs: Option<Logs>,
}

impl LocalAuthority {
    /// Issues without embedding a timestamp.
    #[must_use]
    pub fn new(key: IssuingKey) -> Self {
        Self { key, logs: None }
    }

    /// Issues with the timestamp of `logs`, one or several, embedded.
    #[must_use]
    pub fn with_embedded_timestamps(key: IssuingKey, logs: impl Into<Logs>) -> Self {
        Self {
            key,
            logs: Some(logs.into()),
        }
    }

    async fn certificate(&self, leaf: &Leaf, context: &RequestContext) -> Result<Certified, Error> {
        let leaf = leaf.issued_by(self.key.issuer()).map_err(Error::Issuer)?;
        let (certificate, timestamps) = match &self.logs {
            Some(logs) => {
                let (certificate, timestamps) = self.logged(&leaf, logs, context).await?;
                (certificate, Some(timestamps))
            }
            None => {
                let signed = async { self.key.sign(leaf.certificate(None)).await };
                (context.stage(Stage::Sign, signed).await?, None)
            }
        };
        let mut chain = Vec::with_capacity(1 + self.key.chain().len());
        chain.push(certificate);
        chain.extend_from_slice(self.key.chain());
        Ok(match timestamps {
            Some(Timestamps {
                embedded, beside, ..
            }) => Certified {
                further_timestamps: beside,
                ..Certified::new(chain, Timestamp::Embedded(embedded))
            },
            None => Certified::new(chain, Timestamp::None),
        })
    }

    async fn logged(
        &self,
        leaf: &IssuedLeaf<'_>,
        logs: &Logs,
        context: &RequestContext,
    ) -> Result<(CertificateDer<'static>, Timestamps), Error> {
        let signed = async { self.key.sign(leaf.precertificate()).await };
        let precertificate = context.stage(Stage::SignPrecertificate, signed).await?;
        let unused = context.precertificate();
        let logged = async {
            logs.submit(Submission {
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
        let timestamps = context.stage(Stage::Log, logged).await?;
        let signed = async {
            let list = encode_sct_list(&timestamps.embedded);
            self.key.sign(leaf.certificate(Some(&list))).await
        };
        let certificate = context.stage(Stage::Sign, signed).await?;
        unused.used();
        Ok((certificate, timestamps))
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
