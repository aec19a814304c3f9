use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    CustomExtension, ExtendedKeyUsagePurpose, KeyUsagePurpose, OtherNameValue,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_RSA_SHA256,
    PublicKeyData, SanType, SignatureAlgorithm,
};
use serde_json::Value;
use x509_cert::{
    der::{Decode as _, asn1::Utf8StringRef, pem},
    spki::{ObjectIdentifier, SubjectPublicKeyInfoRef},
};

use super::service::Refusal;

/// A certificate as it is asked for.
pub(super) struct Wanted {
    pub(super) extended_usages: Vec<ExtendedKeyUsagePurpose>,
    pub(super) extensions: Vec<CustomExtension>,
    pub(super) key: CertifiedKey,
    pub(super) lifetime: Duration,
    pub(super) names: Vec<SanType>,
    pub(super) usages: Vec<KeyUsagePurpose>,
}

/// The key of somebody else.
pub(super) struct CertifiedKey {
    algorithm: &'static SignatureAlgorithm,
    bits: Vec<u8>,
}

impl PublicKeyData for CertifiedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl Wanted {
    /// Reads a `Certificate` in JSON with a `config`, as strictly as Google does.
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        only(
            body,
            "the certificate",
            &["config", "lifetime", "name", "labels", "subjectMode"],
        )?;
        let config = &body["config"];
        only(
            config,
            "config",
            &["publicKey", "subjectConfig", "x509Config"],
        )?;
        let x509 = &config["x509Config"];
        only(x509, "x509Config", &["keyUsage", "additionalExtensions"])?;
        let usage = &x509["keyUsage"];
        Ok(Self {
            extended_usages: flags(&usage["extendedKeyUsage"], |name| match name {
                "codeSigning" => Some(ExtendedKeyUsagePurpose::CodeSigning),
                "emailProtection" => Some(ExtendedKeyUsagePurpose::EmailProtection),
                _ => None,
            })?,
            extensions: list(&x509["additionalExtensions"])
                .iter()
                .map(extension)
                .collect::<Result<_, _>>()?,
            key: key(&config["publicKey"])?,
            lifetime: lifetime(&body["lifetime"])?,
            names: names(&config["subjectConfig"])?,
            usages: flags(&usage["baseKeyUsage"], |name| match name {
                "digitalSignature" => Some(KeyUsagePurpose::DigitalSignature),
                "contentCommitment" => Some(KeyUsagePurpose::ContentCommitment),
                _ => None,
            })?,
        })
    }
}

/// The flags that are set, none of which may be unknown.
fn flags<T>(object: &Value, known: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Refusal> {
    let flags = object.as_object().into_iter().flatten();
    flags
        .filter(|(_name, flag)| **flag == Value::Bool(true))
        .map(|(name, _flag)| known(name).ok_or_else(|| invalid(&format!("unknown usage {name}"))))
        .collect()
}

fn extension(value: &Value) -> Result<CustomExtension, Refusal> {
    let oid: Vec<u64> = oid(&value["objectId"])?;
    // What has fields of its own is not asked for here.
    if oid.starts_with(&[2, 5, 29]) {
        return Err(invalid("an additional extension has a field of its own"));
    }
    let mut extension = CustomExtension::from_oid_content(&oid, bytes(&value["value"])?);
    extension.set_criticality(value["critical"].as_bool().unwrap_or_default());
    Ok(extension)
}

fn oid(value: &Value) -> Result<Vec<u64>, Refusal> {
    let arcs: Option<Vec<u64>> = list(&value["objectIdPath"])
        .iter()
        .map(Value::as_u64)
        .collect();
    arcs.filter(|arcs| arcs.len() > 1)
        .ok_or_else(|| invalid("an object identifier is not one"))
}

fn key(value: &Value) -> Result<CertifiedKey, Refusal> {
    // The enumeration by its name, or by its number.
    if value["format"] != "PEM" && value["format"] != 1 {
        return Err(invalid("the format of the public key is not PEM"));
    }
    let pem = bytes(&value["key"])?;
    let (_label, der) = pem::decode_vec(&pem).map_err(|_error| invalid("the key is not PEM"))?;
    let key = SubjectPublicKeyInfoRef::from_der(&der)
        .map_err(|_error| invalid("the key is not a public key"))?;
    let curve = |oid: &str| {
        let parameters = key.algorithm.parameters_oid();
        parameters.is_ok_and(|curve| curve == ObjectIdentifier::new_unwrap(oid))
    };
    let algorithm = match key.algorithm.oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => &PKCS_RSA_SHA256,
        "1.2.840.10045.2.1" if curve("1.2.840.10045.3.1.7") => &PKCS_ECDSA_P256_SHA256,
        "1.2.840.10045.2.1" if curve("1.3.132.0.34") => &PKCS_ECDSA_P384_SHA384,
        "1.2.840.10045.2.1" if curve("1.3.132.0.35") => &PKCS_ECDSA_P521_SHA512,
        other => return Err(invalid(&format!("keys of {other} are not certified"))),
    };
    let bits = key.subject_public_key.as_bytes();
    Ok(CertifiedKey {
        algorithm,
        bits: bits
            .ok_or_else(|| invalid("the key has a part of a byte"))?
            .to_vec(),
    })
}

