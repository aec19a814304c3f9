//! What is not as its leaf says does not leave.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::time::{Duration, SystemTime};

use authority::{Authority, Key, ada, intermediate_template, named, now, serial};
use der::{Decode, Encode};
use fulcio_cert_builder::{CaChain, CertificateProfile, Deviation, IssuedLeaf, Leaf, SerialNumber};
use fulcio_principal::{Extension, Principal, SubjectAltName};
use pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use proptest::prelude::*;
use x509_cert::{Certificate, ext::Extension as Decoded};

/// Two timestamps, as far as their list tells.
const LIST: &[u8] = &[0, 8, 0, 3, 1, 2, 3, 0, 1, 4];

/// Changes the extensions of a certificate.
type Change<'a> = &'a dyn Fn(&mut Vec<Decoded>);

struct Scene {
    authority: Authority,
    chain: CaChain,
    principal: Principal,
    key: SubjectPublicKeyInfoDer<'static>,
    serial: SerialNumber,
    profile: CertificateProfile,
    now: SystemTime,
}

impl Scene {
    fn new() -> Self {
        Self::of(ada())
    }

    fn of(principal: Principal) -> Self {
        let authority = Authority::new();
        Self {
            chain: authority.chain(),
            authority,
            principal,
            key: Key::p256().spki(),
            serial: serial(),
            profile: CertificateProfile::CODE_SIGNING,
            now: now(),
        }
    }

    fn leaf(&self) -> Leaf<'_> {
        let key = SubjectPublicKeyInfoDer::from(self.key.as_ref());
        self.profile
            .leaf(&self.principal, key, self.serial, self.now)
            .unwrap()
    }

    fn with<T>(&self, work: impl FnOnce(&IssuedLeaf<'_>) -> T) -> T {
        work(&self.leaf().issued_by(self.chain.issuer()).unwrap())
    }

    fn precertificate(&self) -> CertificateDer<'static> {
        self.with(|issued| self.authority.key.sign(issued.precertificate()))
    }

    fn certificate(&self, list: Option<&[u8]>) -> CertificateDer<'static> {
        self.with(|issued| self.authority.key.sign(issued.certificate(list)))
    }

    /// Whether what `other` made is what this one wants.
    fn judge(&self, other: &Self) -> [Result<(), Deviation>; 3] {
        let (logged, plain) = (other.certificate(Some(LIST)), other.certificate(None));
        let precertificate = other.precertificate();
        self.with(|issued| {
            [
                issued.must_be_precertificate(&precertificate),
                issued.must_be_certificate(Some(LIST), &logged),
                issued.must_be_certificate(None, &plain),
            ]
        })
    }

    /// What is found where `change` has changed the extensions of a certificate with timestamps.
    fn found_in(&self, change: impl FnOnce(&mut Vec<Decoded>)) -> Result<(), Deviation> {
        let certificate = self.certificate(Some(LIST));
        let tbs = Certificate::from_der(&certificate).unwrap();
        let mut extensions = tbs.tbs_certificate().extensions().unwrap().clone();
        let before = extensions.to_der().unwrap();
        change(&mut extensions);
        let after = explicit(&extensions.to_der().unwrap());
        let tbs = tbs.tbs_certificate().to_der().unwrap();
        let fields = Vec::from(der::asn1::AnyRef::from_der(&tbs).unwrap().value());
        let fields = &fields[..fields.len() - explicit(&before).len()];
        let tbs = element(0x30, &[fields, &after].concat());
        let algorithm = self.chain.issuer().signature_algorithm();
        let changed = self.authority.key.sign_tbs(&tbs, &algorithm);
        Certificate::from_der(&changed).expect("still a certificate");
        self.with(|issued| issued.must_be_certificate(Some(LIST), &changed))
    }
}

fn explicit(extensions: &[u8]) -> Vec<u8> {
    element(0xa3, extensions)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let any = der::Any::new(der::Tag::OctetString, content).unwrap();
    let mut element = any.to_der().unwrap();
    element[0] = tag;
    element
}

/// A build, with all that a certificate may say.
fn workflow() -> Principal {
    let mut principal = named(SubjectAltName::Uri("https://example.com/w@refs/t/1".into()));
    for extension in Extension::all() {
        principal.extensions.set(extension, "a value");
    }
    principal
}

#[test]
fn what_was_made_by_the_profile_has_no_deviation() {
    let usernames = named(SubjectAltName::Username("ada!example.com".into()));
    let mut root_only = Scene::new();
    root_only.chain = CaChain::new(vec![root_only.authority.root.clone()], now()).unwrap();
    let mut unmarked = Scene::new();
    unmarked.profile.subject_key_identifier = false;
    let mut late = Scene::new();
    late.profile.lifetime = Duration::from_secs(100 * 365 * 24 * 3600);
    for scene in [
        Scene::new(),
        Scene::of(workflow()),
        Scene::of(usernames),
        root_only,
        unmarked,
        late,
    ] {
        assert_eq!(scene.judge(&scene), [Ok(()); 3], "{:?}", scene.principal);
    }
}

