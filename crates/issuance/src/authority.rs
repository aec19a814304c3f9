use core::{fmt, pin::Pin};

use fulcio_cert_builder::Leaf;
use fulcio_ct_client::SignedCertificateTimestamp;
use pki_types::CertificateDer;

use crate::{Error, RequestContext};

/// Turns the contents of a certificate into a certificate.
///
/// [`LocalAuthority`](crate::LocalAuthority) signs with a key of ours. A service that has its own
/// profile reads what it needs out of the [`Leaf`] and may set its own dates and serial number.
pub trait CertificateAuthority: fmt::Debug + Send + Sync {
    /// Issues one certificate.
    fn issue<'a>(&'a self, leaf: &'a Leaf<'_>, context: &'a RequestContext) -> Issuing<'a>;

    /// The chains a verifier may trust, each from the issuer to the root.
    fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>>;
}

/// The answer that [`CertificateAuthority::issue`] promises.
pub type Issuing<'a> = Pin<Box<dyn Future<Output = Result<Certified, Error>> + Send + 'a>>;

/// A certificate, the chain above it, and what its logs promised.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Certified {
    /// The certificate first, the root last.
    pub chain: Vec<CertificateDer<'static>>,
    /// The promise that the caller gets.
    pub timestamp: Timestamp,
    /// Promises of further logs, which go nowhere but into the [`Journal`](crate::Journal).
    pub further_timestamps: Vec<SignedCertificateTimestamp>,
}

/// Where a log's promise for a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "RFC 6962 section 3.3 as Fulcio uses it"
)]
pub enum Timestamp {
    /// Beside the certificate.
    Detached(SignedCertificateTimestamp),
    /// In the certificate: one, or as many as logs were to be named in it.
    Embedded(Vec<SignedCertificateTimestamp>),
    /// There is none: the certificate was not logged.
    None,
}

impl Certified {
    /// Puts a chain, leaf first, and a timestamp together.
    #[must_use]
    pub fn new(chain: Vec<CertificateDer<'static>>, timestamp: Timestamp) -> Self {
        Self {
            chain,
            timestamp,
            further_timestamps: Vec::new(),
        }
    }

    /// The promises in the certificate or beside it, none where it was not logged.
    #[must_use]
    pub fn timestamps(&self) -> &[SignedCertificateTimestamp] {
        match &self.timestamp {
            Timestamp::Detached(timestamp) => core::slice::from_ref(timestamp),
            Timestamp::Embedded(timestamps) => timestamps,
            Timestamp::None => &[],
        }
    }
}
