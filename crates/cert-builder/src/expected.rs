use core::time::Duration;
use std::time::SystemTime;

use const_oid::{
    ObjectIdentifier,
    db::{rfc5280, rfc6962},
};
use der::{
    Decode as _,
    asn1::{GeneralizedTime, UtcTime},
};
use fulcio_principal::{Encoding, Extension, SubjectAltName};

use crate::{
    Deviation, IssuedLeaf,
    elements::{Element, Elements},
    issued_leaf::Last,
    public_key::PublicKey,
};

/// What the octets of a certificate must say, one after another.
///
/// Nothing that has written them is used here: each expectation comes from a typed part, and the
/// octets are read from their beginning to their end by [`Elements`].
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) leaf: &'a IssuedLeaf<'a>,
    pub(crate) last: Last<'a>,
}

// Identifier octets (X.690 section 8.1.2).
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = explicit(0);
const EXTENSIONS: u8 = explicit(3);
/// `keyIdentifier` of an `AuthorityKeyIdentifier`.
const KEY_IDENTIFIER: u8 = implicit(0);
// The forms of a `GeneralName`.
const OTHER_NAME: u8 = explicit(0);
const RFC822_NAME: u8 = implicit(1);
const UNIFORM_RESOURCE_IDENTIFIER: u8 = implicit(6);
/// `value` of an `OtherName`.
const OTHER_VALUE: u8 = explicit(0);

const fn implicit(number: u8) -> u8 {
    0x80 | number
}

const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

const FULCIO: ObjectIdentifier = ObjectIdentifier::new_unwrap(Extension::ARC);
const USERNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap(SubjectAltName::USERNAME_OID);
const SCT_LIST: ObjectIdentifier = rfc6962::CT_PRECERT_SCTS;
const POISON: ObjectIdentifier = rfc6962::CT_PRECERT_POISON;

/// One extension as it lies there.
struct Found<'d> {
    oid: &'d [u8],
    is_critical: bool,
    value: &'d [u8],
}

