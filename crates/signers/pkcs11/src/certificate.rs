use cryptoki::{
    object::{Attribute, AttributeType, CertificateType, ObjectClass},
    session::Session,
};
use der::{Decode as _, Encode as _};
use fulcio_remote_key::PublicKey;
use pki_types::CertificateDer;
use x509_cert::Certificate;

use crate::{Error, key::shown};

/// The first certificate with this identifier.
pub(crate) fn find(session: &Session, id: &[u8]) -> Result<Option<CertificateDer<'static>>, Error> {
    let template = [
        Attribute::Class(ObjectClass::CERTIFICATE),
        Attribute::Id(id.to_vec()),
    ];
    let Some(found) = session.find_objects(&template)?.first().copied() else {
        return Ok(None);
    };
    let value = session.get_attributes(found, &[AttributeType::Value])?;
    let der = value.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(der) => Some(der),
        _ => None,
    });
    let der = der.unwrap_or_default();
    Certificate::from_der(&der).map_err(|source| damaged(id, source))?;
    Ok(Some(CertificateDer::from(der)))
}

/// The key of the certificate with this identifier.
pub(crate) fn public_key(session: &Session, id: &[u8]) -> Result<Option<PublicKey>, Error> {
    if id.is_empty() {
        return Ok(None);
    }
    let Some(der) = find(session, id)? else {
        return Ok(None);
    };
    Certificate::from_der(&der)
        .and_then(|certificate| {
            certificate
                .tbs_certificate()
                .subject_public_key_info()
                .to_der()
        })
        .map_err(|source| damaged(id, source))
        .and_then(|spki| PublicKey::from_spki(spki).map_err(Error::PublicKey))
        .map(Some)
}

/// Stores a certificate with the attributes that crypto11 gives it, in a session that may write.
pub(crate) fn import(
    session: &Session,
    id: &[u8],
    label: &str,
    certificate: &CertificateDer<'_>,
) -> Result<(), Error> {
    let malformed = |source| damaged(id, source);
    let parsed = Certificate::from_der(certificate).map_err(malformed)?;
    let tbs = parsed.tbs_certificate();
    session.create_object(&[
        Attribute::Class(ObjectClass::CERTIFICATE),
        Attribute::CertificateType(CertificateType::X_509),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Id(id.to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Subject(tbs.subject().to_der().map_err(malformed)?),
        Attribute::Issuer(tbs.issuer().to_der().map_err(malformed)?),
        Attribute::SerialNumber(tbs.serial_number().to_der().map_err(malformed)?),
        Attribute::Value(certificate.to_vec()),
    ])?;
    Ok(())
}

fn damaged(id: &[u8], source: der::Error) -> Error {
    Error::CertificateMalformed {
        id: shown(id),
        source,
    }
}
