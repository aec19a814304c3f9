use std::{fs, path::Path};

use pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use tonic::Status;

use super::{expectation::pem_texts, grpc_json, token};
use crate::common::{Answer, IdpServer, Server, http, unix_now};

/// One file of `tests/samples`.
#[derive(Clone, Debug)]
pub(crate) struct Sample(Value);

/// What our server answered.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) answer: Transport,
    /// When it was asked, in seconds since 1970.
    pub(crate) asked: u64,
    /// The key that was to be certified, as DER, where the request has one that can be read.
    pub(crate) key: Option<Vec<u8>>,
    leaf_first: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum Transport {
    Http(Answer),
    Grpc(Result<Value, Status>),
}

impl Sample {
    pub(crate) fn read(path: &Path, issuer: &str) -> Self {
        let mut sample = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        replace(&mut sample, "${issuer}", issuer);
        if let Some(length) = sample["filler_bytes"].as_u64() {
            replace(
                &mut sample,
                "${filler}",
                &"a".repeat(length.try_into().unwrap()),
            );
        }
        Self(sample)
    }

    pub(crate) fn name(&self) -> &str {
        self.text("name")
    }

    pub(crate) fn server(&self) -> &str {
        self.text("server")
    }

    pub(crate) fn expect(&self) -> &Value {
        &self.0["expect"]
    }

    /// Expects `value` in one member; an error is not expected any more where there is a body.
    pub(crate) fn deviate(&mut self, member: &str, value: Value) {
        let expect = self.0["expect"].as_object_mut().unwrap();
        if member == "body" {
            expect.remove("message");
        }
        expect.insert(member.to_owned(), value);
    }

    /// Sends the request, with a fresh token.
    pub(crate) fn replay(&self, idp: &IdpServer, server: &Server) -> Observed {
        let mut request = self.0.clone();
        if let Some(described) = self.0.get("token") {
            replace(&mut request, "${token}", &token::mint(described, idp));
        }
        let headers: Vec<_> = request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let path = self.text("path");
        let asked = unix_now();
        let answer = match self.text("transport") {
            "http" => {
                let body = match &request["body"] {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    body => Some(body.to_string()),
                };
                let body = body.as_deref().map(str::as_bytes);
                let url = server.url(path);
                Transport::Http(http(self.text("method"), &url, &headers, body))
            }
            _ => Transport::Grpc(grpc_json::call(
                server.grpc(),
                path,
                &headers,
                &request["body"],
            )),
        };
        let leaf_first = match self.expect().get("chain") {
            Some(_) => chain_of(&answer),
            None => Vec::new(),
        };
        Observed {
            key: certified_key(&request["body"]),
            answer,
            asked,
            leaf_first,
        }
    }

    #[track_caller]
    fn text(&self, member: &str) -> &str {
        self.0[member]
            .as_str()
            .unwrap_or_else(|| panic!("there is no {member}"))
    }
}

impl Observed {
    /// The chain of the answer in PEM, the certificate first; empty where none was asked for.
    pub(crate) fn chain(&self) -> &[String] {
        &self.leaf_first
    }

    pub(crate) fn leaf(&self) -> Option<CertificateDer<'static>> {
        let pem = self.leaf_first.first()?;
        Some(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
    }

    /// What issued the certificate.
    pub(crate) fn issuer(&self) -> Option<CertificateDer<'static>> {
        let pem = self.leaf_first.get(1)?;
        Some(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
    }
}

/// All certificates of an answer, in whatever form it is, without white space around them.
fn chain_of(answer: &Transport) -> Vec<String> {
    let text = match answer {
        Transport::Http(answer) => match serde_json::from_slice::<Value>(&answer.body) {
            Ok(json) => strings_of(&json),
            Err(_not_json) => answer.text(),
        },
        Transport::Grpc(Ok(message)) => strings_of(message),
        Transport::Grpc(Err(_)) => String::new(),
    };
    let texts = pem_texts(&text).into_iter();
    texts.map(|pem| pem.trim().to_owned()).collect()
}

/// All texts in a JSON value, one after the other.
fn strings_of(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(strings_of).collect(),
        Value::Object(members) => members.values().map(strings_of).collect(),
        _ => String::new(),
    }
}

/// The public key in a request body of either version of the API.
fn certified_key(body: &Value) -> Option<Vec<u8>> {
    let body = match body {
        Value::String(text) => serde_json::from_str(text).ok()?,
        body => body.clone(),
    };
    super::certificate::key_in_request(&body)
}

/// Replaces `placeholder` in every text of a JSON value.
fn replace(value: &mut Value, placeholder: &str, with: &str) {
    match value {
        Value::String(text) => *text = text.replace(placeholder, with),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| replace(item, placeholder, with)),
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|member| replace(member, placeholder, with));
        }
        _ => {}
    }
    debug_assert_ne!(*value, json!(placeholder));
}
