use core::fmt::Write as _;

use der::{
    Decode as _, Encode as _, Reader as _, SliceReader,
    asn1::{AnyRef, Utf8StringRef},
    oid::AssociatedOid as _,
};
use fulcio_principal::{Encoding, Extension, SubjectAltName};
use serde::{Deserialize, Serialize};
use x509_cert::{
    Certificate, TbsCertificate,
    ext::pkix::{SubjectAltName as SubjectAltNames, name::GeneralName},
};

/// For whom a certificate in a log is, and what else is worth knowing of it.
///
/// It is read from what the log's tree covers, and as far as that can be read: a part that is
/// broken does not hide the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Subject {
    /// The serial number in hexadecimal.
    pub serial_number: String,
    /// The name of the authority (RFC 4514).
    pub issuer: String,
    /// The distinguished name of the subject (RFC 4514), empty in a code-signing certificate.
    pub subject: String,
    /// The first second in which it is valid (RFC 3339).
    pub not_before: String,
    /// The last second in which it is valid (RFC 3339).
    pub not_after: String,
    /// Whom it names.
    pub identities: Vec<Identity>,
    /// What the extensions say that are text.
    pub extensions: Vec<TextExtension>,
    /// What of it cannot be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A name in the subject alternative name extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// `email`, `uri`, `username`, `dns`, or `other`.
    pub kind: String,
    /// The name; of another kind, its DER in hexadecimal.
    pub value: String,
}

/// An extension whose value is text: those of Fulcio, and whatever else is a `UTF8String`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TextExtension {
    /// Its OID.
    pub oid: String,
    /// What people call it, if it is one of Fulcio's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its value.
    pub value: String,
}

impl Subject {
    /// Reads a certificate in DER; gives its `TBSCertificate` as well.
    pub(crate) fn of_certificate(der: &[u8]) -> Result<(Self, &[u8]), der::Error> {
        let certificate = Certificate::from_der(der)?;
        let fields = AnyRef::from_der(der)?;
        let tbs = SliceReader::new(fields.value())?.tlv_bytes()?;
        Ok((Self::of(certificate.tbs_certificate()), tbs))
    }

    /// Reads a `TBSCertificate` in DER.
    pub(crate) fn of_tbs(der: &[u8]) -> Result<Self, der::Error> {
        Ok(Self::of(&TbsCertificate::from_der(der)?))
    }

    fn of(tbs: &TbsCertificate) -> Self {
        let mut subject = Self {
            serial_number: hex(tbs.serial_number().as_bytes()),
            issuer: tbs.issuer().to_string(),
            subject: tbs.subject().to_string(),
            not_before: tbs.validity().not_before.to_string(),
            not_after: tbs.validity().not_after.to_string(),
            identities: Vec::new(),
            extensions: Vec::new(),
            problems: Vec::new(),
        };
        for extension in tbs.extensions().into_iter().flatten() {
            let value = extension.extn_value.as_bytes();
            if extension.extn_id == SubjectAltNames::OID {
                subject.add_names(value);
            } else {
                subject.add_text(extension.extn_id.to_string(), value);
            }
        }
        subject.problems.truncate(MAX_PROBLEMS);
        subject
    }

    fn add_names(&mut self, value: &[u8]) {
        match Vec::<GeneralName>::from_der(value) {
            Ok(names) => {
                for name in &names {
                    match Identity::of(name) {
                        Ok(identity) => self.identities.push(identity),
                        Err(error) => self.problems.push(format!("a name: {error}")),
                    }
                }
            }
            Err(error) => self.problems.push(format!("the names: {error}")),
        }
    }

    fn add_text(&mut self, oid: String, value: &[u8]) {
        let known = Extension::from_oid(&oid);
        let text = match known.map(Extension::encoding) {
            Some(Encoding::Raw) => core::str::from_utf8(value).map_err(|e| e.to_string()),
            Some(Encoding::Utf8String) | None => Utf8StringRef::from_der(value)
                .map(|text| text.as_str())
                .map_err(|e| e.to_string()),
        };
        match text {
            Ok(text) => self.extensions.push(TextExtension {
                oid,
                name: known.map(|known| known.title().to_owned()),
                value: text.to_owned(),
            }),
            Err(_) if known.is_none() => {}
            Err(error) => self.problems.push(format!("the extension {oid}: {error}")),
        }
    }
}

impl Identity {
    fn of(name: &GeneralName) -> Result<Self, der::Error> {
        let (kind, value) = match name {
            GeneralName::Rfc822Name(email) => ("email", email.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => ("uri", uri.to_string()),
            GeneralName::DnsName(name) => ("dns", name.to_string()),
            GeneralName::OtherName(other)
                if other.type_id.to_string() == SubjectAltName::USERNAME_OID =>
            {
                let value = other.value.decode_as::<Utf8StringRef<'_>>()?;
                ("username", value.as_str().to_owned())
            }
            unknown => ("other", hex(&unknown.to_der()?)),
        };
        Ok(Self {
            kind: kind.to_owned(),
            value,
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

/// Problems of one certificate that are told.
const MAX_PROBLEMS: usize = 16;
