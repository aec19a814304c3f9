use std::time::SystemTime;

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use fulcio_cert_builder::{CaChain, CaTemplate, CertificateProfile, SerialNumber};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use pki_types::SubjectPublicKeyInfoDer;

use super::{Entry, START, at};

pub(crate) const GITHUB: &str = "https://token.actions.example.com";

/// Issues certificates as ours does.
#[derive(Debug)]
pub(crate) struct Authority {
    key: EcdsaKeyPair,
    chain: CaChain,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let root = CaTemplate::ephemeral()
            .unsigned(spki(&key), SerialNumber::from_random([1; 20]), now(), None)
            .unwrap();
        let signature = key.sign(&SystemRandom::new(), root.to_be_signed()).unwrap();
        let root = root.signed(signature.as_ref());
        let chain = CaChain::new(vec![root], now()).unwrap();
        Self { key, chain }
    }

    /// What a log gets before the certificate is signed.
    pub(crate) fn precertificate(&self, principal: &Principal, serial: u8) -> Entry {
        let Entry::Certificate(certificate) = self.certificate(principal, serial) else {
            unreachable!()
        };
        Entry::Precertificate(tbs(&certificate))
    }

    pub(crate) fn certificate(&self, principal: &Principal, serial: u8) -> Entry {
        let serial = SerialNumber::from_random([serial; 20]);
        let leaf = CertificateProfile::CODE_SIGNING
            .leaf(principal, spki(&self.key), serial, now())
            .unwrap();
        let issued = leaf.issued_by(self.chain.issuer()).unwrap();
        let unsigned = issued.certificate(None);
        let signature = self.key.sign(&SystemRandom::new(), unsigned.to_be_signed());
        Entry::Certificate(unsigned.signed(signature.unwrap().as_ref()).to_vec())
    }
}

/// The first element of a certificate. Both have lengths of two bytes.
fn tbs(certificate: &[u8]) -> Vec<u8> {
    assert_eq!(certificate[..2], [0x30, 0x82]);
    assert_eq!(certificate[4..6], [0x30, 0x82]);
    let length = u16::from_be_bytes([certificate[6], certificate[7]]);
    certificate[4..8 + usize::from(length)].to_vec()
}

pub(crate) fn principal(email: &str) -> Principal {
    Principal::new(
        email,
        SubjectAltName::Email(email.into()),
        Extensions::for_issuer("https://accounts.example.com"),
    )
}

/// A workflow of this repository.
pub(crate) fn workflow(repository: &str) -> Principal {
    let mut extensions = Extensions::for_issuer(GITHUB);
    extensions.set(Extension::SourceRepositoryUri, repository);
    extensions.set(Extension::BuildTrigger, "push");
    let uri = format!("{repository}/.github/workflows/release.yml@refs/heads/main");
    Principal::new(uri.clone(), SubjectAltName::Uri(uri), extensions)
}

fn spki(key: &EcdsaKeyPair) -> SubjectPublicKeyInfoDer<'static> {
    let der = key.public_key().as_der().unwrap();
    SubjectPublicKeyInfoDer::from(der.as_ref().to_vec())
}

fn now() -> SystemTime {
    at(START)
}
