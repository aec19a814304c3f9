use std::sync::Arc;

use fulcio_identity::{
    CiMetadata, CiProvider, Config, IssuerAddress, Issuers, Kind as _, Template, UnknownKeys,
};
use fulcio_oidc_verify::{
    AlgorithmSet, Expectation, Fetch, FetchError, Fetching, KeySet, UnverifiedToken, VerifiedToken,
};
use serde_json::Value;
use std::sync::LazyLock;

use crate::fixed::{AUDIENCE, ISSUER, NOW_SECONDS, key_set_json, now, signed_token};

/// Has nothing.
#[derive(Debug)]
struct Nothing;

impl Fetch for Nothing {
    fn fetch<'a>(&'a self, _url: &'a str) -> Fetching<'a> {
        Box::pin(async { Err(FetchError::Status(404)) })
    }
}

/// An issuer configuration, YAML or JSON: who accepts a text strictly reads it the same tolerantly; a complaint names
/// the file, and stands on one line; what JSON says, another parser reads.
pub fn config(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    let strict = Config::parse(text, "config.yaml");
    let tolerant = Config::parse_with(text, "config.yaml", UnknownKeys::Tolerate);
    let config = match (strict, tolerant) {
        (Ok(strict), tolerant) => {
            assert_eq!(tolerant.ok().as_ref(), Some(&strict));
            strict
        }
        (Err(error), tolerant) => {
            let text = error.to_string();
            assert!(text.starts_with("config.yaml:"), "{text}");
            assert!(!text.contains('\n'), "{text}");
            match tolerant {
                Ok(config) => config,
                Err(_) => return,
            }
        }
    };
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        let members = json.as_object().map_or(0, |sections| {
            let sizes = sections
                .values()
                .filter_map(Value::as_object)
                .map(|it| it.len());
            sizes.sum()
        });
        assert!(config.issuers().count() <= members);
    }
    for issuer in config.issuers() {
        assert!(!issuer.to_string().is_empty());
        if let IssuerAddress::Pattern(pattern) = &issuer.address {
            assert!(
                pattern.overlaps(pattern) || pattern.as_str().is_empty(),
                "{pattern}"
            );
        }
        let _ = config.is_in_cluster(issuer);
    }
    let _ = Issuers::new(&config, &|_issuer| Ok(Arc::new(Nothing)));
}

static TOKEN: LazyLock<VerifiedToken> = LazyLock::new(|| {
    let claims = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{},"sub":"s","a":"x","b":"","ref":"refs/heads/main","n":1.5e3,"t":true,"o":{{"p":[]}}}}"#,
        NOW_SECONDS + 600
    );
    let raw = signed_token(br#"{"alg":"EdDSA"}"#, claims.as_bytes());
    let keys = KeySet::parse(&key_set_json()).expect("a key set");
    let expected = Expectation::new(ISSUER, AUDIENCE, AlgorithmSet::ALL);
    let token = UnverifiedToken::parse(&raw).expect("a token");
    token.verify(&keys, &expected, now()).expect("a good token")
});

/// A template of a CI provider: it is kept as it was written, gives the same twice, and a complaint
/// points into the text.
pub fn template(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    match Template::parse(text) {
        Ok(template) => {
            assert_eq!(template.as_str(), text);
            let mut metadata = CiMetadata::default();
            metadata.subject_alternative_name_template = template;
            let provider = CiProvider::new(metadata);
            let outcome = |token| {
                let principal = provider.principal(token);
                principal.map_err(|error| error.to_string())
            };
            assert_eq!(outcome(&TOKEN), outcome(&TOKEN));
        }
        Err(error) => {
            let line = text.split('\n').nth(error.line() - 1);
            let line = line.expect("the line of the mistake");
            assert!(error.column() <= line.chars().count() + 1, "{error}");
        }
    }
}
