use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::DateTime;

use crate::{
    Error,
    writer::{Writer, element_len, tag},
};

/// From when until when something may be used; both ends belong to it (RFC 5280 section 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair of times")]
pub struct Validity {
    /// The first second.
    pub not_before: SystemTime,
    /// The last second.
    pub not_after: SystemTime,
}

impl Validity {
    /// What both allow; empty (`not_after` first) when they have nothing in common.
    pub(crate) fn intersection(self, other: Self) -> Self {
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: self.not_after.min(other.not_after),
        }
    }

    /// What an authority with this validity may give to something that wants `other`.
    pub(crate) fn limit(self, other: Self) -> Result<Self, Error> {
        if other.not_before < self.not_before {
            return Err(Error::IssuerNotYetValid {
                not_before: self.not_before,
            });
        }
        if other.not_before > self.not_after {
            return Err(Error::IssuerExpired {
                not_after: self.not_after,
            });
        }
        Ok(self.intersection(other))
    }

    pub(crate) fn write(&self, out: &mut Writer) -> Result<(), Error> {
        let (start, end) = (Date::new(self.not_before)?, Date::new(self.not_after)?);
        out.header(tag::SEQUENCE, start.element_len() + end.element_len());
        start.write(out);
        end.write(out);
        Ok(())
    }
}

/// `time` without its fraction of a second, which a certificate cannot hold.
pub(crate) fn whole_seconds(time: SystemTime) -> Result<SystemTime, Error> {
    let since = time.duration_since(UNIX_EPOCH).map_err(|_| Error::Date)?;
    Ok(UNIX_EPOCH + Duration::from_secs(since.as_secs()))
}

/// `time` as RFC 3339 writes it, for messages.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    DateTime::from_system_time(time).map_or_else(|_| format!("{time:?}"), |date| date.to_string())
}

/// A time in the form that its year demands: `UTCTime` until 2049, then `GeneralizedTime`.
struct Date(DateTime);

impl Date {
    fn new(time: SystemTime) -> Result<Self, Error> {
        DateTime::from_system_time(time)
            .map(Self)
            .map_err(|_| Error::Date)
    }

    fn is_generalized(&self) -> bool {
        self.0.year() >= 2050
    }

    fn element_len(&self) -> usize {
        element_len(if self.is_generalized() { 15 } else { 13 })
    }

    fn write(&self, out: &mut Writer) {
        let year = self.0.year();
        let digits = |number: u8| [b'0' + number / 10, b'0' + number % 10];
        if self.is_generalized() {
            out.header(tag::GENERALIZED_TIME, 15);
            out.bytes(&digits((year / 100) as u8));
        } else {
            out.header(tag::UTC_TIME, 13);
        }
        out.bytes(&digits((year % 100) as u8));
        for number in [
            self.0.month(),
            self.0.day(),
            self.0.hour(),
            self.0.minutes(),
            self.0.seconds(),
        ] {
            out.bytes(&digits(number));
        }
        out.bytes(b"Z");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_date_follows_its_year() {
        let validity = Validity {
            not_before: UNIX_EPOCH + Duration::from_secs(2_524_607_999),
            not_after: UNIX_EPOCH + Duration::from_secs(2_524_608_000),
        };
        let mut out = Writer::default();
        validity.write(&mut out).unwrap();
        assert_eq!(
            out.finish(),
            b"\x30\x20\x17\x0d491231235959Z\x18\x0f20500101000000Z"
        );
    }

    #[test]
    fn a_year_of_five_digits_is_an_error() {
        let validity = Validity {
            not_before: UNIX_EPOCH,
            not_after: UNIX_EPOCH + Duration::from_secs(253_402_300_800),
        };
        assert!(matches!(
            validity.write(&mut Writer::default()),
            Err(Error::Date)
        ));
    }
}
