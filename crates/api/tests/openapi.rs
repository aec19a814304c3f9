//! The OpenAPI documents against what they describe: the services, the protocol's messages, and
//! what Fulcio was sent and has answered.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use boon::{Compiler, Draft, Schemas};
use fulcio_api::{HttpApi, openapi, proto::FILE_DESCRIPTOR_SET};
use fulcio_issuance::{Certified, Timestamp};
use http_body_util::Full;
use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};
use serde_json::{Value, json};
use support::{
    Answer, FakeBackend, Fixture, chain, email_issuer, part_at_fault, refusals, timestamp,
};

fn documents() -> [Value; 2] {
    [openapi::V1, openapi::V2].map(|document| serde_json::from_str(document).unwrap())
}

/// The operations of the documents: path and method to what is written of them.
fn operations() -> BTreeMap<(String, String), (Value, Value)> {
    let mut operations = BTreeMap::new();
    for document in documents() {
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let key = (path.clone(), method.to_uppercase());
                let twice = operations.insert(key, (document.clone(), operation.clone()));
                assert!(twice.is_none(), "{method} {path} is described twice");
            }
        }
    }
    operations
}

/// Why `value` is not what `schema`, a part of `document`, says.
fn fault(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = json!({
        "allOf": [schema],
        "definitions": document["definitions"],
    });
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.set_default_draft(Draft::V4);
    compiler.add_resource("http://test/", schema).unwrap();
    let schema = compiler.compile("http://test/", &mut schemas).unwrap();
    schemas
        .validate(value, schema)
        .err()
        .map(|error| error.to_string())
}

/// Why an answer is not what the operation that it answers says.
fn fault_of_answer(method: &str, path: &str, status: u16, body: &str) -> Option<String> {
    let operations = operations();
    let (document, operation) = operations.get(&(path.into(), method.into()))?;
    let responses = operation["responses"].as_object().unwrap();
    let Some(response) = responses
        .get(&status.to_string())
        .or_else(|| responses.get("default"))
    else {
        return Some(format!("nothing is said of the status {status}"));
    };
    let schema = &response["schema"];
    let body = match schema["type"].as_str() {
        Some("string") => body.into(),
        _ => match serde_json::from_str(body) {
            Ok(body) => body,
            Err(error) => return Some(format!("not JSON: {error}")),
        },
    };
    fault(document, schema, &body)
}

#[test]
fn the_documents_have_the_operations_that_are_served_and_no_others() {
    let described: BTreeSet<_> = operations().into_keys().collect();
    let served: BTreeSet<_> = HttpApi::endpoints()
        .map(|(method, path)| (path.to_owned(), method.to_string()))
        .collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn every_operation_is_answered_and_another_method_is_not() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (path, described) in operations().into_keys() {
        for method in ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"] {
            let request = http::Request::builder()
                .method(method)
                .uri(&*path)
                .body(Full::from("{\"publicKey\":{}}"))
                .unwrap();
            let reply = fixture.send(request).await;
            assert_eq!(
                reply.status.is_success(),
                method == described,
                "{method} {path}"
            );
            assert_eq!(reply.status == 501, method != described, "{method} {path}");
        }
    }
    assert_eq!(fixture.get("/api/v2/swagger.json").await.status, 404);
}

#[tokio::test]
async fn the_documents_are_served() {
    let fixture = Fixture::new(FakeBackend::issuing());
    for (path, file) in [
        ("/api/v1/openapi.json", "v1.json"),
        ("/api/v2/openapi.json", "v2.json"),
    ] {
        let reply = fixture.get(path).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
        assert_eq!(reply.body, fs::read_to_string(folder.join(file)).unwrap());
    }
}

/// The schema of a field, as the proto3 mapping to JSON has it.
fn schema_of(field: &FieldDescriptorProto) -> Value {
    let name = || field.type_name().rsplit('.').next().unwrap();
    let one = match field.r#type() {
        Type::Bool => json!({ "type": "boolean" }),
        Type::Bytes => json!({ "type": "string", "format": "byte" }),
        Type::Enum | Type::Message => json!({ "$ref": format!("#/definitions/{}", name()) }),
        Type::String => json!({ "type": "string" }),
        other => panic!("{other:?} of {} has no schema here", field.name()),
    };
    match field.label() {
        Label::Repeated => json!({ "type": "array", "items": one }),
        _ => one,
    }
}

/// A schema without its words, and without the `allOf` that a reference needs to have words.
fn bare(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema.as_object_mut().unwrap().remove("description");
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([one]) => one.clone(),
        _ => schema,
    }
}

fn file(package: &str) -> FileDescriptorProto {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    files
        .into_iter()
        .find(|file| file.package() == package)
        .unwrap()
}

/// The messages that have fields; the others are never written as JSON.
fn messages(file: &FileDescriptorProto) -> impl Iterator<Item = &DescriptorProto> {
    file.message_type
        .iter()
        .filter(|message| !message.field.is_empty())
}