/// Seconds with an `s` behind them.
fn lifetime(value: &Value) -> Result<Duration, Refusal> {
    let text = value.as_str().and_then(|text| text.strip_suffix('s'));
    let seconds = text.and_then(|text| text.parse::<f64>().ok());
    seconds
        .filter(|seconds| (1.0..1e9).contains(seconds))
        .map(|seconds| Duration::from_secs(seconds as u64))
        .ok_or_else(|| invalid("the lifetime is not one"))
}

fn names(value: &Value) -> Result<Vec<SanType>, Refusal> {
    only(value, "subjectConfig", &["subject", "subjectAltName"])?;
    if value["subject"]
        .as_object()
        .is_some_and(|subject| !subject.is_empty())
    {
        return Err(invalid("this double knows no subjects"));
    }
    let names = &value["subjectAltName"];
    only(
        names,
        "subjectAltName",
        &["emailAddresses", "uris", "customSans"],
    )?;
    let mut found = Vec::new();
    for email in list(&names["emailAddresses"]) {
        let email = text(email)?;
        if !email.contains('@') {
            return Err(invalid("an e-mail address is not one"));
        }
        found.push(SanType::Rfc822Name(email.try_into().map_err(not_ascii)?));
    }
    for uri in list(&names["uris"]) {
        found.push(SanType::URI(text(uri)?.try_into().map_err(not_ascii)?));
    }
    for other in list(&names["customSans"]) {
        let value = bytes(&other["value"])?;
        let value = Utf8StringRef::from_der(&value)
            .map_err(|_error| invalid("a custom name is no UTF8String"))?;
        let value = OtherNameValue::Utf8String(value.as_str().to_owned());
        found.push(SanType::OtherName((oid(&other["objectId"])?, value)));
    }
    if found.is_empty() {
        return Err(invalid("there is neither a subject nor another name"));
    }
    Ok(found)
}

/// Refuses fields that Google's service, or this double, does not know.
fn only(value: &Value, what: &str, known: &[&str]) -> Result<(), Refusal> {
    let mut fields = value.as_object().into_iter().flatten();
    match fields.find(|(name, _value)| !known.contains(&name.as_str())) {
        Some((name, _value)) => Err(invalid(&format!("unknown name {name:?} at {what}"))),
        None => Ok(()),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Result<&str, Refusal> {
    value.as_str().ok_or_else(|| invalid("a text is not one"))
}

fn bytes(value: &Value) -> Result<Vec<u8>, Refusal> {
    STANDARD
        .decode(text(value)?)
        .map_err(|_error| invalid("bytes are not base64"))
}

fn not_ascii(_error: rcgen::Error) -> Refusal {
    invalid("a name is not ASCII")
}

fn invalid(message: &str) -> Refusal {
    Refusal::invalid(message.to_owned())
}
