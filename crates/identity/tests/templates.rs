//! What Go's `text/template` makes of the templates in `tests/vectors/template.jsonl`, which
//! `template.go` beside it writes.

mod support;

use std::collections::BTreeMap;

use fulcio_identity::{CiMetadata, CiProvider, Kind, Template};
use fulcio_oidc_verify::VerifiedToken;
use serde_json::Value;
use support::verified;

const VECTORS: &str = include_str!("vectors/template.jsonl");

/// The defaults that the templates of the vectors see.
fn values() -> BTreeMap<String, String> {
    [
        ("a", "x"),
        ("b", ""),
        ("c", "x"),
        ("a_1", "true"),
        ("q", "it's \"q\"\n\u{a0}"),
        ("ä", "é"),
        ("oidc.x/y", "true"),
        ("true", "t"),
        ("f", "false"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// What `template` gives as an extension.
fn value_of(template: Template, token: &VerifiedToken) -> Result<String, String> {
    let mut metadata = CiMetadata::default();
    metadata.default_template_values = values();
    metadata.subject_alternative_name_template = Template::parse("sub").expect("a name");
    let extension = fulcio_principal::Extension::BuildTrigger;
    metadata.extension_templates.insert(extension, template);
    match CiProvider::new(metadata).principal(token) {
        Ok(principal) => {
            let value = principal.extensions.value(extension);
            Ok(value.unwrap_or_default().to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// A verified token with these claims besides.
fn with(claims: &str) -> VerifiedToken {
    let claims: BTreeMap<String, Value> = serde_json::from_str(claims).expect("claims");
    let claims: Vec<_> = claims
        .iter()
        .map(|(name, claim)| (name.as_str(), claim.clone()))
        .collect();
    verified(&claims)
}

#[test]
fn every_template_gives_what_go_makes_of_it_or_is_refused_when_read() {
    let plain = verified(&[]);
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for line in VECTORS.lines() {
        let case: Value = serde_json::from_str(line).expect("a line of JSON");
        let [sort, text, template] = ["sort", "text", "template"].map(|name| {
            let text = case[name].as_str();
            text.unwrap_or_default()
        });
        if !template.contains("{{") {
            continue;
        }
        let read = Template::parse(template);
        counts.entry(sort.to_owned()).or_default()[usize::from(read.is_ok())] += 1;
        match read {
            // Beyond what is supported; but what is within must be read.
            Err(error) if matches!(sort, "within" | "claims") && case["refused"] != true => {
                wrong.push(format!("{template:?}: {error}"))
            }
            Err(_) => {}
            Ok(_) if case["refused"] == true => wrong.push(format!("{template:?} was read")),
            Ok(read) => {
                let go = match case["error"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(text.to_owned()),
                };
                let ours = match case["claims"].as_str() {
                    Some(claims) => value_of(read, &with(claims)),
                    None => value_of(read, &plain),
                };
                if ours != go {
                    let claims = &case["claims"];
                    wrong.push(format!("{template:?} {claims}: {ours:?}, not {go:?}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(counts["claims"][1] > 300);
    assert!(counts["within"][1] > 400 && counts["damaged"].iter().all(|count| *count > 50));
    assert!(
        counts["written"][0] > 100 && counts["written"][1] > 40,
        "{counts:?}"
    );
}
