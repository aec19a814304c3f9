use std::sync::Arc;

use fulcio_cert_builder::{IssuedLeaf, Leaf};
use fulcio_ct_client::{Entry, Logs, Submission, Timestamps, encode_sct_list};
use pki_types::CertificateDer;

use crate::{
    CertificateAuthority, Certified, Error, Issuing, IssuingKey, RequestContext, Stage, Timestamp,
};

/// The authority that signs with a key of ours.
///
/// With logs it signs twice: the precertificate that they see, then the certificate that holds a
/// promise of theirs (RFC 6962 section 3.1). Without any it signs once. What it has signed is compared with
/// the profile, octet for octet, before it leaves.
#[derive(Debug)]
pub struct LocalAuthority {
    key: Arc<IssuingKey>,
    logs: Option<Logs>,
}

impl LocalAuthority {
    /// Issues without embedding a timestamp.
    #[must_use]
    pub fn new(key: impl Into<Arc<IssuingKey>>) -> Self {
        Self {
            key: key.into(),
            logs: None,
        }
    }

    /// Issues with the timestamp of `logs`, one or several, embedded.
    #[must_use]
    pub fn with_embedded_timestamps(
        key: impl Into<Arc<IssuingKey>>,
        logs: impl Into<Logs>,
    ) -> Self {
        Self {
            key: key.into(),
            logs: Some(logs.into()),
        }
    }

    async fn certificate(
        &self,
        leaf: &Leaf<'_>,
        context: &RequestContext,
    ) -> Result<Certified, Error> {
        let leaf = leaf.issued_by(self.key.issuer()).map_err(Error::Issuer)?;
        let (certificate, timestamps) = match &self.logs {
            Some(logs) => {
                let (certificate, timestamps) = self.logged(&leaf, logs, context).await?;
                (certificate, Some(timestamps))
            }
            None => {
                let signed = async { self.certified(&leaf, None).await };
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
        let signed = async {
            let signed = self.key.sign(leaf.precertificate()).await?;
            leaf.must_be_precertificate(&signed)
                .map_err(Error::Profile)?;
            Ok(signed)
        };
        let precertificate = context.stage(Stage::SignPrecertificate, signed).await?;
        let (issuer_key_hash, tbs) = (self.key.issuer().key_hash(), leaf.log_entry_tbs());
        let unused = context.precertificate(issuer_key_hash, &tbs);
        let logged = async {
            logs.submit(Submission {
                entry: Entry::Precertificate {
                    issuer_key_hash,
                    tbs: &tbs,
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
            self.certified(leaf, Some(&list)).await
        };
        let certificate = context.stage(Stage::Sign, signed).await?;
        unused.used();
        Ok((certificate, timestamps))
    }

    /// Signs the certificate, and lets it go on only if it is what the profile says.
    async fn certified(
        &self,
        leaf: &IssuedLeaf<'_>,
        sct_list: Option<&[u8]>,
    ) -> Result<CertificateDer<'static>, Error> {
        let signed = self.key.sign(leaf.certificate(sct_list)).await?;
        leaf.must_be_certificate(sct_list, &signed)
            .map_err(Error::Profile)?;
        Ok(signed)
    }
}

impl CertificateAuthority for LocalAuthority {
    fn issue<'a>(&'a self, leaf: &'a Leaf<'_>, context: &'a RequestContext) -> Issuing<'a> {
        Box::pin(self.certificate(leaf, context))
    }

    fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>> {
        vec![self.key.chain().to_vec()]
    }
}