#[test]
fn a_certificate_of_another_leaf_is_found_by_what_differs() {
    let mut scene = Scene::new();
    let other = |change: &dyn Fn(&mut Scene)| {
        let mut other = Scene {
            authority: Authority::new(),
            chain: scene.chain.clone(),
            principal: scene.principal.clone(),
            key: scene.key.clone(),
            ..scene
        };
        change(&mut other);
        other
    };
    let issuer = Extension::IssuerV2.oid();
    let subject = Extension::TokenSubject.oid();
    let cases: Vec<(Deviation, Scene)> = vec![
        (
            Deviation::PublicKey,
            other(&|it| it.key = Key::p256().spki()),
        ),
        (Deviation::SerialNumber, other(&|it| it.serial = serial())),
        (
            Deviation::Dates,
            other(&|it| it.now += Duration::from_secs(1)),
        ),
        (
            Deviation::Dates,
            other(&|it| it.profile.lifetime += Duration::from_secs(1)),
        ),
        (
            Deviation::SubjectKeyIdentifier,
            other(&|it| it.profile.subject_key_identifier = false),
        ),
        (
            Deviation::SubjectAltName,
            other(&|it| it.principal.subject = SubjectAltName::Email("eve@example.com".into())),
        ),
        (
            Deviation::SubjectAltName,
            other(&|it| it.principal.subject = SubjectAltName::Uri("ada@example.com".into())),
        ),
        (
            Deviation::SubjectAltName,
            other(&|it| it.principal.subject = SubjectAltName::Username("ada@example.com".into())),
        ),
        (
            Deviation::Extension(issuer),
            other(&|it| {
                it.principal
                    .extensions
                    .set(Extension::IssuerV2, "elsewhere")
            }),
        ),
        (
            Deviation::Extension(subject),
            other(&|it| it.principal.extensions.set(Extension::TokenSubject, "")),
        ),
        (
            Deviation::Extension(subject),
            other(&|it| it.principal.extensions.set(Extension::BuildTrigger, "push")),
        ),
        (
            // Another authority of the same name.
            Deviation::AuthorityKeyIdentifier,
            other(&|it| it.chain = it.authority.chain()),
        ),
        (
            Deviation::Issuer,
            other(&|it| {
                it.chain = CaChain::new(vec![it.authority.root.clone()], now()).unwrap();
            }),
        ),
    ];
    for (deviation, other) in &cases {
        assert_eq!(scene.judge(other), [Err(*deviation); 3], "{deviation:?}");
    }

    scene.principal.extensions.set(Extension::TokenSubject, "");
    let more = &cases[0].1;
    let certificate = Scene {
        principal: more.principal.clone(),
        key: scene.key.clone(),
        chain: scene.chain.clone(),
        authority: Authority::new(),
        ..scene
    }
    .certificate(None);
    let found = scene.with(|issued| issued.must_be_certificate(None, &certificate));
    assert_eq!(found, Err(Deviation::ExtensionNotInProfile));
}

#[test]
fn a_chain_of_another_algorithm_is_found() {
    let scene = Scene::new();
    let p256 = Key::p256();
    let parent = CaChain::new(vec![scene.authority.root.clone()], now()).unwrap();
    let intermediate = intermediate_template()
        .unsigned(p256.spki(), serial(), now(), Some(parent.issuer()))
        .unwrap();
    let intermediate = scene.authority.root_key.sign(intermediate);
    let mut other = Scene::new();
    other.key = scene.key.clone();
    other.serial = scene.serial;
    other.chain = CaChain::new(vec![intermediate, scene.authority.root.clone()], now()).unwrap();
    let expected = [Err(Deviation::SignatureAlgorithm); 3];
    assert_eq!(scene.judge(&other), expected);
}

#[test]
fn a_precertificate_cannot_leave_as_a_certificate_nor_the_reverse() {
    let scene = Scene::new();
    let (precertificate, logged) = (scene.precertificate(), scene.certificate(Some(LIST)));
    let plain = scene.certificate(None);
    scene.with(|issued| {
        assert_eq!(
            issued.must_be_certificate(Some(LIST), &precertificate),
            Err(Deviation::Poison)
        );
        assert_eq!(
            issued.must_be_certificate(None, &precertificate),
            Err(Deviation::ExtensionNotInProfile)
        );
        for certificate in [&logged, &plain] {
            assert_eq!(
                issued.must_be_precertificate(certificate),
                Err(Deviation::Poison)
            );
        }
    });
}

#[test]
fn the_timestamps_must_be_those_that_were_promised() {
    let scene = Scene::new();
    let plain = scene.certificate(None);
    let logged = scene.certificate(Some(LIST));
    scene.with(|issued| {
        assert_eq!(
            issued.must_be_certificate(Some(LIST), &plain),
            Err(Deviation::Timestamps)
        );
        assert_eq!(
            issued.must_be_certificate(None, &logged),
            Err(Deviation::ExtensionNotInProfile)
        );
        assert_eq!(
            issued.must_be_certificate(Some(&[0, 3, 0, 1, 4]), &logged),
            Err(Deviation::Timestamps)
        );
    });
    for list in [
        &[][..],
        &[0, 0],
        &[0, 2, 0, 0],
        &[0, 3, 0, 2, 1],
        &[0, 4, 0, 1, 1],
        &[0, 3, 0, 1, 1, 0],
        &[0, 4, 0, 1, 1, 0],
    ] {
        let certificate = scene.certificate(Some(list));
        let found = scene.with(|issued| issued.must_be_certificate(Some(list), &certificate));
        assert_eq!(found, Err(Deviation::Timestamps), "{list:?}");
    }
}

