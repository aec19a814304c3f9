//! What Go 1.26 makes of the URLs in `tests/vectors/url.jsonl`, which `url.go` beside it writes.

use fulcio_go_url::{CertificateUri, Url, quote};
use serde_json::Value;

const VECTORS: &str = include_str!("vectors/url.jsonl");

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_default()
}

/// What is different from what Go says.
fn differences(case: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, ours: &str, go: &str| {
        if ours != go {
            found.push(format!("{}: {what} {ours:?}, not {go:?}", case["url"]));
        }
    };
    let in_certificate = CertificateUri::parse(text(case, "url")).is_ok();
    let expected = case["certificate"] == true;
    compare(
        "certificate",
        &in_certificate.to_string(),
        &expected.to_string(),
    );
    let url = match Url::parse(text(case, "url")) {
        Ok(url) => url,
        Err(error) => {
            compare("error", &error.to_string(), text(case, "error"));
            return found;
        }
    };
    compare("error", "", text(case, "error"));
    compare("text", &url.to_string(), text(case, "text"));
    compare("scheme", url.scheme(), text(case, "scheme"));
    compare("hostname", &quote(url.hostname()), text(case, "hostname"));
    let elements = case["elements"].as_array().map(Vec::as_slice);
    let elements: Vec<_> = elements
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    match url.join_path(&elements) {
        Ok(joined) => {
            compare(
                "join fails",
                "false",
                &(case["join_fails"] == true).to_string(),
            );
            compare("joined", &joined.to_string(), text(case, "joined"));
        }
        Err(_) => compare(
            "join fails",
            "true",
            &(case["join_fails"] == true).to_string(),
        ),
    }
    found
}

#[test]
fn every_url_is_read_joined_and_written_as_go_does_it() {
    let mut cases = 0;
    let mut refused = 0;
    let mut wrong = Vec::new();
    for line in VECTORS.lines() {
        let case: Value = serde_json::from_str(line).expect("a line of JSON");
        cases += 1;
        refused += usize::from(case["error"].is_string());
        wrong.extend(differences(&case));
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(cases > 2400 && refused > 200, "{cases} {refused}");
}
