//! Every rule of the configuration file: both load it, or neither does, and both say the same of
//! what they have loaded.

use std::{fs, thread};

use super::{
    Setup, Stage,
    configurations_rules::{self as rules, Rule},
    configurations_templates as templates,
};

pub(crate) fn compare(stage: &Stage) {
    let certificate = fs::read_to_string(stage.ca().path("chain.pem")).unwrap();
    let mut all = rules::forms();
    all.extend(rules::issuers());
    all.extend(rules::domains());
    all.extend(rules::certificates(&certificate));
    all.extend(rules::patterns());
    all.extend(templates::metadata());
    thread::scope(|scope| {
        for share in all.chunks(all.len().div_ceil(4)) {
            scope.spawn(move || {
                for rule in share {
                    load(stage, rule);
                }
            });
        }
    });
}

fn load(stage: &Stage, rule: &Rule) {
    let name = format!("configuration/{}", rule.name);
    let setup = Setup::new(&rule.text).named(rule.file);
    let rows = match meant(&rule.name) {
        Some(row) => &[row],
        None => rule.rows,
    };
    drop(stage.load(setup, &name, rows, None));
}

/// The row of the table that explains the difference of a rule with this name.
fn meant(name: &str) -> Option<&'static str> {
    let row = match name {
        "form/two documents" => "several-documents",
        "form/JSON with something after it"
        | "form/JSON with a wrong type"
        | "form/byte order mark of JSON" => "broken-json",
        "form/JSON with a field twice" => "fields-twice",
        "form/names of YAML in JSON"
        | "form/names of JSON in YAML"
        | "form/names in another case"
        | "form/names of JSON in another case"
        | "form/unknown key at the top"
        | "issuer/unknown key"
        | "pattern with/unknown key"
        | "metadata/an unknown extension"
        | "metadata/an extension by its name in JSON"
        | "metadata/an unknown key" => "unknown-keys",
        "issuer/no issuer-url"
        | "issuer/empty issuer-url"
        | "issuer/no client-id"
        | "issuer/empty client-id"
        | "issuer/key of another URL"
        | "issuer/key with a slash more"
        | "pattern/no client-id" => "issuer-incomplete",
        "ci-provider/bare"
        | "metadata/provider that is not there"
        | "metadata/no provider"
        | "metadata/provider in another case" => "provider-without-metadata",
        "pattern/two that overlap alike" => "tied-patterns",
        "ca-cert/nonsense in the second" | "ca-cert of a pattern/nonsense in the second" => {
            "unreadable-certificates"
        }
        "subject-domain of username///127.0.0.1 at http://127.0.0.1:1/issuer" => "bare-host",
        _ => match name.strip_prefix("issuer-claim/")? {
            "a" | "a.b" | "$" | "$." | ".a" | "$..a" | "$.a[*]" | "$.*" | "$.a[?(@.b)]"
            | "$.a[0:2]" | "$.a[" | "$.a-b" | "$.a b" | "{" | "$.a." => "issuer-claim-paths",
            _ => return None,
        },
    };
    Some(row)
}
