//! Tokens as real providers issue them, one file a case: the claims, and what the certificate says.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use fulcio_identity::{Config, Issuers};
use fulcio_oidc_verify::Algorithm;
use fulcio_principal::SubjectAltName;
use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    what: String,
    /// All claims but `aud` and `exp`.
    claims: Map<String, Value>,
    expected: Expected,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    challenge: String,
    email: Option<String>,
    uri: Option<String>,
    username: Option<String>,
    /// By OID.
    extensions: BTreeMap<String, String>,
}

#[tokio::test]
async fn tokens_of_every_provider_become_the_certificates_that_are_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes");
    let text = fs::read_to_string(folder.join("config.yaml")).expect("a configuration");
    let config = Config::parse(&text, "config.yaml").unwrap_or_else(|error| panic!("{error}"));
    let fetch = FakeFetch::default();
    let issuers = Issuers::new(&config, &|_| Ok(Arc::new(fetch.clone()))).expect("issuers");
    let key = FakeKey::generate(Algorithm::Es256);
    let mut shapes = 0;
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let shape = fs::read(&path).expect("a shape");
        let shape: Shape = serde_json::from_slice(&shape).expect("a shape");
        let idp = FakeIdp::new(key.clone()).issued_by(shape.claims["iss"].as_str().expect("iss"));
        fetch.serve(&idp);
        let mut claims = shape.claims;
        claims.insert("aud".into(), "sigstore".into());
        claims.insert("exp".into(), 1_800_000_600.into());
        let token = idp
            .draft()
            .payload(Value::Object(claims).to_string())
            .mint();
        let outcome = issuers.authenticate(&token, FakeIdp::now()).await;
        let identity = outcome.unwrap_or_else(|error| panic!("{}: {error}", shape.what));
        let principal = identity.principal();
        let mut found = Expected {
            challenge: principal.challenge.clone(),
            ..Expected::default()
        };
        let name = Some(principal.subject.value().to_owned());
        match &principal.subject {
            SubjectAltName::Email(_) => found.email = name,
            SubjectAltName::Uri(_) => found.uri = name,
            SubjectAltName::Username(_) => found.username = name,
            _ => panic!("{}: a new form of name", shape.what),
        }
        for (extension, value) in principal.extensions.iter() {
            found
                .extensions
                .insert(extension.oid().into(), value.into());
        }
        assert_eq!(found, shape.expected, "{}: {}", path.display(), shape.what);
        shapes += 1;
    }
    assert!(shapes >= 22, "{shapes}");
}
