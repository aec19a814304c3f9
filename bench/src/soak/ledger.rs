use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// What clients got from one server.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// SHA-256 of every certificate in DER.
    pub(crate) certificates: HashSet<[u8; 32]>,
    /// Some of them, in PEM, with the address that each is to name.
    pub(crate) samples: Vec<(String, String)>,
    /// How many of them were looked at closely when they came.
    pub(crate) checked: u64,
}

impl Ledger {
    /// Enters the first certificate of an answer; gives how many there are.
    pub(crate) fn enter(&mut self, body: &[u8], email: &str) -> Result<usize> {
        let text = core::str::from_utf8(body).unwrap_or_default();
        // A body of gRPC has binary fields around the text.
        let lossy;
        let text = if text.is_empty() {
            lossy = String::from_utf8_lossy(body);
            &lossy
        } else {
            text
        };
        let (_, rest) = text.split_once(BEGIN).context("no certificate")?;
        let (inside, _) = rest.split_once(END).context("half a certificate")?;
        let inside = inside.replace("\\n", "").replace('\n', "");
        let der = BASE64_STANDARD.decode(&inside)?;
        let hash = <[u8; 32]>::try_from(digest(&SHA256, &der).as_ref())?;
        ensure!(self.certificates.insert(hash), "the same certificate twice");
        let count = self.certificates.len();
        if count % KEPT == 1 {
            let pem = crate::authority::pem("CERTIFICATE", &der)?;
            self.samples.push((pem, email.to_owned()));
        }
        Ok(count)
    }
}

/// One of so many is kept as a whole.
const KEPT: usize = 500;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_of_an_answer_is_entered_once() {
        let mut ledger = Ledger::default();
        let json = br#"{"chain":"-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n-----BEGIN"#;
        assert_eq!(ledger.enter(json, "a@example.com").unwrap(), 1);
        let hash = digest(&SHA256, b"abc");
        assert!(ledger.certificates.iter().all(|one| one == hash.as_ref()));
        let grpc = b"\xff\x00-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";
        let error = ledger.enter(grpc, "a@example.com").unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
        assert!(ledger.enter(b"nothing", "a@example.com").is_err());
        assert_eq!(ledger.samples.len(), 1);
    }
}
