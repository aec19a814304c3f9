//! Paths to a claim; what Fulcio's own JSONPath library finds is noted where it differs.

use fulcio_identity::{ClaimPath, ClaimPathMismatch};
use serde_json::{Map, Value, json};

fn claims() -> Map<String, Value> {
    let claims = json!({
        "a": {
            "b": "x", "n": 1, "big": 12_345_678_901_234_567_890_u64, "f": 1.5, "t": true,
            "z": null, "l": ["p", "q"], "": "empty", "ü": "u", "c d": "space", "a-b": "dash",
            "'": "quote", "\\": "backslash",
        },
        "iss": "i",
        "$": "dollar",
    });
    match claims {
        Value::Object(claims) => claims,
        _ => unreachable!(),
    }
}

fn found(path: &str) -> Result<String, ClaimPathMismatch> {
    ClaimPath::parse(path).expect("a path").text_in(&claims())
}

#[test]
fn a_path_leads_to_a_text() {
    for (path, text) in [
        ("$.iss", "i"),
        ("$.a.b", "x"),
        ("$['a']['b']", "x"),
        ("$[\"a\"][\"b\"]", "x"),
        ("$['a'].b", "x"),
        (" $.a.b ", "x"),
        ("$.a.l[0]", "p"),
        ("$.a.l[1]", "q"),
        ("$.a['']", "empty"),
        ("$.a.ü", "u"),
        ("$.a['\\'']", "quote"),
        ("$.a[\"'\"]", "quote"),
        ("$.a['\\\\']", "backslash"),
        ("$['$']", "dollar"),
        ("$.a.n", "1"),
        ("$.a.t", "true"),
        // Fulcio's library takes these two only in double quotes.
        ("$.a['c d']", "space"),
        ("$.a['a-b']", "dash"),
    ] {
        assert_eq!(found(path).as_deref(), Ok(text), "{path}");
    }
}

#[test]
fn what_is_not_there_is_absent() {
    for path in [
        "$.missing",
        "$.a.b.c",
        "$.a.l[2]",
        "$.a[0]",
        "$.a.l['0']",
        "$[0]",
        "$.A.b",
    ] {
        assert_eq!(found(path), Err(ClaimPathMismatch::Absent), "{path}");
    }
}

#[test]
fn what_has_no_one_spelling_is_not_a_text() {
    // Go writes these as `1.2345678901234567e+19`, `1.5`, `<nil>`, `[p q]` and `map[…]`.
    for path in ["$.a.big", "$.a.f", "$.a.z", "$.a.l", "$.a"] {
        assert_eq!(found(path), Err(ClaimPathMismatch::NotText), "{path}");
    }
}

#[test]
fn what_leads_to_no_place_or_to_several_is_no_path() {
    for (path, understood) in [
        ("", ""),
        ("$", "$"),
        ("$.", "$"),
        ("a.b", ""),
        ("$a", "$"),
        ("$..b", "$"),
        ("$.a.*", "$.a"),
        ("$.a[*]", "$.a"),
        ("$.a.l[-1]", "$.a.l"),
        ("$.a.l[0:1]", "$.a.l"),
        ("$.a.l[0,1]", "$.a.l"),
        ("$.a.l[+1]", "$.a.l"),
        ("$.a.l[]", "$.a.l"),
        ("$.a.l.0", "$.a.l"),
        ("$.a.a-b", "$.a.a"),
        ("$.a[b]", "$.a"),
        ("$['a'", "$"),
        ("$['a", "$"),
        ("$['a\\n']", "$"),
        ("$.a[?(@.b)]", "$.a"),
        ("$.a.l[99999999999999999999999]", "$.a.l"),
    ] {
        let error = ClaimPath::parse(path).unwrap_err().to_string();
        let expected = format!("`{path}` cannot be followed after `{understood}`;");
        assert!(error.starts_with(&expected), "{error}");
    }
}
