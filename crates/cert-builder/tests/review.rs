//! Which CA certificates break Sigstore's certificate specification, and which rule. Those that this
//! crate cannot make, OpenSSL makes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::{fs, path::Path, time::Duration};

use authority::{Authority, Key, intermediate_template, now, openssl, root_template, serial};
use fulcio_cert_builder::{
    Advice, CaChain, CaTemplate, DistinguishedName, Lifetime, NameConstraint, NameForm, Review,
    Role, Violation,
};
use pki_types::{CertificateDer, pem::PemObject};
use tempfile::TempDir;

/// What the rules say of a root with this template.
fn root(change: impl FnOnce(&mut CaTemplate)) -> Review {
    let mut template = root_template();
    change(&mut template);
    let key = Key::p384();
    let unsigned = template
        .unsigned(key.spki(), serial(), now(), None)
        .unwrap();
    let review = unsigned.review(&[]).unwrap();
    // Signing it changes nothing.
    assert_eq!(Review::of(&key.sign(unsigned), &[]).unwrap(), review);
    review
}

/// What the rules say of an intermediate with this template, below a root with that one.
fn intermediate(
    change_root: impl FnOnce(&mut CaTemplate),
    change: impl FnOnce(&mut CaTemplate),
) -> Review {
    let (mut root, mut template) = (root_template(), intermediate_template());
    change_root(&mut root);
    change(&mut template);
    let authority = Authority::with(root, template);
    Review::of(&authority.intermediate, &[authority.root]).unwrap()
}

fn constraint(form: NameForm, base: &str) -> NameConstraint {
    NameConstraint::new(form, base).unwrap()
}

/// Certificates that OpenSSL makes.
struct Foreign(TempDir);

impl Foreign {
    fn new() -> Self {
        let foreign = Self(tempfile::tempdir().unwrap());
        foreign.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out root.key");
        foreign.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key");
        foreign
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    #[track_caller]
    fn run(&self, arguments: &str) {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        openssl(self.folder(), &arguments).unwrap();
    }

    fn configure(&self, extensions: &str) {
        let text = format!("[req]\ndistinguished_name = dn\n[dn]\n[extensions]\n{extensions}");
        fs::write(self.folder().join("openssl.cnf"), text).unwrap();
    }

    fn read(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.folder().join(name)).unwrap()
    }

    /// A root of ten years with these extensions.
    fn root(&self, extensions: &str, more: &str) -> CertificateDer<'static> {
        self.configure(extensions);
        self.run(&format!(
            "req -x509 -new -key root.key -sha384 -days 3652 -subj /O=Example/CN=root -config \
             openssl.cnf -extensions extensions -out root.pem {more}"
        ));
        self.read("root.pem")
    }

    /// An intermediate of three years with these extensions, below the last root.
    fn intermediate(&self, extensions: &str) -> CertificateDer<'static> {
        self.configure(extensions);
        self.run("req -new -key key -subj /O=Example/CN=intermediate -config openssl.cnf -out csr");
        self.run(
            "x509 -req -in csr -CA root.pem -CAkey root.key -sha384 -days 1095 -CAcreateserial \
             -extfile openssl.cnf -extensions extensions -out intermediate.pem",
        );
        self.read("intermediate.pem")
    }
}

const GOOD_ROOT: &str = "basicConstraints = critical, CA:TRUE, pathlen:1
    keyUsage = critical, keyCertSign, cRLSign
    subjectKeyIdentifier = hash\n";
const GOOD_INTERMEDIATE: &str = "basicConstraints = critical, CA:TRUE, pathlen:0
    keyUsage = critical, keyCertSign, cRLSign
    extendedKeyUsage = codeSigning
    subjectKeyIdentifier = hash
    authorityKeyIdentifier = keyid\n";

/// What a root by OpenSSL breaks whose good extensions were changed.
fn of_root(from: &str, to: &str) -> Vec<Violation> {
    assert!(GOOD_ROOT.contains(from));
    let root = Foreign::new().root(&GOOD_ROOT.replace(from, to), "");
    Review::of(&root, &[]).unwrap().violations
}

/// The same for an intermediate.
fn of_intermediate(from: &str, to: &str) -> Vec<Violation> {
    assert!(GOOD_INTERMEDIATE.contains(from));
    let foreign = Foreign::new();
    let root = foreign.root(GOOD_ROOT, "");
    let intermediate = foreign.intermediate(&GOOD_INTERMEDIATE.replace(from, to));
    Review::of(&intermediate, &[root]).unwrap().violations
}

