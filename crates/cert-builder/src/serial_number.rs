use core::fmt;

use crate::writer::{Writer, tag};

/// The serial number of one certificate: 159 random bits, positive and never zero
/// (RFC 5280 section 4.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SerialNumber([u8; 20]);

impl SerialNumber {
    /// Makes one of 20 random octets; their top bit is cleared, so that the number is positive.
    #[must_use]
    pub fn from_random(mut octets: [u8; 20]) -> Self {
        octets[0] &= 0x7f;
        if octets == [0; 20] {
            octets[19] = 1;
        }
        Self(octets)
    }

    /// The number, big-endian, without leading zeros.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let zeros = self.0.iter().take_while(|octet| **octet == 0).count();
        &self.0[zeros..]
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        // The first octet is below 0x80, so where the number's own first bit is set there is a
        // zero octet before it to keep it positive.
        let number = self.as_bytes().len();
        let signed = number + usize::from(self.as_bytes()[0] >= 0x80);
        out.element(tag::INTEGER, &self.0[20 - signed..]);
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(octets: [u8; 20]) -> Vec<u8> {
        let mut out = Writer::default();
        SerialNumber::from_random(octets).write(&mut out);
        out.finish()
    }

    #[test]
    fn the_integer_is_positive_minimal_and_not_zero() {
        assert_eq!(der([0; 20]), [0x02, 0x01, 0x01]);
        let mut expected = vec![0x02, 0x14, 0x7f];
        expected.extend([0xff; 19]);
        assert_eq!(der([0xff; 20]), expected);

        let mut octets = [0; 20];
        octets[18] = 0x80;
        assert_eq!(der(octets), [0x02, 0x03, 0x00, 0x80, 0x00]);
        octets[18] = 0x7f;
        assert_eq!(der(octets), [0x02, 0x02, 0x7f, 0x00]);
    }
}
