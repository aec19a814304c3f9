use const_oid::db::rfc4519;
use der::{
    Tag, Tagged as _,
    asn1::{Any, BmpString},
};
use x509_cert::name::Name;

use crate::{
    Error,
    writer::{Writer, tag},
};

/// The subject of a CA certificate: the attributes that Fulcio's tools know, each at most once.
///
/// The order of the fields is the order in the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DistinguishedName {
    /// Country (2.5.4.6).
    pub country: Option<String>,
    /// State or province (2.5.4.8).
    pub province: Option<String>,
    /// Locality (2.5.4.7).
    pub locality: Option<String>,
    /// Street address (2.5.4.9).
    pub street_address: Option<String>,
    /// Postal code (2.5.4.17).
    pub postal_code: Option<String>,
    /// Organization (2.5.4.10).
    pub organization: Option<String>,
    /// Organizational unit (2.5.4.11).
    pub organizational_unit: Option<String>,
    /// Common name (2.5.4.3).
    pub common_name: Option<String>,
}

impl DistinguishedName {
    /// A name of an organization and one of its authorities, as the public Sigstore has it.
    pub fn new(organization: impl Into<String>, common_name: impl Into<String>) -> Self {
        Self {
            organization: Some(organization.into()),
            common_name: Some(common_name.into()),
            ..Self::default()
        }
    }

    /// Reads the attributes that are known here, whatever their order.
    pub(crate) fn of(name: &Name) -> Result<Self, Error> {
        let mut read = Self::default();
        for attribute in name.iter() {
            let oid = attribute.oid;
            let refused = || Error::SubjectAttribute {
                oid: oid.to_string(),
            };
            let field = match oid {
                rfc4519::C => &mut read.country,
                rfc4519::ST => &mut read.province,
                rfc4519::L => &mut read.locality,
                rfc4519::STREET => &mut read.street_address,
                rfc4519::POSTAL_CODE => &mut read.postal_code,
                rfc4519::O => &mut read.organization,
                rfc4519::OU => &mut read.organizational_unit,
                rfc4519::CN => &mut read.common_name,
                _ => return Err(refused()),
            };
            let value = text(&attribute.value).ok_or_else(refused)?;
            if field.replace(value).is_some() {
                return Err(refused());
            }
        }
        Ok(read)
    }

    /// The DER `Name` (RFC 5280 section 4.1.2.4), one attribute in each set; `None` when no
    /// attribute has a value.
    pub(crate) fn to_der(&self) -> Option<Vec<u8>> {
        let mut attributes = [
            (6, &self.country),
            (8, &self.province),
            (7, &self.locality),
            (9, &self.street_address),
            (17, &self.postal_code),
            (10, &self.organization),
            (11, &self.organizational_unit),
            (3, &self.common_name),
        ]
        .into_iter()
        .filter_map(|(arc, value)| Some((arc, value.as_deref()?)))
        .filter(|(_, value)| !value.is_empty())
        .peekable();
        attributes.peek()?;

        let mut out = Writer::default();
        out.nested(tag::SEQUENCE, |name| {
            for (arc, value) in attributes {
                name.nested(tag::SET, |set| {
                    set.nested(tag::SEQUENCE, |attribute| {
                        attribute.element(tag::OID, &[0x55, 4, arc]);
                        attribute.element(string_tag(value), value.as_bytes());
                    });
                });
            }
        });
        Some(out.finish())
    }
}

/// The text of a `DirectoryString`. `TeletexString` is taken where it is ASCII: what else it means,
/// nobody agrees on.
pub(crate) fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::PrintableString | Tag::Ia5String | Tag::TeletexString => {
            let text = core::str::from_utf8(value.value()).ok()?;
            text.is_ascii().then(|| text.to_owned())
        }
        Tag::Utf8String => core::str::from_utf8(value.value()).ok().map(str::to_owned),
        Tag::BmpString => value
            .decode_as::<BmpString>()
            .ok()
            .map(|text| text.to_string()),
        _ => None,
    }
}

/// `PrintableString` where the value has only its characters (X.680 section 41.4), as Go does.
fn string_tag(value: &str) -> u8 {
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    if value.bytes().all(printable) {
        tag::PRINTABLE_STRING
    } else {
        tag::UTF8_STRING
    }
}
