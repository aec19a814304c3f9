use core::ops::Range;
use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use fulcio_principal::{Encoding, Extension, Principal, SubjectAltName};
use pki_types::SubjectPublicKeyInfoDer;

use crate::{
    CertificateProfile, Error, IssuedLeaf, Issuer, SerialNumber, Validity,
    extension::{self, Oid},
    public_key::PublicKey,
    subject_alt_name::general_names,
    validity::whole_seconds,
    writer::{Writer, element_len, tag},
};

/// What a certificate will say, before anybody decides who issues it.
///
/// [`CertificateProfile::leaf`] makes it. A local authority goes on with
/// [`issued_by`](Self::issued_by); whoever issues through a service reads the fields.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    profile: CertificateProfile,
    principal: Cow<'a, Principal>,
    serial: SerialNumber,
    validity: Validity,
    key: SubjectPublicKeyInfoDer<'a>,
    extensions: Vec<u8>,
    /// Where in `extensions` the authority key identifier goes.
    authority_at: usize,
    index: Vec<Entry>,
}

/// Where the value of one extension lies in the buffer.
#[derive(Clone, Debug)]
struct Entry {
    oid: &'static str,
    critical: bool,
    value: Range<usize>,
}

/// One extension of a [`Leaf`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeafExtension<'a> {
    /// The OID, dotted.
    pub oid: &'static str,
    /// Whether a reader must refuse the certificate when it does not know the extension.
    pub critical: bool,
    /// The content of the `extnValue`.
    pub value: &'a [u8],
}

/// KeyUsage with digitalSignature alone.
const DIGITAL_SIGNATURE: [u8; 4] = [tag::BIT_STRING, 2, 7, 0x80];

impl<'a> Leaf<'a> {
    pub(crate) fn new(
        profile: &CertificateProfile,
        principal: &'a Principal,
        key: SubjectPublicKeyInfoDer<'a>,
        serial: SerialNumber,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let names = general_names(&principal.subject)?;
        let has = |extension| principal.extensions.value(extension).is_some();
        if !has(Extension::IssuerV1) || !has(Extension::IssuerV2) {
            return Err(Error::NoIssuer);
        }
        let parsed = PublicKey::parse(&key).map_err(Error::PublicKey)?;

        let mut extensions = Extensions::with_capacity(&names, principal);
        extensions.add(extension::KEY_USAGE, true, &DIGITAL_SIGNATURE);
        extensions.add(
            extension::EXTENDED_KEY_USAGE,
            false,
            &extension::CODE_SIGNING,
        );
        if profile.subject_key_identifier {
            let identifier = extension::key_identifier(&parsed.sha1_identifier());
            extensions.add(extension::SUBJECT_KEY_IDENTIFIER, false, &identifier);
        }
        let authority_at = extensions.out.len();
        extensions.add(extension::SUBJECT_ALT_NAME, true, &names);
        for (name, value) in principal.extensions.iter() {
            extensions.add_fulcio(name, value);
        }

        let not_before = whole_seconds(now)?;
        let lifetime = Duration::from_secs(profile.lifetime.as_secs());
        let not_after = not_before.checked_add(lifetime).ok_or(Error::Date)?;
        Ok(Self {
            profile: *profile,
            principal: Cow::Borrowed(principal),
            serial,
            validity: Validity {
                not_before,
                not_after,
            },
            key,
            extensions: extensions.out.finish(),
            authority_at,
            index: extensions.index,
        })
    }

    /// Its serial number.
    #[must_use]
    pub fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// The first second in which it is valid.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.validity.not_before
    }

    /// The last second in which it is valid, unless its authority's time ends earlier.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.validity.not_after
    }

    /// The key that it certifies.
    #[must_use]
    pub fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.key.as_ref())
    }

    /// Whom it names, in its one subject alternative name.
    #[must_use]
    pub fn subject(&self) -> &SubjectAltName {
        &self.principal.subject
    }

    /// Its extensions, in order; the authority key identifier is not among them, because it is
    /// the authority's.
    pub fn extensions(&self) -> impl Iterator<Item = LeafExtension<'_>> {
        self.index.iter().map(|entry| LeafExtension {
            oid: entry.oid,
            critical: entry.critical,
            value: &self.extensions[entry.value.clone()],
        })
    }

    /// Lets `issuer` issue it. It ends no later than the issuer does.
    ///
    /// # Errors
    ///
    /// [`Error::IssuerExpired`] or [`Error::IssuerNotYetValid`] when the issuer's chain is not
    /// valid at [`not_before`](Self::not_before).
    pub fn issued_by<'b>(&'b self, issuer: &'b Issuer) -> Result<IssuedLeaf<'b>, Error> {
        IssuedLeaf::new(self, issuer)
    }

    /// The same with copies of the principal and the key, which need not be kept.
    #[must_use]
    pub fn into_owned(self) -> Leaf<'static> {
        Leaf {
            principal: Cow::Owned(self.principal.into_owned()),
            key: self.key.into_owned(),
            ..self
        }
    }

    /// The profile that it was made by.
    pub(crate) fn profile(&self) -> CertificateProfile {
        self.profile
    }

    /// Whom the certificate is for, from whom everything else in it comes.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    pub(crate) fn validity(&self) -> Validity {
        self.validity
    }

    /// The DER of the extensions that come before the authority key identifier, and after it.
    pub(crate) fn around_authority(&self) -> (&[u8], &[u8]) {
        self.extensions.split_at(self.authority_at)
    }
}

/// Extensions being written, and where they lie.
struct Extensions {
    out: Writer,
    index: Vec<Entry>,
}

impl Extensions {
    fn with_capacity(names: &[u8], principal: &Principal) -> Self {
        // Each extension costs at most 32 octets besides its value.
        let (count, values) = principal
            .extensions
            .iter()
            .fold((0, 0), |(count, len), (_, value)| {
                (count + 1, len + value.len())
            });
        Self {
            out: Writer::with_capacity(128 + names.len() + values + 32 * count),
            index: Vec::with_capacity(4 + count),
        }
    }

    fn add(&mut self, oid: Oid, critical: bool, value: &[u8]) {
        extension::write(&mut self.out, oid, critical, value);
        self.note(oid.dotted, critical, value.len());
    }

    fn add_fulcio(&mut self, name: Extension, value: &str) {
        let mut oid = [0; extension::FULCIO_ARC.len() + 1];
        oid[..extension::FULCIO_ARC.len()].copy_from_slice(&extension::FULCIO_ARC);
        oid[extension::FULCIO_ARC.len()] = name.arc();

        let len = match name.encoding() {
            Encoding::Raw => value.len(),
            Encoding::Utf8String => element_len(value.len()),
        };
        extension::open(&mut self.out, &oid, false, len);
        if name.encoding() == Encoding::Utf8String {
            self.out.header(tag::UTF8_STRING, value.len());
        }
        self.out.bytes(value.as_bytes());
        self.note(name.oid(), false, len);
    }

    fn note(&mut self, oid: &'static str, critical: bool, value_len: usize) {
        let end = self.out.len();
        self.index.push(Entry {
            oid,
            critical,
            value: end - value_len..end,
        });
    }
}