#[test]
fn every_message_has_a_schema_with_all_its_fields_and_no_others() {
    for (package, document, own) in [
        ("dev.sigstore.fulcio.v1beta", openapi::V1, &["Status"][..]),
        (
            "dev.sigstore.fulcio.v2",
            openapi::V2,
            &["Status", "Health", "Part", "Readiness"],
        ),
    ] {
        let file = file(package);
        let document: Value = serde_json::from_str(document).unwrap();
        let definitions = document["definitions"].as_object().unwrap();
        let mut names: BTreeSet<&str> = own.iter().copied().collect();
        for message in messages(&file) {
            names.insert(message.name());
            let described: BTreeMap<_, _> = definitions[message.name()]["properties"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, schema)| (name.clone(), bare(schema)))
                .collect();
            let fields = message.field.iter();
            let expected: BTreeMap<_, _> = fields
                .map(|field| (field.json_name().to_owned(), schema_of(field)))
                .collect();
            assert_eq!(described, expected, "{}", message.name());
        }
        for r#enum in &file.enum_type {
            names.insert(r#enum.name());
            let values: Vec<_> = r#enum.value.iter().map(|value| value.name()).collect();
            assert_eq!(definitions[r#enum.name()]["enum"], json!(values));
            assert_eq!(definitions[r#enum.name()]["default"], json!(values[0]));
        }
        let defined: BTreeSet<_> = definitions.keys().map(String::as_str).collect();
        assert_eq!(defined, names);
    }
}

#[test]
fn everything_that_is_described_has_words() {
    fn visit(at: &str, value: &Value) {
        let Some(object) = value.as_object() else {
            return;
        };
        for container in ["properties", "definitions", "responses", "headers"] {
            for (name, member) in object
                .get(container)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let words = member["description"].as_str().unwrap_or_default();
                assert!(words.ends_with('.'), "{at}/{container}/{name}: {words:?}");
            }
        }
        for (name, member) in object {
            visit(&format!("{at}/{name}"), member);
        }
    }
    for document in documents() {
        visit("", &document);
        for methods in document["paths"].as_object().unwrap().values() {
            for operation in methods.as_object().unwrap().values() {
                assert!(operation["summary"].as_str().unwrap().ends_with('.'));
            }
        }
    }
}

#[test]
fn what_fulcio_was_sent_and_has_answered_is_as_described() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let operations = operations();
    let (mut answers, mut requests) = (0, 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let sample: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let (request, response) = (&sample["request"], &sample["response"]);
        let operation = (
            request["path"].as_str().unwrap().to_owned(),
            request["method"].as_str().unwrap().to_owned(),
        );
        let Some((document, described)) = operations.get(&operation) else {
            continue;
        };
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let body = response["body"].as_str().unwrap();
        let fault_found = fault_of_answer(&operation.1, &operation.0, status, body);
        assert_eq!(fault_found, None, "{name}");
        answers += 1;
        if operation.1 == "POST" && name.starts_with("ok-") {
            let schema = &described["parameters"][1]["schema"];
            let body = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
            assert_eq!(fault(document, schema, &body), None, "{name}");
            requests += 1;
        }
    }
    assert!(answers >= 40 && requests >= 8, "{answers} {requests}");
}

#[tokio::test]
async fn what_is_answered_here_is_as_described() {
    let mut backends = vec![FakeBackend::issuing()];
    for timestamp in [Timestamp::Detached(timestamp()), Timestamp::None] {
        let certified = Certified::new(chain(), timestamp);
        backends.push(FakeBackend::new(Answer::Issue(certified)));
    }
    for (refusal, ..) in refusals() {
        backends.push(FakeBackend::refusing(refusal));
    }
    backends.push(FakeBackend::new(Answer::Panic));
    for mut backend in backends {
        backend.chains = vec![chain(), chain()];
        backend.issuers = vec![email_issuer()];
        backend.readiness.parts.push(part_at_fault());
        let fixture = Fixture::new(backend);
        for (path, method) in operations().into_keys() {
            let reply = match &*method {
                "POST" => fixture.post(&path, r#"{"publicKey":{}}"#).await,
                _ => fixture.get(&path).await,
            };
            let fault = fault_of_answer(&method, &path, reply.status.as_u16(), &reply.body);
            assert_eq!(fault, None, "{method} {path}: {}", reply.body);
            if let Some(sct) = reply.header("sct") {
                let (_, operation) = &operations()[&(path, method)];
                let header = &operation["responses"]["201"]["headers"]["SCT"];
                assert_eq!(
                    (&header["type"], &header["format"]),
                    (&json!("string"), &json!("byte"))
                );
                assert!(!sct.is_empty());
            }
        }
    }
}

#[test]
fn the_schemas_tell_wrong_messages_from_right_ones() {
    let wrong = |path: &str, status, body: &str| {
        let method = if path.ends_with("Cert") {
            "POST"
        } else {
            "GET"
        };
        fault_of_answer(method, path, status, body).is_some()
    };
    let embedded = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":["a"]}}}"#;
    assert!(!wrong("/api/v2/signingCert", 200, embedded));
    assert!(wrong("/api/v2/trustBundle", 200, embedded));
    assert!(wrong("/api/v2/signingCert", 400, embedded));
    assert!(wrong("/api/v2/signingCert", 200, "{}"));
    let numbers = r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":[1]}}}"#;
    assert!(wrong("/api/v2/signingCert", 200, numbers));
    let status = r#"{"code":3,"message":"x","details":[]}"#;
    assert!(!wrong("/api/v2/signingCert", 400, status));
    assert!(wrong(
        "/api/v2/signingCert",
        400,
        r#"{"code":"3","message":"x","details":[]}"#
    ));
    assert!(wrong(
        "/api/v2/signingCert",
        400,
        r#"{"code":3,"message":"x"}"#
    ));
    assert!(wrong(
        "/api/v2/configuration",
        200,
        r#"{"issuers":[{"issuerUrl":"x"}]}"#
    ));
}