#[test]
fn an_extension_that_is_moved_doubled_dropped_or_differently_critical_is_found() {
    let scene = Scene::of(workflow());
    assert_eq!(scene.found_in(|_| {}), Ok(()));
    let count = scene.with(|issued| issued.leaf().extensions().count()) + 2;
    for place in 0..count {
        let changes: [Change<'_>; 5] = [
            &|all| drop(all.remove(place)),
            &|all| all.insert(place, all[place].clone()),
            &|all| all.push(all[place].clone()),
            &|all| all[place].critical = !all[place].critical,
            &|all| {
                let other = (place + 1) % all.len();
                all.swap(place, other);
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let found = scene.found_in(change);
            assert!(found.is_err(), "change {number} of extension {place}");
        }
    }
}

#[test]
fn usages_beyond_the_profile_are_found() {
    let scene = Scene::new();
    let value = |place: usize, value: &'static [u8]| {
        scene.found_in(|all| {
            all[place].extn_value = der::asn1::OctetString::new(value).unwrap();
        })
    };
    // Key usages: certificate signing as well, none at all, and the same bit in a longer string.
    for usages in [
        &[3, 2, 2, 0x84][..],
        &[3, 1, 0],
        &[3, 2, 0, 0x80],
        &[3, 3, 7, 0x80, 0],
        &[3, 2, 7, 0x80, 5, 0],
    ] {
        assert_eq!(value(0, usages), Err(Deviation::KeyUsage));
    }
    // Extended ones: any purpose, none, and server authentication beside code signing.
    for usages in [
        &[0x30, 6, 6, 4, 0x55, 0x1d, 0x25, 0][..],
        &[0x30, 0],
        &[
            0x30, 20, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 3, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1,
        ],
    ] {
        assert_eq!(value(1, usages), Err(Deviation::ExtendedKeyUsage));
    }
}

#[test]
fn a_second_name_is_found() {
    let scene = Scene::new();
    let names = [
        &[0x30, 34][..],
        &[0x81, 15],
        b"ada@example.com",
        &[0x81, 15],
        b"eve@example.com",
    ]
    .concat();
    let found = scene.found_in(|all| {
        all[4].extn_value = der::asn1::OctetString::new(names).unwrap();
    });
    assert_eq!(found, Err(Deviation::SubjectAltName));
}

#[test]
fn a_certificate_without_a_signature_is_found() {
    let scene = Scene::new();
    let unsigned = scene.with(|issued| issued.certificate(None).signed(&[]));
    let found = scene.with(|issued| issued.must_be_certificate(None, &unsigned));
    assert_eq!(found, Err(Deviation::Signature));
}

/// How many octets the signature has, at the end.
fn signature_len(certificate: &[u8]) -> usize {
    let certificate = Certificate::from_der(certificate).unwrap();
    certificate.signature().raw_bytes().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn whatever_octet_is_changed_outside_the_signature_it_is_found(
        value: u8,
        build: bool,
        serial: [u8; 20],
        logged: bool,
    ) {
        let mut scene = Scene::of(if build { workflow() } else { ada() });
        scene.serial = SerialNumber::from_random(serial);
        let list = logged.then_some(LIST);
        let good = scene.certificate(list);
        let end = good.len() - signature_len(&good);
        scene.with(|issued| {
            prop_assert_eq!(issued.must_be_certificate(list, &good), Ok(()));
            for place in 0..end {
                for value in [value, good[place] ^ 1, good[place] ^ 0x80] {
                    let mut changed = good.to_vec();
                    changed[place] = value;
                    let changed = CertificateDer::from(changed);
                    let found = issued.must_be_certificate(list, &changed);
                    prop_assert_eq!(found.is_err(), changed != good, "{} at {}", value, place);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn octets_that_are_missing_or_more_are_found(
        place: prop::sample::Index,
        more: u8,
    ) {
        let scene = Scene::new();
        let good = scene.precertificate();
        let place = place.index(good.len());
        let mut longer = good.to_vec();
        longer.insert(place, more);
        longer.push(more);
        let mut shorter = good.to_vec();
        shorter.truncate(place);
        scene.with(|issued| {
            for changed in [longer, shorter] {
                let found = issued.must_be_precertificate(&CertificateDer::from(changed));
                prop_assert!(found.is_err());
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_octets_make_it_panic(octets: Vec<u8>) {
        let scene = Scene::new();
        scene.with(|issued| {
            let octets = CertificateDer::from(octets);
            prop_assert!(issued.must_be_precertificate(&octets).is_err());
            prop_assert!(issued.must_be_certificate(Some(LIST), &octets).is_err());
            Ok(())
        })?;
    }
}
