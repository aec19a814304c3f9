use base64::{Engine as _, engine::general_purpose::STANDARD};
use pki_types::CertificateDer;
use rustls::RootCertStore;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Error;

/// The roots that a log accepts certificates under.
#[derive(Clone, Debug)]
pub struct AcceptedRoots(Vec<CertificateDer<'static>>);

impl AcceptedRoots {
    /// As a log has told them.
    #[must_use]
    pub fn new(roots: Vec<CertificateDer<'static>>) -> Self {
        Self(roots)
    }

    /// Reads `{"certificates":[…]}`, the answer to `get-roots` (RFC 6962 section 4.7).
    ///
    /// # Errors
    /// The answer is something else.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        // Read at once, an array of the members would do as well.
        let answer = serde_json::from_slice(json).and_then(|object: Map<String, Value>| {
            serde_json::from_value::<Answer>(Value::Object(object))
        });
        let answer = answer.map_err(|source| Error::RootsAnswer(source.into()))?;
        let roots = answer.certificates.iter().map(|root| {
            let der = STANDARD.decode(root);
            der.map(CertificateDer::from)
                .map_err(|source| Error::RootsAnswer(source.into()))
        });
        roots.collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether the log takes what is issued below `chain`: it accepts one of its certificates, or
    /// another certificate of the same name and key.
    #[must_use]
    pub fn accept(&self, chain: &[CertificateDer<'_>]) -> bool {
        if chain.iter().any(|certificate| self.0.contains(certificate)) {
            return true;
        }
        // What is not a certificate that could be a root is left out on both sides.
        let (mut accepted, mut ours) = (RootCertStore::empty(), RootCertStore::empty());
        accepted.add_parsable_certificates(self.0.iter().cloned());
        ours.add_parsable_certificates(chain.iter().cloned().map(CertificateDer::into_owned));
        ours.roots.iter().any(|ours| {
            accepted.roots.iter().any(|root| {
                root.subject == ours.subject
                    && root.subject_public_key_info == ours.subject_public_key_info
            })
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    certificates: Vec<String>,
}
