use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Observed, certificate, sample::Transport};

/// Headers that every server sets by itself.
const OWN_HEADERS: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "transfer-encoding",
];

/// Every way in which an answer is not the expected one.
pub(crate) fn differences(expect: &Value, observed: &Observed) -> Vec<String> {
    let mut found = Differences(Vec::new());
    match &observed.answer {
        Transport::Http(answer) => {
            found.compare("status", &expect["status"], &answer.status.into());
            let content_type = answer.header("content-type").into();
            found.compare("content_type", &expect["content_type"], &content_type);
            let headers: BTreeMap<_, _> = answer
                .headers
                .keys()
                .filter(|name| !OWN_HEADERS.contains(&name.as_str()))
                .map(|name| (name.as_str(), answer.header(name.as_str())))
                .collect();
            let expected: BTreeMap<_, _> = expect["headers"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.to_lowercase(), value))
                .collect();
            found.compare("headers", &json!(expected), &json!(headers));
            found.http_body(expect, &answer.text());
        }
        Transport::Grpc(Ok(message)) => {
            found.compare("grpc_code", &expect["grpc_code"], &json!(0));
            found.json("body", expect, &expect["body"], message);
        }
        Transport::Grpc(Err(status)) => {
            found.compare(
                "grpc_code",
                &expect["grpc_code"],
                &json!(status.code() as i32),
            );
            if expect.get("recorded_message").is_none() {
                found.compare("message", &expect["message"], &status.message().into());
            }
        }
    }
    if let Some(expected) = expect.get("certificate") {
        found.certificate(expected, observed);
    }
    found.0
}

struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, what: &str, expected: &Value, found: &Value) {
        if expected != found {
            self.0
                .push(format!("{what}: expected {expected}, found {found}"));
        }
    }

    fn http_body(&mut self, expect: &Value, body: &str) {
        if let Some(code) = expect.get("grpc_code") {
            match expect.get("message") {
                Some(message) => {
                    let whole = format!(r#"{{"code":{code},"message":{message},"details":[]}}"#);
                    self.compare("body", &whole.into(), &body.into());
                }
                None => {
                    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
                    let text = body["message"].take();
                    if text.as_str().is_none_or(str::is_empty) {
                        self.0.push("the error says nothing".to_owned());
                    }
                    let whole = json!({ "code": code, "message": null, "details": [] });
                    self.compare("body", &whole, &body);
                }
            }
            return;
        }
        match &expect["body"] {
            Value::Null => self.compare("body", &"".into(), &body.into()),
            Value::String(text) => {
                let (name, count) = match text.as_str() {
                    "${chain-pem}" => ("chain", &expect["chain"]),
                    "${bundle-pem}" => ("bundle", &expect["bundle"]),
                    _ => return self.compare("body", &text.as_str().into(), &body.into()),
                };
                let texts = pem_texts(body);
                self.compare(name, count, &texts.len().into());
                let joined: Vec<_> = texts.iter().map(|pem| pem.trim_end()).collect();
                self.compare("body", &joined.join("\n").into(), &body.into());
            }
            expected => match serde_json::from_str(body) {
                Ok(body) => self.json("body", expect, expected, &body),
                Err(error) => self.0.push(format!("body: {error}: {body}")),
            },
        }
    }

    /// Compares JSON in which `${chain}` and `${bundle}` stand for arrays of PEM texts.
    fn json(&mut self, place: &str, expect: &Value, expected: &Value, found: &Value) {
        match (expected, found) {
            (Value::Object(expected), Value::Object(found)) => {
                let names: Vec<_> = expected.keys().collect();
                let others: Vec<_> = found.keys().collect();
                self.compare(
                    &format!("members of {place}"),
                    &json!(names),
                    &json!(others),
                );
                for (name, value) in expected {
                    let found = found.get(name).unwrap_or(&Value::Null);
                    self.json(&format!("{place}.{name}"), expect, value, found);
                }
            }
            (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
                for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                    self.json(&format!("{place}[{index}]"), expect, expected, found);
                }
            }
            (Value::String(text), found) if text == "${chain}" => {
                self.pem_array("chain", &expect["chain"], found, "");
            }
            (Value::String(text), found) if text == "${bundle}" => {
                self.pem_array("bundle", &expect["bundle"], found, "\n");
            }
            _ => self.compare(place, expected, found),
        }
    }

    fn pem_array(&mut self, name: &str, count: &Value, found: &Value, end: &str) {
        let Some(items) = found.as_array() else {
            return self.0.push(format!("{name}: no array: {found}"));
        };
        self.compare(name, count, &items.len().into());
        for item in items {
            let text = item.as_str().unwrap_or_default();
            let one: Vec<_> = pem_texts(text).iter().map(|pem| pem.trim_end()).collect();
            let expected = format!("{}{end}", one.join(" and "));
            self.compare(name, &expected.into(), item);
        }
    }

    fn certificate(&mut self, expected: &Value, observed: &Observed) {
        let (Some(leaf), Some(issuer)) = (observed.leaf(), observed.issuer()) else {
            return self.0.push("there is no certificate".to_owned());
        };
        let facts = certificate::facts(&leaf);
        for (name, expected) in expected.as_object().unwrap() {
            if name != "extensions" {
                self.compare(name, expected, &facts[name]);
            }
        }
        self.compare(
            "extensions",
            &certificate::with_our_extension(&expected["extensions"]),
            &facts["extensions"],
        );
        let faults = certificate::faults(&leaf, &issuer, observed.key.as_deref(), observed.asked);
        self.0.extend(faults);
    }
}

/// The PEM blocks of a text, each with the white space after it.
pub(crate) fn pem_texts(text: &str) -> Vec<&str> {
    const BEGIN: &str = "-----BEGIN";
    let starts: Vec<_> = text.match_indices(BEGIN).map(|(index, _)| index).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &text[*start..end])
        .collect()
}

/// The expectation with each of its values changed in turn, and where. The texts that need not be
/// equal are left alone.
pub(crate) fn mutations(expect: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    collect_places(expect, String::new(), &mut places);
    places
        .into_iter()
        .filter(|place| place != "/recorded_message")
        .map(|place| {
            let mut changed = expect.clone();
            let value = changed.pointer_mut(&place).unwrap();
            *value = match value.take() {
                Value::Null => json!("something"),
                Value::Bool(value) => json!(!value),
                Value::Number(number) => json!(number.as_i64().unwrap() + 1),
                Value::String(text) => json!(format!("{text}x")),
                Value::Array(mut items) => {
                    items.push(json!("more"));
                    items.into()
                }
                Value::Object(mut members) => {
                    members.insert("more".to_owned(), json!("more"));
                    members.into()
                }
            };
            (place, changed)
        })
        .collect()
}

fn collect_places(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                collect_places(value, format!("{place}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect_places(value, format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
    // The whole expectation may have members that are not about this transport.
    if !place.is_empty() {
        places.push(place);
    }
}
