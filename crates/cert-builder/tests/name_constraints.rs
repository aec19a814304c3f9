//! Name constraints as OpenSSL reads them and acts on them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::fs;

use authority::{Authority, intermediate_template, leaf, named, openssl, root_template};
use fulcio_cert_builder::{CaChain, Error, NameConstraint, NameConstraints, NameForm, pem};
use fulcio_principal::SubjectAltName;
use tempfile::TempDir;

fn constraints(permitted: &[(NameForm, &str)], excluded: &[(NameForm, &str)]) -> NameConstraints {
    let all = |parts: &[(NameForm, &str)]| {
        let new = |(form, base): &(NameForm, &str)| NameConstraint::new(*form, *base).unwrap();
        parts.iter().map(new).collect()
    };
    NameConstraints {
        permitted: all(permitted),
        excluded: all(excluded),
    }
}

/// An authority below constraints, and what OpenSSL says of its leaves.
struct Constrained {
    authority: Authority,
    chain: CaChain,
    folder: TempDir,
}

impl Constrained {
    fn new(root: NameConstraints, own: NameConstraints) -> Self {
        let (mut root_template, mut template) = (root_template(), intermediate_template());
        root_template.name_constraints = root;
        template.name_constraints = own;
        let authority = Authority::with(root_template, template);
        let chain = authority.chain();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("chain.pem"), chain.pem()).unwrap();
        fs::write(folder.path().join("root.pem"), chain.root_pem()).unwrap();
        Self {
            authority,
            chain,
            folder,
        }
    }

    fn verify(&self, name: SubjectAltName) -> Result<String, String> {
        let leaf = leaf(&named(name));
        let issued = leaf.issued_by(self.chain.issuer()).unwrap();
        let certificate = self.authority.key.sign(issued.certificate(None));
        fs::write(self.folder.path().join("leaf.pem"), pem(&certificate)).unwrap();
        let strict = [
            "verify",
            "-x509_strict",
            "-purpose",
            "any",
            "-attime",
            "1790000030",
        ];
        let chain = ["-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"];
        openssl(self.folder.path(), &[&strict[..], &chain].concat())
    }

    #[track_caller]
    fn accepts(&self, name: SubjectAltName) {
        assert_eq!(self.verify(name).unwrap(), "leaf.pem: OK\n");
    }

    #[track_caller]
    fn refuses(&self, name: SubjectAltName, why: &str) {
        let said = self.verify(name).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

fn email(address: &str) -> SubjectAltName {
    SubjectAltName::Email(address.into())
}

fn uri(uri: &str) -> SubjectAltName {
    SubjectAltName::Uri(uri.into())
}

#[test]
fn openssl_refuses_names_outside_of_what_is_permitted() {
    let own = constraints(
        &[
            (NameForm::Email, "example.com"),
            (NameForm::Email, "bob@example.org"),
            (NameForm::Uri, ".example.com"),
            (NameForm::Uri, "github.com"),
        ],
        &[],
    );
    let constrained = Constrained::new(NameConstraints::default(), own);
    constrained.accepts(email("ada@example.com"));
    constrained.accepts(email("bob@example.org"));
    constrained.accepts(uri("https://ci.example.com/job/7"));
    constrained.accepts(uri("https://github.com/ada/repo"));
    let why = "permitted subtree violation";
    constrained.refuses(email("ada@a.example.com"), why);
    constrained.refuses(email("ada@example.org"), why);
    constrained.refuses(uri("https://example.com/"), why);
    constrained.refuses(uri("https://gitlab.com/ada/repo"), why);
}

#[test]
fn openssl_refuses_names_within_what_is_excluded() {
    let root = constraints(
        &[],
        &[
            (NameForm::Email, ".example.com"),
            (NameForm::Uri, "a.example.com"),
        ],
    );
    let constrained = Constrained::new(root, NameConstraints::default());
    constrained.accepts(email("ada@example.com"));
    constrained.accepts(uri("https://b.example.com/"));
    let why = "excluded subtree violation";
    constrained.refuses(email("ada@a.example.com"), why);
    constrained.refuses(uri("https://a.example.com/"), why);
}

#[test]
fn openssl_shows_what_was_written() {
    let own = constraints(
        &[
            (NameForm::Dns, "example.com"),
            (NameForm::Email, ".example.com"),
        ],
        &[(NameForm::Uri, "a.example.com")],
    );
    let constrained = Constrained::new(NameConstraints::default(), own);
    let arguments = ["x509", "-in", "chain.pem", "-noout", "-text"];
    let text = openssl(constrained.folder.path(), &arguments).unwrap();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let shown = [
        "X509v3 Name Constraints: critical",
        "Permitted:",
        "DNS:example.com",
        "email:.example.com",
        "Excluded:",
        "URI:a.example.com",
    ];
    assert!(lines.windows(6).any(|window| window == shown), "{text}");
}

#[test]
fn what_is_no_host_or_mailbox_is_refused() {
    use NameForm::{Dns, Email, Uri};
    for (form, base) in [
        (Dns, ""),
        (Dns, ".example.com"),
        (Dns, "example.com."),
        (Dns, "*.example.com"),
        (Dns, "müller.example"),
        (Dns, "127.0.0.1"),
        (Dns, "-a.example"),
        (Email, ""),
        (Email, "@example.com"),
        (Email, "ada@"),
        (Email, "ada@.example.com"),
        (Email, "ada lovelace@example.com"),
        (Email, "a@b@example.com"),
        (Uri, "https://example.com"),
        (Uri, "example.com/path"),
        (Uri, "example.com:443"),
        (Uri, "."),
        (Uri, "10.0.0.1"),
    ] {
        let refused = NameConstraint::new(form, base);
        assert!(
            matches!(&refused, Err(Error::NameConstraint { form: it, base: text }) if *it == form && text == base),
            "{form:?} {base}"
        );
    }
    let long = format!("{}.example", "a".repeat(64));
    assert!(NameConstraint::new(Dns, long).is_err());
}