impl Expected<'_> {
    /// Finds the first place at which `certificate` says something else.
    pub(crate) fn must_be(&self, certificate: &[u8]) -> Result<(), Deviation> {
        let mut outside = only(certificate, SEQUENCE).ok_or(Deviation::Encoding)?;
        let inside = next(&mut outside, SEQUENCE).ok_or(Deviation::Encoding)?;
        let mut fields = Elements::new(inside);
        self.fields(&mut fields)?;
        self.extensions(&mut fields)?;
        end(&fields, Deviation::Encoding)?;

        let algorithm = self.leaf.issuer().signature_algorithm();
        next(&mut outside, SEQUENCE)
            .filter(|found| *found == algorithm.as_ref())
            .ok_or(Deviation::SignatureAlgorithm)?;
        // A count of unused bits, which is none, and the signature.
        match next(&mut outside, BIT_STRING) {
            Some([0, _, ..]) => end(&outside, Deviation::Encoding),
            _ => Err(Deviation::Signature),
        }
    }

    /// The fields before the extensions.
    fn fields(&self, fields: &mut Elements<'_>) -> Result<(), Deviation> {
        let leaf = self.leaf.leaf();
        let issuer = self.leaf.issuer();
        let explicit = next(fields, VERSION).and_then(|version| whole(version, INTEGER));
        require(explicit == Some(&[2]), Deviation::Version)?;
        self.serial_number(fields)?;
        let algorithm = next(fields, SEQUENCE);
        require(
            algorithm == Some(issuer.signature_algorithm().as_ref()),
            Deviation::SignatureAlgorithm,
        )?;
        let name = fields.next().ok_or(Deviation::Issuer)?;
        require(name.octets == issuer.subject(), Deviation::Issuer)?;
        self.dates(fields)?;
        require(next(fields, SEQUENCE) == Some(&[]), Deviation::Subject)?;
        let key = fields.next().ok_or(Deviation::PublicKey)?;
        require(
            key.octets == leaf.public_key().as_ref(),
            Deviation::PublicKey,
        )
    }

    fn serial_number(&self, fields: &mut Elements<'_>) -> Result<(), Deviation> {
        let number = next(fields, INTEGER).ok_or(Deviation::SerialNumber)?;
        let serial = self.leaf.leaf().serial();
        // Positive, and with no more zero octets before it than that takes.
        let magnitude = match number {
            [0, rest @ ..] if rest.first() >= Some(&0x80) => rest,
            [1..0x80, ..] => number,
            _ => return Err(Deviation::SerialNumber),
        };
        require(
            number.len() <= 20 && magnitude == serial.as_bytes(),
            Deviation::SerialNumber,
        )
    }

    fn dates(&self, fields: &mut Elements<'_>) -> Result<(), Deviation> {
        let validity = next(fields, SEQUENCE).ok_or(Deviation::Dates)?;
        let mut validity = Elements::new(validity);
        let mut date = || time(&mut validity).ok_or(Deviation::Dates);
        let (not_before, not_after) = (date()?, date()?);
        end(&validity, Deviation::Dates)?;

        let leaf = self.leaf.leaf();
        let authority = self.leaf.issuer().validity();
        let begun = leaf.not_before();
        let lifetime = leaf.profile().lifetime.as_secs();
        let ended = begun.checked_add(Duration::from_secs(lifetime));
        let ended = ended.map(|ended| ended.min(authority.not_after));
        require(
            not_before == begun
                && Some(not_after) == ended
                && authority.not_before <= not_before
                && not_before <= not_after
                && not_after <= authority.not_after,
            Deviation::Dates,
        )
    }

    /// The extensions: all of the profile, in its order, and no other.
    fn extensions(&self, fields: &mut Elements<'_>) -> Result<(), Deviation> {
        let list = next(fields, EXTENSIONS).and_then(|list| only(list, SEQUENCE));
        let mut list = list.ok_or(Deviation::Encoding)?;
        let principal = self.leaf.leaf().principal();

        let usage = extension(&mut list).ok_or(Deviation::KeyUsage)?;
        // One bit of eight is used: digitalSignature.
        let usage = usage.is(rfc5280::ID_CE_KEY_USAGE, true)
            && usage.content(BIT_STRING) == Some(&[7, 0x80]);
        require(usage, Deviation::KeyUsage)?;
        let usage = extension(&mut list).ok_or(Deviation::ExtendedKeyUsage)?;
        require(usage.is_code_signing(), Deviation::ExtendedKeyUsage)?;
        self.key_identifiers(&mut list)?;
        let names = extension(&mut list).ok_or(Deviation::SubjectAltName)?;
        let names = names.is(rfc5280::ID_CE_SUBJECT_ALT_NAME, true)
            && names.is_one_name(&principal.subject);
        require(names, Deviation::SubjectAltName)?;
        for (name, value) in principal.extensions.iter() {
            let deviation = Deviation::Extension(name.oid());
            let found = extension(&mut list).ok_or(deviation)?;
            require(found.is_fulcio(name, value), deviation)?;
        }
        self.last(&mut list)?;
        end(&list, Deviation::ExtensionNotInProfile)
    }

    fn key_identifiers(&self, list: &mut Elements<'_>) -> Result<(), Deviation> {
        let leaf = self.leaf.leaf();
        if leaf.profile().subject_key_identifier {
            let key = leaf.public_key();
            let key = PublicKey::parse(&key).map_err(|_not_a_key| Deviation::PublicKey)?;
            let found = extension(list).ok_or(Deviation::SubjectKeyIdentifier)?;
            let is_key = found.is(rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER, false)
                && found.content(OCTET_STRING) == Some(&key.sha1_identifier());
            require(is_key, Deviation::SubjectKeyIdentifier)?;
        }
        if let Some(identifier) = self.leaf.issuer().subject_key_identifier() {
            let found = extension(list).ok_or(Deviation::AuthorityKeyIdentifier)?;
            let mut value = only(found.value, SEQUENCE);
            let key = value.as_mut().and_then(|value| {
                let key = next(value, KEY_IDENTIFIER);
                key.filter(|_| value.is_finished())
            });
            let is_issuer =
                found.is(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER, false) && key == Some(identifier);
            require(is_issuer, Deviation::AuthorityKeyIdentifier)?;
        }
        Ok(())
    }

    /// What makes it a precertificate, or shows that it is in the logs.
    fn last(&self, list: &mut Elements<'_>) -> Result<(), Deviation> {
        match self.last {
            Last::Nothing => Ok(()),
            Last::Poison => {
                let found = extension(list).ok_or(Deviation::Poison)?;
                let poison = found.is(POISON, true) && found.content(NULL) == Some(&[]);
                require(poison, Deviation::Poison)
            }
            Last::SctList(promised) => {
                let found = extension(list).ok_or(Deviation::Timestamps)?;
                // A certificate with poison is worse than one without timestamps.
                require(found.oid != POISON.as_bytes(), Deviation::Poison)?;
                let list = found.content(OCTET_STRING);
                let kept =
                    found.is(SCT_LIST, false) && list == Some(promised) && has_timestamps(promised);
                require(kept, Deviation::Timestamps)
            }
        }
    }
}