#[test]
fn what_this_crate_and_openssl_make_as_it_should_be_breaks_nothing() {
    let review = root(|_| {});
    assert_eq!(review.role, Role::Root);
    assert_eq!((review.violations, review.advice), (vec![], vec![]));
    let review = intermediate(|_| {}, |_| {});
    assert_eq!(review.role, Role::Intermediate);
    assert_eq!((review.violations, review.advice), (vec![], vec![]));

    assert_eq!(of_root("hash", "hash"), []);
    assert_eq!(of_intermediate("hash", "hash"), []);
    // A root may have an authority key identifier, its own.
    assert_eq!(of_root("hash", "hash\nauthorityKeyIdentifier = keyid"), []);
}

#[test]
fn a_subject_without_common_name_or_organization_is_refused() {
    for (name, broken) in [
        (
            DistinguishedName::new("example.com", ""),
            vec![Violation::CommonName],
        ),
        (
            DistinguishedName::new(" ", "root"),
            vec![Violation::Organization],
        ),
    ] {
        let own = name.clone();
        assert_eq!(root(|it| it.subject = own).violations, broken);
        let own = intermediate(|_| {}, |it| it.subject = name);
        assert_eq!(own.violations, broken);
    }
}

#[test]
fn a_country_of_other_than_two_letters_is_refused() {
    for country in ["USA", "U", "12"] {
        let review = root(|it| it.subject.country = Some(country.into()));
        assert_eq!(review.violations, [Violation::Country(country.into())]);
    }
    assert_eq!(
        root(|it| it.subject.country = Some("UK".into())).violations,
        []
    );
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let long = |count| Some("ü".repeat(count));
    let review = root(|it| it.subject.common_name = long(65));
    assert_eq!(
        review.violations,
        [Violation::NameLength {
            attribute: "common name",
            length: 65,
            limit: 64
        }]
    );
    let review = root(|it| {
        it.subject.common_name = long(64);
        it.subject.locality = long(128);
    });
    assert_eq!(review.violations, []);
}

#[test]
fn other_key_usages_than_signing_certificates_and_lists_are_refused() {
    for usage in ["keyCertSign", "keyCertSign, cRLSign, digitalSignature"] {
        assert_eq!(
            of_root("keyCertSign, cRLSign", usage),
            [Violation::KeyUsage]
        );
    }
    let missing = of_root("keyUsage = critical, keyCertSign, cRLSign", "");
    assert_eq!(missing, [Violation::KeyUsage]);
    assert_eq!(
        of_intermediate("cRLSign", "nonRepudiation"),
        [Violation::KeyUsage]
    );
}

#[test]
fn basic_constraints_must_be_there_and_critical() {
    let constraints = "basicConstraints = critical, CA:TRUE, pathlen:1";
    assert_eq!(of_root(constraints, ""), [Violation::BasicConstraints]);
    assert_eq!(
        of_root(constraints, "basicConstraints = critical, CA:FALSE"),
        [Violation::BasicConstraints]
    );
    assert_eq!(
        of_root(constraints, "basicConstraints = CA:TRUE"),
        [Violation::BasicConstraintsNotCritical]
    );
}

#[test]
fn extended_key_usages_are_none_for_a_root_and_code_signing_for_an_intermediate() {
    let codes = "1.3.6.1.5.5.7.3.3";
    assert_eq!(
        of_root("hash", "hash\nextendedKeyUsage = codeSigning"),
        [Violation::ExtendedKeyUsageOfRoot(vec![codes.into()])]
    );
    assert_eq!(
        of_intermediate("extendedKeyUsage = codeSigning", ""),
        [Violation::ExtendedKeyUsage(vec![])]
    );
    assert_eq!(
        of_intermediate("codeSigning", "codeSigning, timeStamping"),
        [Violation::ExtendedKeyUsage(vec![
            codes.into(),
            "1.3.6.1.5.5.7.3.8".into()
        ])]
    );
}

