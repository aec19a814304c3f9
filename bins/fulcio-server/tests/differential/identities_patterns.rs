//! Patterns for issuers: which URLs they match, and what they carry over.

use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{FakeIdp, FakeKey};

use super::{
    Case, IdpHost, Setup, SigningKey, Stage,
    identities::token,
    identities_kinds::{KINDS, templates},
};

/// Paths below the address of the host, each with a pattern of its own.
const MATCHES: [(&str, &[&str]); 9] = [
    (
        "one/*",
        &[
            "one/a",
            "one/a-b_C1",
            "one/",
            "one/a/b",
            "one/a.b",
            "one/a%20b",
            "one/é",
            "one",
            "one/a/",
            "ONE/a",
            "xone/a",
            "one/a~b",
            "one/a:b",
            "one/a@b",
            "one/-",
            "one/a?b",
            "one/*",
        ],
    ),
    (
        "two/*/id/*",
        &[
            "two/a/id/b",
            "two/a/id/",
            "two/a/b/id/c",
            "two//id/b",
            "two/a/ID/b",
        ],
    ),
    (
        "inside-*-name",
        &[
            "inside-a-name",
            "inside--name",
            "inside-a-b-name",
            "inside-a-nam",
        ],
    ),
    ("slash/*/", &["slash/a/", "slash/a", "slash/a/b"]),
    ("dot.dot/*", &["dot.dot/a", "dotxdot/a"]),
    (
        "signs/a+b(c)/*",
        &["signs/a+b(c)/d", "signs/aab(c)/d", "signs/aabc/d"],
    ),
    ("double/**", &["double/a", "double/ab", "double/abc"]),
    ("no-star", &["no-star", "no-star/a"]),
    ("bracket/[ab]/*", &["bracket/[ab]/c", "bracket/a/c"]),
];

pub(crate) fn compare(stage: &Stage) {
    let host = IdpHost::start();
    let key = FakeKey::generate(Algorithm::Es256).named("k");
    let mut config = format!("{}meta-issuers:\n", templates());
    let address = host.address();
    for (pattern, _) in MATCHES {
        config += &format!(
            "  \"http://{address}/{pattern}\":\n    client-id: sigstore\n    type: username\n    \
             subject-domain: {pattern}.example\n"
        );
    }
    let kinds = || KINDS.iter().filter(|kind| kind.kind != "spiffe");
    for kind in kinds() {
        let (name, settings) = (kind.name, kind.settings());
        config += &format!("  \"http://{address}/{name}/*\":\n{settings}");
    }
    let pair = Setup::new(&config).start(stage);
    let csr = SigningKey::p256().csr();
    for (pattern, paths) in MATCHES {
        for path in paths {
            let idp = FakeIdp::new(key.clone());
            let issuer = host.issuer(path, idp.clone());
            // The document of an issuer that ends in a slash is looked for without that slash.
            let idp = idp.issued_by(issuer.url());
            let place = path.trim_end_matches('/');
            let place = format!("/{place}/.well-known/openid-configuration");
            host.document(&place, &idp.discovery().to_string());
            let request = csr.v2(&token(&issuer, r#"{"sub": "ada"}"#));
            stage.compare(
                &pair,
                Case::new(format!("pattern {pattern}/{path}"), request),
            );
        }
    }
    for kind in kinds() {
        for below in ["first", "second", "not.this"] {
            let name = format!("{}/{below}", kind.name);
            let issuer = host.issuer(&name, FakeIdp::new(key.clone()));
            let request = csr.v2(&token(&issuer, kind.claims));
            stage.compare(
                &pair,
                Case::new(format!("pattern of a kind/{name}"), request),
            );
        }
    }
}
