use fulcio_principal::SubjectAltName;

use crate::{
    Error,
    extension::FULCIO_ARC,
    writer::{Writer, element_len, tag},
};

/// The last arc of [`SubjectAltName::USERNAME_OID`].
const USERNAME_ARC: u8 = 7;

/// The DER `GeneralNames` with one name (RFC 5280 section 4.2.1.6).
pub(crate) fn general_names(name: &SubjectAltName) -> Result<Vec<u8>, Error> {
    let value = name.value();
    if value.is_empty() {
        return Err(Error::EmptyName);
    }
    let ia5 = |number| {
        if value.is_ascii() {
            Ok(implicit_string(tag::context(number), value))
        } else {
            Err(Error::NotIa5(name.clone()))
        }
    };
    match name {
        SubjectAltName::Email(_) => ia5(1),
        SubjectAltName::Uri(_) => ia5(6),
        SubjectAltName::Username(_) => Ok(other_name(value)),
        _ => Err(Error::NameForm),
    }
}

fn implicit_string(tag: u8, value: &str) -> Vec<u8> {
    let name = element_len(value.len());
    let mut out = Writer::with_capacity(element_len(name));
    out.header(tag::SEQUENCE, name);
    out.element(tag, value.as_bytes());
    out.finish()
}

/// `otherName [0] IMPLICIT SEQUENCE { type-id, value [0] EXPLICIT UTF8String }`.
fn other_name(value: &str) -> Vec<u8> {
    let text = element_len(value.len());
    let type_id = FULCIO_ARC.len() + 1;
    let content = element_len(type_id) + element_len(text);
    let mut out = Writer::with_capacity(element_len(element_len(content)));
    out.header(tag::SEQUENCE, element_len(content));
    out.header(tag::context_constructed(0), content);
    out.header(tag::OID, type_id);
    out.bytes(&FULCIO_ARC);
    out.bytes(&[USERNAME_ARC]);
    out.header(tag::context_constructed(0), text);
    out.element(tag::UTF8_STRING, value.as_bytes());
    out.finish()
}