#[test]
fn key_identifiers_must_be_there_and_fit() {
    assert_eq!(
        of_root("= hash", "= none"),
        [Violation::SubjectKeyIdentifier]
    );
    assert_eq!(
        of_intermediate("= hash", "= none"),
        [Violation::SubjectKeyIdentifier]
    );
    // The identifier of the same root before it was made again.
    let foreign = Foreign::new();
    foreign.root(&GOOD_ROOT.replace("= hash", "= 01020304"), "");
    let child = foreign.intermediate(GOOD_INTERMEDIATE);
    let root = foreign.root(GOOD_ROOT, "");
    assert_eq!(
        Review::of(&child, &[root]).unwrap().violations,
        [Violation::AuthorityKeyIdentifier]
    );

    // A parent without one cannot have children that have it.
    let foreign = Foreign::new();
    let root = foreign.root(&GOOD_ROOT.replace("= hash", "= none"), "");
    let extensions = GOOD_INTERMEDIATE.replace("= keyid", "= none");
    let child = foreign.intermediate(&extensions);
    assert_eq!(
        Review::of(&child, &[root]).unwrap().violations,
        [Violation::AuthorityKeyIdentifier]
    );
}

#[test]
fn a_serial_number_that_cannot_be_160_random_bits_is_refused() {
    for number in ["1", "0x7fffffffffffffff"] {
        let root = Foreign::new().root(GOOD_ROOT, &format!("-set_serial {number}"));
        let violations = Review::of(&root, &[]).unwrap().violations;
        assert!(
            matches!(&violations[..], [Violation::SerialNumber(_)]),
            "{violations:?}"
        );
    }
}

#[test]
fn a_root_must_be_issued_and_signed_by_itself() {
    let authority = Authority::new();
    let review = Review::of(&authority.intermediate, &[]).unwrap();
    assert_eq!(
        review.violations,
        [
            Violation::Issuer("CN=root,O=example.com".into()),
            Violation::ExtendedKeyUsageOfRoot(vec!["1.3.6.1.5.5.7.3.3".into()]),
            Violation::AuthorityKeyIdentifier,
        ]
    );

    let key = Key::p384();
    let unsigned = root_template()
        .unsigned(key.spki(), serial(), now(), None)
        .unwrap();
    let namesake = Key::p384().sign(unsigned);
    let review = Review::of(&namesake, &[]).unwrap();
    assert_eq!(review.violations, [Violation::SelfSignature]);
}

#[test]
fn a_certificate_that_outlives_its_parent_is_refused() {
    let foreign = Foreign::new();
    let root = foreign.root(GOOD_ROOT, "-days 30");
    let child = foreign.intermediate(GOOD_INTERMEDIATE);
    let violations = Review::of(&child, &[root]).unwrap().violations;
    assert!(
        matches!(&violations[..], [Violation::OutlivesParent { own, parent }] if own > parent),
        "{violations:?}"
    );
}

#[test]
fn the_path_lengths_above_leave_room_for_it_and_for_what_it_may_have_below() {
    let broken = |parent, own| {
        let review = intermediate(|it| it.path_length = parent, |it| it.path_length = own);
        review.violations
    };
    let above = || "CN=root,O=example.com".to_owned();
    assert_eq!(broken(None, Some(0)), []);
    assert_eq!(broken(None, None), []);
    assert_eq!(broken(Some(2), Some(1)), []);
    assert_eq!(
        broken(Some(0), Some(0)),
        [Violation::PathLength {
            above: above(),
            allowed: 0,
            below: 1
        }]
    );
    assert_eq!(
        broken(Some(1), Some(1)),
        [Violation::PathLength {
            above: above(),
            allowed: 1,
            below: 2
        }]
    );
}

#[test]
fn what_is_permitted_must_be_permitted_by_all_above() {
    use NameForm::{Dns, Email, Uri};
    let broken = |parent: &[NameConstraint], own: &[NameConstraint]| {
        let review = intermediate(
            |it| it.name_constraints.permitted = parent.to_vec(),
            |it| it.name_constraints.permitted = own.to_vec(),
        );
        review.violations
    };
    let parents = [
        constraint(Email, "example.com"),
        constraint(Email, ".example.org"),
        constraint(Dns, "example.com"),
    ];
    for good in [
        constraint(Email, "ada@example.com"),
        constraint(Email, "a.example.org"),
        constraint(Dns, "a.example.com"),
        // The parent does not speak of URIs.
        constraint(Uri, "example.net"),
    ] {
        assert_eq!(broken(&parents, &[good]), []);
    }
    for wide in [
        constraint(Email, "example.net"),
        constraint(Email, "example.org"),
        constraint(Dns, "com"),
    ] {
        assert_eq!(
            broken(&parents, std::slice::from_ref(&wide)),
            [Violation::PermitsMore {
                constraint: wide,
                above: "CN=root,O=example.com".into()
            }]
        );
    }
}

