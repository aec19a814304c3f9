use core::{fmt, pin::Pin};
use std::sync::Arc;

use pki_types::CertificateDer;

use crate::{Entry, Error, SignedCertificateTimestamp};

/// One log: takes certificates, and promises to publish them. Several together are
/// [`Logs`](crate::Logs).
pub trait TransparencyLog: fmt::Debug + Send + Sync {
    /// Submits one certificate or precertificate, and answers within a bounded time.
    ///
    /// The timestamp that comes back has been verified wherever the log's key is known.
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a>;
}

impl<L: TransparencyLog + ?Sized> TransparencyLog for Arc<L> {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        (**self).submit(submission)
    }
}

/// The answer that [`TransparencyLog::submit`] promises.
pub type Submitting<'a> =
    Pin<Box<dyn Future<Output = Result<SignedCertificateTimestamp, Error>> + Send + 'a>>;

/// One certificate on its way into a log.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `submit`, by name"
)]
pub struct Submission<'a> {
    /// What the log will sign for; it also decides between add-chain and add-pre-chain.
    pub entry: Entry<'a>,
    /// The certificate or precertificate as it was signed.
    pub certificate: &'a CertificateDer<'a>,
    /// The certificates above it, its issuer first, the root last.
    pub issuers: &'a [CertificateDer<'static>],
}
