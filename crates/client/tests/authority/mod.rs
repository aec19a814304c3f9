//! An authority of a root and an intermediate, and the certificates it issues.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::time::{Duration, SystemTime};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use fulcio_cert_builder::{
    CaChain, CaTemplate, CertificateProfile, DistinguishedName, IssuedLeaf, SerialNumber, Unsigned,
};
use fulcio_client::Trust;
use fulcio_ct_client::{Entry, SignedCertificateTimestamp, encode_sct_list};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use fulcio_testkit::log::FakeLog;
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

pub(crate) const IDENTITY: &str = "ada@example.com";
pub(crate) const ISSUER: &str = "https://accounts.example.com";

/// A second before the time in the promises of [`FakeLog`].
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(FakeLog::TIMESTAMP - 1000)
}

pub(crate) struct Key(EcdsaKeyPair);

impl Key {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn spki(&self) -> SubjectPublicKeyInfoDer<'static> {
        let der = self.0.public_key().as_der().unwrap();
        SubjectPublicKeyInfoDer::from(der.as_ref().to_vec())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    fn certify(&self, unsigned: Unsigned) -> CertificateDer<'static> {
        let signature = self.sign(unsigned.to_be_signed());
        unsigned.signed(&signature)
    }
}

pub(crate) struct Authority {
    key: Key,
    chain: CaChain,
}

/// What [`Authority::issue_as`] may do differently.
pub(crate) struct Manner<'a> {
    pub(crate) principal: Principal,
    /// Changes the fields that are signed; the length stays.
    pub(crate) tamper: &'a dyn Fn(&mut [u8]),
    /// The timestamps that go into the certificate.
    pub(crate) timestamps: &'a dyn Fn(&Entry<'_>) -> Vec<SignedCertificateTimestamp>,
}

pub(crate) struct Issued {
    pub(crate) certificate: CertificateDer<'static>,
    /// What the authority itself says that the log has to sign for.
    pub(crate) log_entry_tbs: Vec<u8>,
    pub(crate) issuer_key_hash: [u8; 32],
}

impl Authority {
    /// An authority called `name`.
    pub(crate) fn new(name: &str) -> Self {
        let (root, root_chain) = root(name);
        Self::below(name, &root, &root_chain)
    }

    /// Two authorities of the same name and root, as there are when a key was renewed.
    pub(crate) fn renewed(name: &str) -> [Self; 2] {
        let (root, root_chain) = root(name);
        [(); 2].map(|()| Self::below(name, &root, &root_chain))
    }

    /// An authority below one that may do everything.
    pub(crate) fn deep(name: &str) -> Self {
        let mut template = CaTemplate::root(DistinguishedName::new(name, "root"));
        template.path_length = Some(2);
        let root_key = Key::new();
        let unsigned = template.unsigned(root_key.spki(), serial(), now(), None);
        let root = root_key.certify(unsigned.unwrap());
        let root_chain = CaChain::new(vec![root], now()).unwrap();
        let mut template = CaTemplate::intermediate(DistinguishedName::new(name, "between"));
        template.path_length = Some(1);
        template.code_signing = false;
        let key = Key::new();
        let unsigned = template
            .unsigned(key.spki(), serial(), now(), Some(root_chain.issuer()))
            .unwrap();
        let between = root_key.certify(unsigned);
        let alone = CaChain::new(vec![between.clone()], now()).unwrap();
        let mut authority = Self::below(name, &key, &alone);
        let mut certificates = vec![authority.chain()[0].clone(), between];
        certificates.extend_from_slice(root_chain.certificates());
        authority.chain = CaChain::new(certificates, now()).unwrap();
        authority
    }

    /// A root that issues by itself.
    pub(crate) fn flat(name: &str) -> Self {
        let (key, chain) = root(name);
        Self { key, chain }
    }

    fn below(name: &str, parent: &Key, parent_chain: &CaChain) -> Self {
        let key = Key::new();
        let template = CaTemplate::intermediate(DistinguishedName::new(name, "intermediate"));
        let unsigned = template
            .unsigned(key.spki(), serial(), now(), Some(parent_chain.issuer()))
            .unwrap();
        let mut certificates = vec![parent.certify(unsigned)];
        certificates.extend_from_slice(parent_chain.certificates());
        let chain = CaChain::new(certificates, now()).unwrap();
        Self { key, chain }
    }

    /// The authority's own certificate first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        self.chain.certificates()
    }

    /// Trusts this authority and `log`.
    pub(crate) fn trusted_with(&self, log: &FakeLog) -> Trust {
        Trust::new(vec![self.chain().to_vec()], vec![log.key().clone()])
    }

    /// A good certificate of Ada.
    pub(crate) fn issue(&self, log: &FakeLog) -> CertificateDer<'static> {
        self.issue_to(ada(), log).certificate
    }

    pub(crate) fn issue_to(&self, principal: Principal, log: &FakeLog) -> Issued {
        self.issue_as(Manner {
            principal,
            tamper: &|_tbs| {},
            timestamps: &|entry| vec![log.promise(entry).unwrap()],
        })
    }

    pub(crate) fn issue_as(&self, manner: Manner<'_>) -> Issued {
        let leaf = CertificateProfile::CODE_SIGNING
            .leaf(&manner.principal, Key::new().spki(), serial(), now())
            .unwrap();
        let issued: IssuedLeaf<'_> = leaf.issued_by(self.chain.issuer()).unwrap();
        let mut log_entry_tbs = issued.log_entry_tbs();
        (manner.tamper)(&mut log_entry_tbs);
        let issuer_key_hash = self.chain.issuer().key_hash();
        let timestamps = (manner.timestamps)(&Entry::Precertificate {
            issuer_key_hash,
            tbs: &log_entry_tbs,
        });
        let list = encode_sct_list(&timestamps);
        let unsigned = issued.certificate((!timestamps.is_empty()).then_some(&list[..]));
        let mut tbs = unsigned.to_be_signed().to_vec();
        (manner.tamper)(&mut tbs);
        let mut certificate = unsigned.signed(&self.key.sign(&tbs)).to_vec();
        (manner.tamper)(&mut certificate);
        Issued {
            certificate: certificate.into(),
            log_entry_tbs,
            issuer_key_hash,
        }
    }
}

fn root(name: &str) -> (Key, CaChain) {
    let key = Key::new();
    let template = CaTemplate::root(DistinguishedName::new(name, "root"));
    let unsigned = template.unsigned(key.spki(), serial(), now(), None);
    let root = key.certify(unsigned.unwrap());
    let chain = CaChain::new(vec![root], now()).unwrap();
    (key, chain)
}

fn serial() -> SerialNumber {
    let mut octets = [0; 20];
    aws_lc_rs::rand::fill(&mut octets).unwrap();
    SerialNumber::from_random(octets)
}

pub(crate) fn ada() -> Principal {
    named(SubjectAltName::Email(IDENTITY.to_owned()))
}

pub(crate) fn named(subject: SubjectAltName) -> Principal {
    let mut extensions = Extensions::for_issuer(ISSUER);
    extensions.set(Extension::TokenSubject, "1234");
    Principal::new(IDENTITY, subject, extensions)
}