#[test]
fn what_is_permitted_must_not_be_excluded() {
    let wanted = || constraint(NameForm::Uri, "ci.example.com");
    let all = || constraint(NameForm::Uri, ".example.com");
    let review = intermediate(
        |it| it.name_constraints.excluded = vec![all()],
        |it| it.name_constraints.permitted = vec![wanted()],
    );
    assert_eq!(
        review.violations,
        [Violation::PermitsTheExcluded {
            constraint: wanted(),
            by: "CN=root,O=example.com".into()
        }]
    );
    let review = root(|it| {
        it.name_constraints.permitted = vec![wanted()];
        it.name_constraints.excluded = vec![all()];
    });
    assert!(
        matches!(&review.violations[..], [Violation::PermitsTheExcluded { by, .. }] if by == "CN=root,O=example.com")
    );
    let review = root(|it| {
        it.name_constraints.permitted = vec![all()];
        it.name_constraints.excluded = vec![wanted()];
    });
    assert_eq!(review.violations, []);
}

#[test]
fn name_constraints_must_be_critical() {
    let constraints = "hash\nnameConstraints = permitted;email:example.com";
    assert_eq!(
        of_root("hash", constraints),
        [Violation::NameConstraintsNotCritical]
    );
}

#[test]
fn a_weak_key_a_short_life_a_long_path_and_another_scheme_are_advised_against() {
    let template = |lifetime| {
        let mut template = root_template();
        template.lifetime = Lifetime::Exactly(lifetime);
        template
    };
    let day = Duration::from_secs(86_400);
    let p256 = Key::p256();
    let unsigned = template(365 * day)
        .unsigned(p256.spki(), serial(), now(), None)
        .unwrap();
    let review = unsigned.review(&[]).unwrap();
    assert_eq!(review.violations, []);
    assert!(
        matches!(&review.advice[..], [Advice::Key, Advice::Lifetime { own, .. }] if *own == 365 * day),
        "{review:?}"
    );
    let told: Vec<_> = review.advice.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("P-384"), "{told:?}");
    assert!(told[1].ends_with("it is 365 days"), "{told:?}");

    let review = intermediate(|it| it.path_length = None, |it| it.path_length = Some(3));
    assert_eq!(review.advice, [Advice::PathLength]);

    let foreign = Foreign::new();
    let root = foreign.root(GOOD_ROOT, "");
    for (bits, advice) in [
        (2048, vec![Advice::Key, Advice::Scheme]),
        (4096, vec![Advice::Scheme]),
    ] {
        foreign.run(&format!(
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out key"
        ));
        let child = foreign.intermediate(GOOD_INTERMEDIATE);
        let review = Review::of(&child, std::slice::from_ref(&root)).unwrap();
        assert_eq!((review.violations, review.advice), (vec![], advice));
    }
}

#[test]
fn a_chain_is_put_in_order_whatever_comes_with_it() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let given = vec![
        stranger.root.clone(),
        authority.root.clone(),
        stranger.intermediate.clone(),
        authority.intermediate.clone(),
        authority.root.clone(),
    ];
    let chain = CaChain::of_key(&authority.key.spki(), given.clone(), now()).unwrap();
    assert_eq!(chain.certificates(), authority.certificates());
    let root = CaChain::of_key(&authority.root_key.spki(), given, now()).unwrap();
    assert_eq!(root.certificates(), [authority.root]);
}

#[test]
fn a_chain_of_another_key_or_of_two_certificates_for_it_is_refused() {
    use fulcio_cert_builder::Error;

    let authority = Authority::new();
    let key = authority.key.spki();
    let of_key = |certificates| CaChain::of_key(&key, certificates, now()).unwrap_err();
    assert!(matches!(of_key(vec![]), Error::EmptyChain));
    assert!(matches!(
        of_key(vec![authority.root.clone()]),
        Error::NoCertificateOfKey
    ));
    let alone = CaChain::new(vec![authority.root.clone()], now()).unwrap();
    let again = intermediate_template()
        .unsigned(key.clone(), serial(), now(), Some(alone.issuer()))
        .unwrap();
    let again = authority.root_key.sign(again);
    let error = of_key(vec![authority.intermediate, again, authority.root]);
    assert!(
        matches!(&error, Error::SeveralCertificatesOfKey { one, other } if (one.number, other.number) == (1, 2)),
        "{error}"
    );
}
