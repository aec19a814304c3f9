//! What a certificate costs without its signatures, and what checking a chain costs.

use std::{
    hint::black_box,
    time::{Duration, SystemTime},
};

use divan::Bencher;
use fulcio_cert_builder::{CaChain, CertificateProfile, SerialNumber};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use pki_types::SubjectPublicKeyInfoDer;

/// A leaf on P-256, its intermediate and its root on P-384.
const CHAIN: &str = include_str!("../tests/vectors/leaf/p256_key_with_sct.pem");

fn main() {
    divan::main();
}

/// 22 November 2026, a second after the leaf of [`CHAIN`] was made.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_312_512)
}

fn chain_pem() -> &'static [u8] {
    let leaf = CHAIN.find("-----END").expect("the leaf");
    &CHAIN.as_bytes()[leaf..]
}

fn chain() -> CaChain {
    CaChain::from_pem(chain_pem(), now()).expect("the recorded chain")
}

fn key(chain: &CaChain) -> SubjectPublicKeyInfoDer<'static> {
    chain.issuer().public_key().into_owned()
}

fn person() -> Principal {
    let mut extensions = Extensions::for_issuer("https://accounts.example.com");
    extensions.set(Extension::TokenSubject, "110169484474386276334");
    Principal::new(
        "ada@example.com",
        SubjectAltName::Email("ada@example.com".into()),
        extensions,
    )
}

fn workflow() -> Principal {
    let mut principal = person();
    for extension in Extension::all() {
        let value = "https://github.com/example/project/.github/workflows/release.yml@refs/tags/v1";
        principal.extensions.set(extension, value);
    }
    principal
}

/// Leaf, precertificate, log entry and certificate: everything that an issuance writes.
#[divan::bench(args = ["person", "workflow"])]
fn leaf_precertificate_certificate(bencher: Bencher, kind: &str) {
    let principal = if kind == "person" {
        person()
    } else {
        workflow()
    };
    let chain = chain();
    let key = key(&chain);
    let serial = SerialNumber::from_random([0x5a; 20]);
    bencher.bench(|| {
        let leaf = CertificateProfile::CODE_SIGNING
            .leaf(&principal, key.clone(), serial, now())
            .expect("a leaf");
        let issued = leaf.issued_by(chain.issuer()).expect("a valid issuer");
        let precertificate = issued.precertificate().signed(&[0; 103]);
        let entry = issued.log_entry_tbs();
        let certificate = issued.certificate(Some(&[0; 130])).signed(&[0; 103]);
        black_box((precertificate, entry, certificate))
    });
}

/// What is compared before a certificate leaves: one reading of its octets.
#[divan::bench(args = ["person", "workflow"])]
fn certificate_is_what_its_profile_says(bencher: Bencher, kind: &str) {
    let principal = if kind == "person" {
        person()
    } else {
        workflow()
    };
    let chain = chain();
    let serial = SerialNumber::from_random([0x5a; 20]);
    let leaf = CertificateProfile::CODE_SIGNING
        .leaf(&principal, key(&chain), serial, now())
        .expect("a leaf");
    let issued = leaf.issued_by(chain.issuer()).expect("a valid issuer");
    let mut list = [7; 130];
    list[..4].copy_from_slice(&[0, 128, 0, 126]);
    let certificate = issued.certificate(Some(&list)).signed(&[0; 103]);
    bencher.bench(|| {
        issued
            .must_be_certificate(Some(&list), black_box(&certificate))
            .expect("no deviation");
    });
}

/// Decodes two certificates on P-384 and verifies one signature.
#[divan::bench]
fn chain_from_pem(bencher: Bencher) {
    bencher.bench(|| CaChain::from_pem(black_box(chain_pem()), now()));
}
