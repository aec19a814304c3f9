use std::{collections::BTreeMap, io::Read as _};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::read::GzDecoder;
use fulcio_api::proto::v2::{
    Configuration, SigningCertificate, signing_certificate::Certificate as Variant,
};
use prost::Message as _;
use serde_json::Value;

use super::{
    answer::Answer,
    leaf::{fields, hex},
    request::{Request, Transport},
};

/// What an answer says, by place, without what differs from one answer to the next.
#[derive(Debug)]
pub(super) struct View {
    pub(super) places: BTreeMap<String, String>,
    /// Whether there is a certificate for the caller in it.
    pub(super) issued: bool,
}

/// Headers that say how an answer is sent, not what it is.
const OF_TRANSPORT: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

impl View {
    pub(super) fn of(request: &Request, answer: &Answer) -> Self {
        let mut view = Self {
            places: BTreeMap::new(),
            issued: false,
        };
        view.put("status", answer.status.to_string());
        if answer.broken {
            view.put("broken", "ends before its end".to_owned());
        }
        if answer.more > 0 {
            view.put("more answers", answer.more.to_string());
        }
        view.put_headers("header", &answer.headers, request);
        view.put_headers("trailer", &answer.trailers, request);
        if request.transport == Transport::Grpc {
            view.read_grpc(request, answer);
        } else {
            view.read_http(request, answer);
        }
        view
    }

    /// What is said of a refusal.
    pub(super) fn at(&self, place: &str) -> Option<&str> {
        self.places.get(place).map(String::as_str)
    }

    fn put(&mut self, place: &str, value: String) {
        self.places.insert(place.to_owned(), value);
    }

    fn put_headers(&mut self, kind: &str, headers: &[(String, String)], request: &Request) {
        let status = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
        for (name, value) in headers {
            let is_status = request.transport == Transport::Grpc && status.contains(&name.as_str());
            if OF_TRANSPORT.contains(&name.as_str()) || is_status {
                continue;
            }
            let value = match name.as_str() {
                "sct" => timestamp_in_base64(value),
                _ => value.clone(),
            };
            let all = self.places.entry(format!("{kind} {name}")).or_default();
            if !all.is_empty() {
                all.push_str(" | ");
            }
            all.push_str(&value);
        }
    }

    fn read_http(&mut self, request: &Request, answer: &Answer) {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let json: Option<Value> = serde_json::from_str(&text).ok();
        if let Some(json) = &json
            && let (Some(code), Some(message)) = (json["code"].as_i64(), json["message"].as_str())
        {
            self.put("code", code.to_string());
            self.put("message", settled(message));
            let rest = compact(&text).replacen(&message_in(&text), "${message}", 1);
            self.put("body", rest);
            return;
        }
        let mut body = if json.is_some() { compact(&text) } else { text };
        if let Some(json) = &json {
            if let Some(sct) = json
                .pointer("/signedCertificateDetachedSct/signedCertificateTimestamp")
                .and_then(Value::as_str)
                .filter(|sct| !sct.is_empty())
            {
                self.put("timestamp", timestamp_in_base64(sct));
                body = body.replace(sct, "${timestamp}");
            }
            if let Some(issuers) = json["issuers"].as_array() {
                let mut issuers: Vec<_> = issuers.iter().map(Value::to_string).collect();
                issuers.sort();
                self.put("issuers", issuers.join("\n"));
                body = shape_of_issuers(&body);
            }
        }
        let success = (200..300).contains(&answer.status);
        if success && request.asks_for_a_certificate() {
            let line_end = if json.is_some() { "\\n" } else { "\n" };
            body = self.take_leaf(&body, line_end);
        }
        self.put("body", body);
    }

    /// Looks at the first certificate in a text, and gives the text without it.
    fn take_leaf(&mut self, text: &str, line_end: &str) -> String {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let range = text.find(BEGIN).and_then(|begin| {
            let end = begin + text[begin..].find(END)? + END.len();
            Some(begin..end)
        });
        let Some(range) = range else {
            return text.to_owned();
        };
        self.issued = true;
        let pem = text[range.clone()].replace(line_end, "\n");
        let lines: Vec<_> = pem.lines().map(str::len).collect();
        let widest = lines.iter().copied().max().unwrap_or_default();
        self.put("pem", format!("at most {widest} characters in a line"));
        match pem_rfc7468::decode_vec(pem.as_bytes()) {
            Ok((_, der)) => self.places.extend(fields(&der)),
            Err(error) => self.put("certificate", format!("{error}: {pem}")),
        }
        format!("{}${{leaf}}{}", &text[..range.start], &text[range.end..])
    }

