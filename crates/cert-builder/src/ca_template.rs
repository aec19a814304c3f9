use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::DateTime;
use pki_types::SubjectPublicKeyInfoDer;

use crate::{
    DistinguishedName, Error, Issuer, NameConstraints, SerialNumber, Unsigned, Validity, extension,
    issued_leaf::VERSION_3,
    public_key::PublicKey,
    validity::whole_seconds,
    writer::{Writer, tag},
};

/// What a new CA certificate will say.
///
/// It is always critical that it is a CA and that its key signs certificates and revocation lists
/// only. Its subject key identifier is the SHA-256 of RFC 7093 section 2 method 1, as Go makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaTemplate {
    /// Its own name.
    pub subject: DistinguishedName,
    /// How long it is valid; never longer than its parent.
    pub lifetime: Lifetime,
    /// How many authorities may be between it and a leaf; no limit where there is none.
    pub path_length: Option<u8>,
    /// Whether everything below it is for signing code only: its extended key usage.
    pub code_signing: bool,
    /// Which names everything below it may have.
    pub name_constraints: NameConstraints,
}

/// How long a new CA certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a length of time is nothing else")]
pub enum Lifetime {
    /// So long, in whole seconds.
    Exactly(Duration),
    /// Until the same day and time so many years later; 29 February becomes 1 March.
    Years(u16),
}

/// KeyUsage with keyCertSign and cRLSign.
const CERTIFICATE_AND_CRL_SIGN: [u8; 4] = [tag::BIT_STRING, 2, 1, 0x06];

impl CaTemplate {
    /// A root of ten years that may have intermediates.
    #[must_use]
    pub fn root(subject: DistinguishedName) -> Self {
        Self {
            subject,
            lifetime: Lifetime::Years(10),
            path_length: Some(1),
            code_signing: false,
            name_constraints: NameConstraints::default(),
        }
    }

    /// An intermediate of three years that issues leaves for code signing.
    #[must_use]
    pub fn intermediate(subject: DistinguishedName) -> Self {
        Self {
            subject,
            lifetime: Lifetime::Years(3),
            path_length: Some(0),
            code_signing: true,
            name_constraints: NameConstraints::default(),
        }
    }

    /// The root that Fulcio's `ephemeralca` makes at each start.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self::root(DistinguishedName {
            country: Some("USA".into()),
            province: Some("WA".into()),
            locality: Some("Kirkland".into()),
            street_address: Some("767 6th St S".into()),
            postal_code: Some("98033".into()),
            organization: Some("sigstore".into()),
            ..DistinguishedName::default()
        })
    }

    /// Writes the certificate for `public_key`, to be signed by the key of `parent`, or by its own
    /// when there is none.
    ///
    /// # Errors
    ///
    /// When the subject is empty, when a key cannot be decoded or sign certificates, when a date
    /// cannot be written, or when the parent is not valid at `now`.
    pub fn unsigned(
        &self,
        public_key: SubjectPublicKeyInfoDer<'_>,
        serial: SerialNumber,
        now: SystemTime,
        parent: Option<&Issuer>,
    ) -> Result<Unsigned, Error> {
        let subject = self.subject.to_der().ok_or(Error::NoSubject)?;
        let key = PublicKey::parse(&public_key).map_err(Error::PublicKey)?;
        let own_algorithm = key.signature_algorithm()?;
        let not_before = whole_seconds(now)?;
        let own = Validity {
            not_before,
            not_after: self.lifetime.end(not_before)?,
        };
        let (issuer, algorithm, validity) = match parent {
            Some(parent) => (
                parent.subject(),
                parent.signature_algorithm(),
                parent.validity().limit(own)?,
            ),
            None => (&subject[..], own_algorithm, own),
        };
        let mut dates = Writer::default();
        validity.write(&mut dates)?;

        let mut out = Writer::default();
        out.nested(tag::SEQUENCE, |tbs| {
            tbs.bytes(&VERSION_3);
            serial.write(tbs);
            tbs.element(tag::SEQUENCE, &algorithm);
            tbs.bytes(issuer);
            tbs.bytes(&dates.finish());
            tbs.bytes(&subject);
            tbs.bytes(&public_key);
            tbs.nested(tag::context_constructed(3), |explicit| {
                explicit.nested(tag::SEQUENCE, |extensions| {
                    self.write_extensions(extensions, &key, parent);
                });
            });
        });
        Ok(Unsigned {
            to_be_signed: out.finish(),
            algorithm,
        })
    }

    pub(crate) fn write_extensions(
        &self,
        out: &mut Writer,
        key: &PublicKey<'_>,
        parent: Option<&Issuer>,
    ) {
        extension::write(out, extension::KEY_USAGE, true, &CERTIFICATE_AND_CRL_SIGN);
        if self.code_signing {
            let usage = &extension::CODE_SIGNING;
            extension::write(out, extension::EXTENDED_KEY_USAGE, false, usage);
        }
        let mut constraints = Writer::default();
        constraints.nested(tag::SEQUENCE, |constraints| {
            constraints.element(tag::BOOLEAN, &[0xff]);
            if let Some(length) = self.path_length {
                let minimal = usize::from(length < 0x80);
                constraints.element(tag::INTEGER, &[0, length][minimal..]);
            }
        });
        let constraints = constraints.finish();
        extension::write(out, extension::BASIC_CONSTRAINTS, true, &constraints);
        let identifier = extension::key_identifier(&key.sha256_identifier());
        extension::write(out, extension::SUBJECT_KEY_IDENTIFIER, false, &identifier);
        if let Some(parent) = parent {
            out.bytes(parent.authority_key_identifier());
        }
        if !self.name_constraints.is_empty() {
            let constraints = self.name_constraints.to_der();
            extension::write(out, extension::NAME_CONSTRAINTS, true, &constraints);
        }
    }
}

impl Lifetime {
    /// The last second of something that is valid from `start`.
    ///
    /// # Errors
    ///
    /// No certificate can hold that time.
    pub fn end(self, start: SystemTime) -> Result<SystemTime, Error> {
        match self {
            Self::Exactly(duration) => start
                .checked_add(Duration::from_secs(duration.as_secs()))
                .ok_or(Error::Date),
            Self::Years(years) => years_later(start, years).ok_or(Error::Date),
        }
    }
}

fn years_later(start: SystemTime, years: u16) -> Option<SystemTime> {
    let start = DateTime::from_system_time(start).ok()?;
    let year = start.year().checked_add(years)?;
    let at = |month, day| {
        let (hour, minutes, seconds) = (start.hour(), start.minutes(), start.seconds());
        DateTime::new(year, month, day, hour, minutes, seconds).ok()
    };
    let leap_day = (start.month(), start.day()) == (2, 29);
    let end = at(start.month(), start.day()).or_else(|| at(3, 1).filter(|_| leap_day))?;
    Some(UNIX_EPOCH + end.unix_duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u16, month: u8, day: u8) -> SystemTime {
        DateTime::new(year, month, day, 1, 2, 3)
            .unwrap()
            .to_system_time()
    }

    #[test]
    fn years_end_on_the_same_day() {
        assert_eq!(
            years_later(date(2026, 11, 22), 10),
            Some(date(2036, 11, 22))
        );
        assert_eq!(years_later(date(2028, 2, 29), 4), Some(date(2032, 2, 29)));
        assert_eq!(years_later(date(2028, 2, 29), 3), Some(date(2031, 3, 1)));
        assert_eq!(years_later(date(2028, 2, 29), 9000), None);
    }
}
