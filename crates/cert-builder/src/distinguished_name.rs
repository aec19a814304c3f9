use crate::writer::{Writer, tag};

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

/// `PrintableString` where the value has only its characters (X.680 section 41.4), as Go does.
fn string_tag(value: &str) -> u8 {
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    if value.bytes().all(printable) {
        tag::PRINTABLE_STRING
    } else {
        tag::UTF8_STRING
    }
}