    fn read_grpc(&mut self, request: &Request, answer: &Answer) {
        let said = |name: &str| {
            let all = answer.trailers.iter().chain(&answer.headers);
            all.into_iter()
                .find(|(one, _)| one == name)
                .map(|(_, value)| settled(&percent_decoded(value)))
        };
        if let Some(code) = said("grpc-status") {
            self.put("code", code);
        }
        if let Some(message) = said("grpc-message").filter(|message| !message.is_empty()) {
            self.put("message", message);
        }
        if let Some(details) = said("grpc-status-details-bin") {
            self.put("details", details);
        }
        let mut rest = answer.body.as_slice();
        let mut messages = Vec::new();
        while let Some((head, after)) = rest.split_first_chunk::<5>() {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            let length = usize::try_from(length).unwrap().min(after.len());
            let (message, after) = after.split_at(length);
            messages.push((head[0], message));
            rest = after;
        }
        if !rest.is_empty() {
            self.put("broken", hex(rest));
        }
        for (number, (flag, message)) in messages.into_iter().enumerate() {
            let message = &match flag {
                1 => gunzipped(message),
                _ => message.to_vec(),
            };
            let read = if request.target.ends_with("v2.CA/CreateSigningCertificate") {
                self.signing_certificate(message)
            } else if request.target.ends_with("/GetConfiguration") {
                issuers(message)
            } else {
                None
            };
            let value = read.unwrap_or_else(|| hex(message));
            self.put(&format!("message {number}"), format!("{flag} {value}"));
        }
    }

    fn signing_certificate(&mut self, message: &[u8]) -> Option<String> {
        let mut answer = SigningCertificate::decode(message).ok()?;
        let chain = match &mut answer.certificate {
            Some(Variant::SignedCertificateDetachedSct(detached)) => {
                let sct = &mut detached.signed_certificate_timestamp;
                if !sct.is_empty() {
                    let timestamp = timestamp_in_json(sct);
                    self.places.insert("timestamp".to_owned(), timestamp);
                    *sct = b"${timestamp}".to_vec();
                }
                &mut detached.chain
            }
            Some(Variant::SignedCertificateEmbeddedSct(embedded)) => &mut embedded.chain,
            None => &mut None,
        };
        if let Some(leaf) = chain
            .as_mut()
            .and_then(|chain| chain.certificates.first_mut())
        {
            *leaf = self.take_leaf(leaf, "\n");
        }
        Some(format!("{answer:?}"))
    }
}

/// A message without what Fulcio leaves to chance: its protobuf library writes one space or another,
/// and of two headers with the same fault it names either.
fn settled(message: &str) -> String {
    message.replace('\u{a0}', " ").replace(
        "header key \"oidcidentitytoken\" contains",
        "header key \"authorization\" contains",
    )
}

/// A message that is compressed; where it cannot be read, as it is.
fn gunzipped(message: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match GzDecoder::new(message).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(_) => message.to_vec(),
    }
}

/// The issuers in a configuration, which are in no order.
fn issuers(message: &[u8]) -> Option<String> {
    let all = Configuration::decode(message).ok()?;
    let mut issuers: Vec<_> = all.issuers.iter().map(|one| format!("{one:?}")).collect();
    issuers.sort();
    Some(issuers.join("\n"))
}

fn timestamp_in_base64(text: &str) -> String {
    match BASE64_STANDARD.decode(text) {
        Ok(json) => timestamp_in_json(&json),
        Err(error) => format!("{error}: {text}"),
    }
}

/// A timestamp in JSON, without its time and its signature.
fn timestamp_in_json(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json).into_owned();
    let Ok(value) = serde_json::from_slice::<Value>(json) else {
        return text;
    };
    let time = value["timestamp"].to_string();
    let signature = value["signature"].as_str().unwrap_or_default();
    text.replace(&time, "${time}")
        .replace(signature, "${signature}")
}

/// The text of the member `message` as it is written, with its quotes.
fn message_in(text: &str) -> String {
    let text = compact(text);
    let Some((_, rest)) = text.split_once("\"message\":") else {
        return String::new();
    };
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    });
    rest[..end.map_or(rest.len(), |(at, _)| at + 1)].to_owned()
}

/// JSON without white space between its parts.
fn compact(json: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let mut short = String::with_capacity(json.len());
    for character in json.chars() {
        if inside {
            if character == '"' && !escaped {
                inside = false;
            }
            escaped = character == '\\' && !escaped;
        } else if character == '"' {
            inside = true;
        } else if character.is_ascii_whitespace() {
            continue;
        }
        short.push(character);
    }
    short
}

/// The names of the members in each issuer, in order: their values are compared without.
fn shape_of_issuers(body: &str) -> String {
    // What stands before the first would otherwise be a part of it, and any can be the first.
    let (before, issuers) = body.split_once("[{").unwrap_or(("", body));
    let mut shapes: Vec<_> = issuers
        .split("},{")
        .map(|issuer| {
            let parts = issuer.split('"').skip(1).step_by(2);
            parts
                .filter(|part| !part.contains(['/', '.']))
                .collect::<Vec<_>>()
                .join(",")
        })
        .collect();
    shapes.sort();
    format!("{before}; {}", shapes.join("; "))
}

/// What gRPC writes of a message (its specification, "Responses").
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = digits
            .and_then(|digits| core::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}
