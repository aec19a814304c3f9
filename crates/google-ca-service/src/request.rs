//! What CA Service is asked for.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use der::{
    Encode as _,
    asn1::Utf8StringRef,
    pem::{LineEnding, encode_string},
};
use fulcio_cert_builder::Leaf;
use fulcio_principal::SubjectAltName;
use google_cloud_security_privateca_v1::model::{
    Certificate, CertificateConfig, CreateCertificateRequest, KeyUsage, ObjectId, PublicKey,
    Subject, SubjectAltNames, X509Extension, X509Parameters,
    certificate_config::SubjectConfig,
    key_usage::{ExtendedKeyUsageOptions, KeyUsageOptions},
    public_key::KeyFormat,
};

use crate::{Error, Parent, check::is_by_service};

/// The request for `leaf`. It carries an identifier of its own: sent a second time, it gives the
/// same certificate and not another.
pub(crate) fn request(leaf: &Leaf<'_>, parent: &Parent) -> Result<CreateCertificateRequest, Error> {
    let key = encode_string("PUBLIC KEY", LineEnding::LF, &leaf.public_key())
        .map_err(|error| Error::Request(error.into()))?;
    let extensions: Vec<_> = leaf
        .extensions()
        .filter(|extension| !is_by_service(extension.oid))
        .map(|extension| {
            let value = extension.value.to_vec();
            Ok(x509_extension(extension.oid, value)?.set_critical(extension.critical))
        })
        .collect::<Result<_, Error>>()?;
    let usage = KeyUsage::new()
        .set_base_key_usage(KeyUsageOptions::new().set_digital_signature(true))
        .set_extended_key_usage(ExtendedKeyUsageOptions::new().set_code_signing(true));
    let contents = CertificateConfig::new()
        .set_public_key(PublicKey::new().set_format(KeyFormat::Pem).set_key(key))
        .set_subject_config(
            SubjectConfig::new()
                .set_subject(Subject::new())
                .set_subject_alt_name(names(leaf.subject())?),
        )
        .set_x509_config(
            X509Parameters::new()
                .set_key_usage(usage)
                .set_additional_extensions(extensions),
        );
    // Dates are the service's; what is ours to say is for how long.
    let lifetime = leaf
        .not_after()
        .duration_since(leaf.not_before())
        .map_err(|error| Error::Request(error.into()))?;
    let lifetime = google_cloud_wkt::Duration::try_from(lifetime)
        .map_err(|error| Error::Request(error.into()))?;
    let id = uuid()?;
    Ok(CreateCertificateRequest::new()
        .set_parent(parent.pool())
        .set_certificate_id(&id)
        .set_request_id(&id)
        .set_issuing_certificate_authority_id(parent.authority().unwrap_or_default())
        .set_certificate(
            Certificate::new()
                .set_lifetime(lifetime)
                .set_config(contents),
        ))
}

fn names(name: &SubjectAltName) -> Result<SubjectAltNames, Error> {
    let names = SubjectAltNames::new();
    Ok(match name {
        SubjectAltName::Email(email) => names.set_email_addresses([email]),
        SubjectAltName::Uri(uri) => names.set_uris([uri]),
        SubjectAltName::Username(username) => {
            let value = Utf8StringRef::new(username).and_then(|text| text.to_der());
            let value = value.map_err(|error| Error::Request(error.into()))?;
            names.set_custom_sans([x509_extension(SubjectAltName::USERNAME_OID, value)?])
        }
        other => {
            return Err(Error::NameForm {
                name: other.value().to_owned(),
            });
        }
    })
}

fn x509_extension(oid: &str, value: Vec<u8>) -> Result<X509Extension, Error> {
    let arcs: Vec<i32> = oid
        .split('.')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Request(Box::new(error)))?;
    Ok(X509Extension::new()
        .set_object_id(ObjectId::new().set_object_id_path(arcs))
        .set_value(value))
}

/// A random UUID (RFC 9562 section 5.4), the only form that a request identifier may have.
fn uuid() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(Error::Randomness)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
    Ok([
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-"))
}
