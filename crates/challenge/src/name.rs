//! The names inside a certification request. No certificate carries them, but a request in which
//! they cannot be read is refused, as Fulcio's parser refuses it.

use std::collections::BTreeSet;

use const_oid::{
    ObjectIdentifier,
    db::rfc5912::{ID_CE_SUBJECT_ALT_NAME, ID_EXTENSION_REQ},
};
use der::{
    Decode, Reader, Sequence, SliceReader, Tag,
    asn1::{AnyRef, OctetStringRef},
};
use fulcio_go_url::CertificateUri;

use crate::Malformed;

/// RFC 5280 section 4.1.2.4.
#[derive(Sequence)]
struct AttributeTypeAndValue<'a> {
    attribute_type: ObjectIdentifier,
    value: AnyRef<'a>,
}

/// RFC 2986 section 4.1; the values are a set.
#[derive(Sequence)]
struct Attribute<'a> {
    attribute_type: ObjectIdentifier,
    values: AnyRef<'a>,
}

/// RFC 5280 section 4.1.
#[derive(Sequence)]
struct Extension<'a> {
    extension_type: ObjectIdentifier,
    #[asn1(optional = "true")]
    critical: Option<bool>,
    value: &'a OctetStringRef,
}

/// Reads a subject, a sequence of sets of typed values.
pub(crate) fn read_subject(subject: AnyRef<'_>) -> Result<(), Malformed> {
    for set in members(subject, Tag::Sequence)? {
        for attribute in members(set?, Tag::Set)? {
            let attribute: AttributeTypeAndValue<'_> =
                attribute?.decode_as().map_err(Malformed::der)?;
            read_text(attribute.value)?;
        }
    }
    Ok(())
}

/// Reads the attributes of a request; only requested extensions (RFC 2985 section 5.4.2) are looked
/// into, and only the first set of them.
pub(crate) fn read_attributes(attributes: AnyRef<'_>) -> Result<(), Malformed> {
    let mut requested = BTreeSet::new();
    for attribute in members(attributes, attributes.header().tag())? {
        let Ok(attribute) = attribute?.decode_as::<Attribute<'_>>() else {
            continue;
        };
        if attribute.attribute_type != ID_EXTENSION_REQ {
            continue;
        }
        let Some(extensions) = members(attribute.values, Tag::Set)?.next() else {
            continue;
        };
        for extension in members(extensions?, Tag::Sequence)? {
            let extension: Extension<'_> = extension?.decode_as().map_err(Malformed::der)?;
            if !requested.insert(extension.extension_type) {
                return Err(Malformed::DuplicateExtension);
            }
            if extension.extension_type == ID_CE_SUBJECT_ALT_NAME {
                read_general_names(extension.value.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Reads general names (RFC 5280 section 4.2.1.6). URIs must be ones that a certificate can have;
/// the syntax of domain names is not looked at.
fn read_general_names(der: &[u8]) -> Result<(), Malformed> {
    let names = AnyRef::from_der(der).map_err(Malformed::der)?;
    for name in members(names, Tag::Sequence)? {
        let name = name?;
        let tag = name.header().tag();
        if !tag.is_context_specific() || tag.is_constructed() {
            continue;
        }
        let sound = match tag.number().value() {
            RFC822_NAME | DNS_NAME => name.value().is_ascii(),
            UNIFORM_RESOURCE_IDENTIFIER => {
                let text = core::str::from_utf8(name.value());
                text.is_ok_and(|text| CertificateUri::parse(text).is_ok())
            }
            IP_ADDRESS => matches!(name.value().len(), 4 | 16),
            _ => true,
        };
        if !sound {
            return Err(Malformed::NameText);
        }
    }
    Ok(())
}

const RFC822_NAME: u32 = 1;
const DNS_NAME: u32 = 2;
const UNIFORM_RESOURCE_IDENTIFIER: u32 = 6;
const IP_ADDRESS: u32 = 7;

/// Checks that a string holds what its type allows (X.680 section 41). Like Go, it lets `*` and `&`
/// into a PrintableString, where real certificates have them.
fn read_text(value: AnyRef<'_>) -> Result<(), Malformed> {
    let text = value.value();
    let sound = match value.header().tag() {
        Tag::BmpString => text.len().is_multiple_of(2),
        Tag::Ia5String => text.is_ascii(),
        Tag::NumericString => text.iter().all(|&c| c.is_ascii_digit() || c == b' '),
        Tag::PrintableString => text
            .iter()
            .all(|&c| c.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&c)),
        Tag::Utf8String => core::str::from_utf8(text).is_ok(),
        _ => true,
    };
    sound.then_some(()).ok_or(Malformed::NameText)
}

/// What a constructed value with this tag holds, one by one, up to the first that cannot be read.
fn members<'a>(
    value: AnyRef<'a>,
    tag: Tag,
) -> Result<impl Iterator<Item = Result<AnyRef<'a>, Malformed>>, Malformed> {
    let tagged = value.header().tag().assert_eq(tag);
    let mut reader = tagged
        .and_then(|_| SliceReader::new(value.value()))
        .map_err(Malformed::der)?;
    Ok(core::iter::from_fn(move || {
        (!reader.is_finished()).then(|| reader.decode().map_err(Malformed::der))
    }))
}
