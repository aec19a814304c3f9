use crate::SignedCertificateTimestamp;

/// What the logs promised for one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timestamps {
    /// Those that go into the certificate, or to whoever asked for it; there is at least one.
    pub embedded: Vec<SignedCertificateTimestamp>,
    /// The others, which prove as much and go nowhere but into records.
    pub beside: Vec<SignedCertificateTimestamp>,
}

impl From<SignedCertificateTimestamp> for Timestamps {
    fn from(only: SignedCertificateTimestamp) -> Self {
        Self {
            embedded: vec![only],
            beside: Vec::new(),
        }
    }
}
