use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use fulcio_ct_client::decode_sct_list;
use pki_types::CertificateDer;
use serde_json::{Value, json};
use x509_cert::{
    Certificate,
    der::{
        Decode as _, Encode as _,
        asn1::{OctetString, Utf8StringRef},
        oid::AssociatedOid as _,
    },
    ext::{
        Extension,
        pkix::{
            AuthorityKeyIdentifier, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
            SubjectKeyIdentifier, name::GeneralName,
        },
    },
    request::CertReq,
    spki::SubjectPublicKeyInfoOwned,
};

const FULCIO: &str = "1.3.6.1.4.1.57264.1.";
const TIMESTAMPS: &str = "1.3.6.1.4.1.11129.2.4.2";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";

/// What the samples tell of a certificate.
pub(crate) fn facts(certificate: &CertificateDer<'_>) -> Value {
    let certificate = Certificate::from_der(certificate).unwrap();
    let facts = certificate.tbs_certificate();
    let validity = facts.validity();
    let lifetime = validity.not_after.to_unix_duration() - validity.not_before.to_unix_duration();
    json!({
        "lifetime_seconds": lifetime.as_secs(),
        "subject": facts.subject().to_string(),
        "extensions": facts.extensions().unwrap().iter().map(extension).collect::<Vec<_>>(),
    })
}

fn extension(extension: &Extension) -> Value {
    let oid = extension.extn_id.to_string();
    let der = extension.extn_value.as_bytes();
    let mut facts = json!({ "oid": oid, "critical": extension.critical });
    if let Some(arc) = oid.strip_prefix(FULCIO) {
        facts["value"] = match arc.parse().unwrap() {
            // The first six are bare text.
            1..=6 => core::str::from_utf8(der).unwrap().into(),
            _ => Utf8StringRef::from_der(der).unwrap().as_str().into(),
        };
    } else if oid == TIMESTAMPS {
        let list = OctetString::from_der(der).unwrap();
        facts["scts"] = decode_sct_list(list.as_bytes()).unwrap().len().into();
    } else if extension.extn_id == KeyUsage::OID {
        let usage = KeyUsage::from_der(der).unwrap();
        facts["value"] = usage.0.into_iter().map(key_usage).collect();
    } else if extension.extn_id == ExtendedKeyUsage::OID {
        let usages = ExtendedKeyUsage::from_der(der).unwrap();
        facts["value"] = usages
            .0
            .iter()
            .map(|usage| Value::from(usage.to_string()))
            .collect();
    } else if extension.extn_id == SubjectAltName::OID {
        let names = SubjectAltName::from_der(der).unwrap();
        facts["value"] = names.0.iter().map(subject).collect();
    }
    facts
}

fn key_usage(usage: KeyUsages) -> Value {
    match usage {
        KeyUsages::DigitalSignature => "digitalSignature",
        KeyUsages::KeyCertSign => "keyCertSign",
        KeyUsages::CRLSign => "cRLSign",
        _ => "another",
    }
    .into()
}

fn subject(name: &GeneralName) -> Value {
    match name {
        GeneralName::Rfc822Name(email) => format!("email:{}", email.as_str()).into(),
        other => format!("{other:?}").into(),
    }
}

/// The extensions of a recording, and the one that ours have more: the subject key identifier,
/// after the extended key usage.
pub(crate) fn with_our_extension(recorded: &Value) -> Value {
    let mut extensions = recorded.as_array().unwrap().clone();
    if let Some(place) = extensions
        .iter()
        .position(|one| one["oid"] == EXTENDED_KEY_USAGE)
    {
        let identifier = json!({ "oid": SUBJECT_KEY_IDENTIFIER, "critical": false });
        extensions.insert(place + 1, identifier);
    }
    extensions.into()
}

/// What is wrong with a certificate for `key` that was asked for at `asked`, beside its facts.
pub(crate) fn faults(
    leaf: &CertificateDer<'_>,
    issuer: &CertificateDer<'_>,
    key: Option<&[u8]>,
    asked: u64,
) -> Vec<String> {
    let leaf = Certificate::from_der(leaf).unwrap();
    let issuer = Certificate::from_der(issuer).unwrap();
    let (leaf, issuer) = (leaf.tbs_certificate(), issuer.tbs_certificate());
    let spki = leaf.subject_public_key_info();
    let identifier: Option<(bool, SubjectKeyIdentifier)> = leaf.get_extension().unwrap();
    let authority: Option<(bool, AuthorityKeyIdentifier)> = leaf.get_extension().unwrap();
    let of_issuer: Option<(bool, SubjectKeyIdentifier)> = issuer.get_extension().unwrap();
    let begun = leaf.validity().not_before.to_unix_duration().as_secs();
    let serial = leaf.serial_number().as_bytes();
    let sha1 = digest(
        &SHA1_FOR_LEGACY_USE_ONLY,
        spki.subject_public_key.raw_bytes(),
    );

    let checks = [
        (
            Some(spki.to_der().unwrap().as_slice()) == key,
            "is for another key",
        ),
        (leaf.issuer() == issuer.subject(), "names another issuer"),
        (
            (asked..=asked + 10).contains(&begun),
            "does not begin when it was asked for",
        ),
        (
            (16..=20).contains(&serial.len()),
            "has no 159-bit serial number",
        ),
        (
            identifier.is_some_and(|(_, id)| id.0.as_bytes() == sha1.as_ref()),
            "has a subject key identifier that is not the SHA-1 of its key",
        ),
        (
            authority
                .and_then(|(_, id)| id.key_identifier)
                .map(OctetString::into_bytes)
                == of_issuer.map(|(_, id)| id.0.into_bytes()),
            "has an authority key identifier that is not the issuer's",
        ),
    ];
    checks
        .iter()
        .filter(|(holds, _)| !holds)
        .map(|(_, fault)| format!("the certificate {fault}"))
        .collect()
}

/// The public key of a request, as DER.
pub(crate) fn key_in_request(body: &Value) -> Option<Vec<u8>> {
    let either =
        |value: &'static [&'static str]| value.iter().find_map(|path| body.pointer(path)?.as_str());
    let bytes = |text: &str| {
        let text = text.replace('-', "+").replace('_', "/");
        BASE64_STANDARD_NO_PAD
            .decode(text.trim_end_matches('='))
            .ok()
    };
    if let Some(csr) = either(&["/certificateSigningRequest"]) {
        let csr = bytes(csr).filter(|csr| !csr.is_empty())?;
        let (_, der) = pem_rfc7468::decode_vec(&csr).ok()?;
        let csr = CertReq::from_der(&der).ok()?;
        return csr.info.public_key.to_der().ok();
    }
    let content = either(&[
        "/publicKeyRequest/publicKey/content",
        "/public_key_request/public_key/content",
        "/publicKey/content",
    ])?;
    let der = if content.starts_with("-----BEGIN") {
        pem_rfc7468::decode_vec(content.as_bytes()).ok()?.1
    } else {
        bytes(content)?
    };
    SubjectPublicKeyInfoOwned::from_der(&der)
        .ok()?
        .to_der()
        .ok()
}