impl<'d> Found<'d> {
    fn is(&self, oid: ObjectIdentifier, critical: bool) -> bool {
        self.oid == oid.as_bytes() && self.is_critical == critical
    }

    /// The content of the one element that the value is.
    fn content(&self, tag: u8) -> Option<&'d [u8]> {
        whole(self.value, tag)
    }

    fn is_code_signing(&self) -> bool {
        let purposes = self.content(SEQUENCE);
        let purpose = purposes.and_then(|purposes| whole(purposes, OBJECT_IDENTIFIER));
        self.is(rfc5280::ID_CE_EXT_KEY_USAGE, false)
            && purpose == Some(rfc5280::ID_KP_CODE_SIGNING.as_bytes())
    }

    /// Whether the value is `GeneralNames` with this name and no other.
    fn is_one_name(&self, name: &SubjectAltName) -> bool {
        let names = self.content(SEQUENCE);
        let found = names.and_then(|names| match name {
            SubjectAltName::Email(_) => whole(names, RFC822_NAME),
            SubjectAltName::Uri(_) => whole(names, UNIFORM_RESOURCE_IDENTIFIER),
            SubjectAltName::Username(_) => {
                let mut other = only(names, OTHER_NAME)?;
                let kind = next(&mut other, OBJECT_IDENTIFIER)?;
                let text = whole(next(&mut other, OTHER_VALUE)?, UTF8_STRING);
                text.filter(|_| kind == USERNAME.as_bytes() && other.is_finished())
            }
            _ => None,
        });
        found == Some(name.value().as_bytes())
    }

    fn is_fulcio(&self, name: Extension, value: &str) -> bool {
        let text = match name.encoding() {
            Encoding::Raw => Some(self.value),
            Encoding::Utf8String => self.content(UTF8_STRING),
        };
        let arc = self.oid.split_last();
        !self.is_critical
            && arc == Some((&name.arc(), FULCIO.as_bytes()))
            && text == Some(value.as_bytes())
    }
}

/// The content of the next element, if it has this tag.
fn next<'d>(elements: &mut Elements<'d>, tag: u8) -> Option<&'d [u8]> {
    let Element { content, .. } = elements.next().filter(|element| element.tag == tag)?;
    Some(content)
}

/// The content of the one element that there is, if it has this tag.
fn whole(der: &[u8], tag: u8) -> Option<&[u8]> {
    let mut outer = Elements::new(der);
    next(&mut outer, tag).filter(|_| outer.is_finished())
}

/// The elements in the one element that there is.
fn only(der: &[u8], tag: u8) -> Option<Elements<'_>> {
    whole(der, tag).map(Elements::new)
}

/// The next extension (RFC 5280 section 4.1), if there is one.
fn extension<'d>(list: &mut Elements<'d>) -> Option<Found<'d>> {
    let mut parts = Elements::new(next(list, SEQUENCE)?);
    let oid = next(&mut parts, OBJECT_IDENTIFIER)?;
    // What is not critical does not say so (X.690 section 11.5).
    let is_critical = parts.begins_with(BOOLEAN);
    if is_critical {
        next(&mut parts, BOOLEAN).filter(|truth| *truth == [0xff])?;
    }
    let value = next(&mut parts, OCTET_STRING)?;
    parts.is_finished().then_some(Found {
        oid,
        is_critical,
        value,
    })
}

/// A date in the form that its year demands (RFC 5280 section 4.1.2.5).
fn time(validity: &mut Elements<'_>) -> Option<SystemTime> {
    let element = validity.next()?;
    let date = match element.tag {
        UTC_TIME => UtcTime::from_der(element.octets).ok()?.to_date_time(),
        GENERALIZED_TIME => {
            let date = GeneralizedTime::from_der(element.octets).ok()?;
            Some(date.to_date_time()).filter(|date| date.year() >= 2050)?
        }
        _ => return None,
    };
    Some(date.to_system_time())
}

/// Whether a `SignedCertificateTimestampList` has at least one, and none that is empty.
fn has_timestamps(list: &[u8]) -> bool {
    let Some((mut items, [])) = vector(list) else {
        return false;
    };
    let mut found = false;
    while !items.is_empty() {
        let Some(([_, ..], rest)) = vector(items) else {
            return false;
        };
        found = true;
        items = rest;
    }
    found
}

/// The content of a `<0..2^16-1>` of TLS (RFC 8446 section 3.4), and what follows.
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn end(elements: &Elements<'_>, otherwise: Deviation) -> Result<(), Deviation> {
    require(elements.is_finished(), otherwise)
}

fn require(holds: bool, otherwise: Deviation) -> Result<(), Deviation> {
    if holds { Ok(()) } else { Err(otherwise) }
}
