//! Keys and small authorities for the tests of this folder.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, KeyPair,
    },
};
use fulcio_cert_builder::{
    CaChain, CaTemplate, CertificateProfile, DistinguishedName, Leaf, SerialNumber, Unsigned,
};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

/// 21 September 2026.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

pub(crate) fn serial() -> SerialNumber {
    let mut octets = [0; 20];
    aws_lc_rs::rand::fill(&mut octets).unwrap();
    SerialNumber::from_random(octets)
}

pub(crate) struct Key(EcdsaKeyPair);

impl Key {
    pub(crate) fn p256() -> Self {
        Self::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    pub(crate) fn p384() -> Self {
        Self::generate(&ECDSA_P384_SHA384_ASN1_SIGNING)
    }

    fn generate(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self(EcdsaKeyPair::generate(algorithm).unwrap())
    }

    pub(crate) fn spki(&self) -> SubjectPublicKeyInfoDer<'static> {
        let der = self.0.public_key().as_der().unwrap();
        SubjectPublicKeyInfoDer::from(der.as_ref().to_vec())
    }

    pub(crate) fn sign(&self, unsigned: Unsigned) -> CertificateDer<'static> {
        let signature = self.signature(unsigned.to_be_signed());
        unsigned.signed(&signature)
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    /// Signs a `TBSCertificate` that has been tampered with.
    pub(crate) fn sign_tbs(
        &self,
        to_be_signed: &[u8],
        algorithm: &[u8],
    ) -> CertificateDer<'static> {
        let mut signature = vec![0];
        signature.extend(self.signature(to_be_signed));
        let content = [
            to_be_signed,
            &element(0x30, algorithm),
            &element(0x03, &signature),
        ]
        .concat();
        CertificateDer::from(element(0x30, &content))
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let header = match len {
        0..0x80 => vec![tag, len as u8],
        0x80..0x100 => vec![tag, 0x81, len as u8],
        _ => vec![tag, 0x82, (len >> 8) as u8, len as u8],
    };
    [header.as_slice(), content].concat()
}

/// A root and an intermediate on P-384.
pub(crate) struct Authority {
    pub(crate) root_key: Key,
    pub(crate) key: Key,
    pub(crate) root: CertificateDer<'static>,
    pub(crate) intermediate: CertificateDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::with(root_template(), intermediate_template())
    }

    pub(crate) fn with(root: CaTemplate, intermediate: CaTemplate) -> Self {
        Self::tampered(root, intermediate, |_| {})
    }

    /// Lets `tamper` change the intermediate before it is signed.
    pub(crate) fn tampered(
        root: CaTemplate,
        intermediate: CaTemplate,
        tamper: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let (root_key, key) = (Key::p384(), Key::p384());
        let root = root
            .unsigned(root_key.spki(), serial(), now(), None)
            .unwrap();
        let root = root_key.sign(root);
        let alone = CaChain::new(vec![root.clone()], now()).unwrap();
        let unsigned = intermediate
            .unsigned(key.spki(), serial(), now(), Some(alone.issuer()))
            .unwrap();
        let mut tbs = unsigned.to_be_signed().to_vec();
        tamper(&mut tbs);
        let intermediate = root_key.sign_tbs(&tbs, &unsigned.signature_algorithm());
        Self {
            root_key,
            key,
            root,
            intermediate,
        }
    }

    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        vec![self.intermediate.clone(), self.root.clone()]
    }

    pub(crate) fn chain(&self) -> CaChain {
        CaChain::new(self.certificates(), now()).unwrap()
    }
}

pub(crate) fn root_template() -> CaTemplate {
    CaTemplate::root(DistinguishedName::new("example.com", "root"))
}

pub(crate) fn intermediate_template() -> CaTemplate {
    CaTemplate::intermediate(DistinguishedName::new("example.com", "intermediate"))
}

/// Replaces the one place where `from` is.
pub(crate) fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let places: Vec<_> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(place, _)| place)
        .collect();
    let [place] = places[..] else {
        panic!("{from:02x?} is in {} places", places.len());
    };
    bytes[place..place + to.len()].copy_from_slice(to);
}

pub(crate) fn ada() -> Principal {
    named(SubjectAltName::Email("ada@example.com".into()))
}

pub(crate) fn named(subject: SubjectAltName) -> Principal {
    let mut extensions = Extensions::for_issuer("https://accounts.example.com");
    extensions.set(Extension::TokenSubject, "1234");
    Principal::new("ada@example.com", subject, extensions)
}

pub(crate) fn leaf(principal: &Principal) -> Leaf<'static> {
    CertificateProfile::CODE_SIGNING
        .leaf(principal, Key::p256().spki(), serial(), now())
        .unwrap()
        .into_owned()
}

/// Runs the `openssl` program in `folder`; gives what it printed.
pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program openssl is needed by this test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}
