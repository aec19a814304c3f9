use std::sync::Arc;

use fulcio_cert_builder::CertificateProfile;
use fulcio_challenge::{ProvenBy, ProvenKey};
use fulcio_ct_client::{Entry, Logs, Submission};
use fulcio_principal::Identity;

use crate::{
    Admission, CertificateAuthority, Certified, Clock, Decision, Error, Journal,
    RandomSerialNumbers, RequestContext, SerialNumbers, Stage, SystemClock, Timestamp,
};

/// Issues certificates to callers whose identity and key have been established.
#[derive(Clone, Debug)]
pub struct CertificateIssuer {
    authority: Arc<dyn CertificateAuthority>,
    profile: CertificateProfile,
    detached: Option<Logs>,
    admission: Option<Arc<dyn Admission>>,
    journal: Option<Arc<dyn Journal>>,
    clock: Arc<dyn Clock>,
    serial_numbers: Arc<dyn SerialNumbers>,
}

impl CertificateIssuer {
    /// Issues through `authority`, by the code-signing profile and the machine's clock, to
    /// everybody whose identity and key are good.
    #[must_use]
    pub fn new(authority: Arc<dyn CertificateAuthority>) -> Self {
        Self {
            authority,
            profile: CertificateProfile::CODE_SIGNING,
            detached: None,
            admission: None,
            journal: None,
            clock: Arc::new(SystemClock),
            serial_numbers: Arc::new(RandomSerialNumbers::default()),
        }
    }

    /// Issues by another profile.
    #[must_use]
    pub fn with_profile(mut self, profile: CertificateProfile) -> Self {
        self.profile = profile;
        self
    }

    /// Submits every certificate whose authority embeds no timestamp to `logs`, one or several, and
    /// returns one timestamp beside it.
    #[must_use]
    pub fn with_detached_timestamps(mut self, logs: impl Into<Logs>) -> Self {
        self.detached = Some(logs.into());
        self
    }

    /// Asks `admission` before anything is signed.
    #[must_use]
    pub fn with_admission(mut self, admission: Arc<dyn Admission>) -> Self {
        self.admission = Some(admission);
        self
    }

    /// Keeps every decision in `journal` before its answer leaves.
    #[must_use]
    pub fn with_journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes serial numbers from `serial_numbers`.
    #[must_use]
    pub fn with_serial_numbers(mut self, serial_numbers: Arc<dyn SerialNumbers>) -> Self {
        self.serial_numbers = serial_numbers;
        self
    }

    /// The authority that signs.
    #[must_use]
    pub fn authority(&self) -> &dyn CertificateAuthority {
        &*self.authority
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Issues one certificate for `key` that names `identity`, and keeps a record of the decision
    /// either way.
    ///
    /// # Errors
    /// The key was proven for another identity; the caller was not admitted; the authority, the
    /// log or the journal failed.
    pub async fn issue(
        &self,
        identity: &Identity,
        key: &ProvenKey,
        context: &RequestContext,
    ) -> Result<Certified, Error> {
        context.judged_by(identity.voucher());
        let waiting = Waiting {
            journal: self.journal.as_deref(),
            identity,
            context,
        };
        let answer = match self.certificate(identity, key, context).await {
            Ok(certified) => Ok(certified),
            Err(error) => Err(self.refuse(Some(identity), error, context).await),
        };
        waiting.end();
        answer
    }

    /// Asks whether a request may be looked at.
    pub(crate) fn admit_request(&self, context: &RequestContext) -> Result<(), Error> {
        match &self.admission {
            Some(admission) => admission.admit_request(context).map_err(Error::Admission),
            None => Ok(()),
        }
    }

    /// Keeps a record of a refusal and hands the error back; that the record could not be kept
    /// changes nothing for a caller who gets no certificate anyway.
    pub(crate) async fn refuse(
        &self,
        identity: Option<&Identity>,
        error: Error,
        context: &RequestContext,
    ) -> Error {
        if let Some(journal) = &self.journal {
            let decision = Decision::Refused {
                identity,
                error: &error,
            };
            if let Err(failure) = record(&**journal, decision, context).await {
                tracing::error!(
                    request_id = context.request_id,
                    error = &failure as &dyn core::error::Error,
                    "a refusal was not recorded"
                );
            }
        }
        error
    }

    async fn certificate(
        &self,
        identity: &Identity,
        key: &ProvenKey,
        context: &RequestContext,
    ) -> Result<Certified, Error> {
        let principal = identity.principal();
        if let ProvenBy::Challenge(challenge) = key.proven_by()
            && *challenge != principal.challenge
        {
            return Err(Error::ProofOfAnother);
        }
        if let Some(admission) = &self.admission {
            let admitted = async {
                let admitted = admission.admit(identity, key, context).await;
                admitted.map_err(Error::Admission)
            };
            context.stage(Stage::Admit, admitted).await?;
        }

        let leaf = self
            .profile
            .leaf(
                principal,
                key.spki(),
                self.serial_numbers.next()?,
                self.clock.now(),
            )
            .map_err(Error::Leaf)?;
        let mut certified = self.authority.issue(&leaf, context).await?;
        if let (Timestamp::None, Some(logs)) = (&certified.timestamp, &self.detached) {
            certified = with_timestamp(certified, logs, context).await?;
        }

        if let Some(journal) = &self.journal {
            let decision = Decision::Issued {
                identity,
                certified: &certified,
            };
            record(&**journal, decision, context).await?;
        }
        Ok(certified)
    }
}

/// Somebody waits for an answer; the journal is told where that ends before the answer is there.
struct Waiting<'a> {
    journal: Option<&'a dyn Journal>,
    identity: &'a Identity,
    context: &'a RequestContext,
}

impl Waiting<'_> {
    fn end(mut self) {
        self.journal = None;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(journal) = self.journal
            && self.context.precertificate_entry().is_some()
        {
            journal.abandoned(self.identity, self.context);
        }
    }
}

async fn record(
    journal: &dyn Journal,
    decision: Decision<'_>,
    context: &RequestContext,
) -> Result<(), Error> {
    let recorded = async {
        let recorded = journal.record(decision, context).await;
        recorded.map_err(Error::Journal)
    };
    context.stage(Stage::Journal, recorded).await
}

async fn with_timestamp(
    certified: Certified,
    logs: &Logs,
    context: &RequestContext,
) -> Result<Certified, Error> {
    let Some((certificate, issuers)) = certified.chain.split_first() else {
        return Ok(certified);
    };
    let submission = Submission {
        entry: Entry::Certificate(certificate),
        certificate,
        issuers,
    };
    let logged = async { logs.submit(submission).await.map_err(Error::Log) };
    let timestamps = context.stage(Stage::Log, logged).await?;
    // Beside a certificate there is room for one.
    let mut all = timestamps.embedded.into_iter().chain(timestamps.beside);
    let timestamp = all.next().map_or(Timestamp::None, Timestamp::Detached);
    Ok(Certified {
        timestamp,
        further_timestamps: all.collect(),
        ..certified
    })
}
