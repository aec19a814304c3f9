//! Certificates that Fulcio made, written again from what they say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, time::SystemTime};

use der::{Decode, Encode, asn1::OctetString};
use fulcio_cert_builder::{CaChain, CaTemplate, CertificateProfile, SerialNumber};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer, pem::PemObject};
use x509_cert::Certificate;

/// A recorded certificate, its chain, and the lines of text before them.
struct Vector {
    lines: Vec<(String, String)>,
    der: CertificateDer<'static>,
    certificate: Certificate,
    chain: String,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut blocks = text.match_indices("-----BEGIN").map(|(at, _)| at);
        let first = blocks.next().unwrap();
        let chain = blocks.next().map_or("", |at| &text[at..]).to_owned();
        let der = CertificateDer::from_pem_slice(text.as_bytes()).unwrap();
        Self {
            lines: text[..first]
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            certificate: Certificate::from_der(&der).unwrap(),
            der,
            chain,
        }
    }

    fn line(&self, wanted: &str) -> Option<&str> {
        let (_, value) = self.lines.iter().find(|(name, _)| name == wanted)?;
        Some(value)
    }

    fn principal(&self) -> Principal {
        let mut extensions = Extensions::for_issuer("");
        for (name, value) in &self.lines {
            if let Some(extension) = Extension::from_oid(name) {
                extensions.set(extension, value);
            }
        }
        let subject = match (self.line("email"), self.line("uri"), self.line("username")) {
            (Some(email), None, None) => SubjectAltName::Email(email.into()),
            (None, Some(uri), None) => SubjectAltName::Uri(uri.into()),
            (None, None, Some(name)) => SubjectAltName::Username(name.into()),
            other => panic!("one name is expected: {other:?}"),
        };
        Principal::new("", subject, extensions)
    }

    fn serial(&self) -> SerialNumber {
        let recorded = self
            .certificate
            .tbs_certificate()
            .serial_number()
            .as_bytes();
        let mut octets = [0; 20];
        octets[20 - recorded.len()..].copy_from_slice(recorded);
        SerialNumber::from_random(octets)
    }

    fn dates(&self) -> (SystemTime, SystemTime) {
        let validity = self.certificate.tbs_certificate().validity();
        (
            validity.not_before.to_system_time(),
            validity.not_after.to_system_time(),
        )
    }

    fn key(&self) -> SubjectPublicKeyInfoDer<'static> {
        let key = self.certificate.tbs_certificate().subject_public_key_info();
        SubjectPublicKeyInfoDer::from(key.to_der().unwrap())
    }

    fn sct_list(&self) -> Option<Vec<u8>> {
        let extension = self
            .certificate
            .tbs_certificate()
            .extensions()
            .unwrap()
            .iter()
            .find(|extension| extension.extn_id.to_string() == "1.3.6.1.4.1.11129.2.4.2")?;
        let list = OctetString::from_der(extension.extn_value.as_bytes()).unwrap();
        Some(list.as_bytes().to_vec())
    }

    fn signature(&self) -> &[u8] {
        self.certificate.signature().raw_bytes()
    }
}

fn vectors(folder: &str) -> Vec<(String, Vector)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(folder);
    let mut vectors: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), Vector::read(&path)))
        .collect();
    vectors.sort_by(|(left, _), (right, _)| left.cmp(right));
    vectors
}

#[test]
fn leaves_are_those_of_fulcio_byte_for_byte() {
    let vectors = vectors("leaf");
    assert!(vectors.len() >= 10, "vectors are missing");
    for (name, vector) in vectors {
        let (not_before, not_after) = vector.dates();
        let chain = CaChain::from_pem(vector.chain.as_bytes(), not_before).unwrap();
        let profile = CertificateProfile {
            lifetime: not_after.duration_since(not_before).unwrap(),
            subject_key_identifier: vector.line("subject key identifier").is_some(),
        };
        let leaf = profile
            .leaf(
                &vector.principal(),
                vector.key(),
                vector.serial(),
                not_before,
            )
            .unwrap()
            .into_owned();
        let certificate = leaf
            .issued_by(chain.issuer())
            .unwrap()
            .certificate(vector.sct_list().as_deref());
        assert_eq!(certificate.signed(vector.signature()), vector.der, "{name}");
    }
}

#[test]
fn the_ephemeral_root_is_that_of_fulcio_byte_for_byte() {
    let [(_, vector)] = &vectors("root")[..] else {
        panic!("one vector is expected");
    };
    let (not_before, _) = vector.dates();
    let root = CaTemplate::ephemeral()
        .unsigned(vector.key(), vector.serial(), not_before, None)
        .unwrap();
    assert_eq!(root.signed(vector.signature()), vector.der);
}
