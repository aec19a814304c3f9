use core::fmt;

use serde::{Deserialize, Deserializer, de::Visitor};

/// A NumericDate (RFC 7519 §2), in whole seconds since 1970; a fraction is dropped.
pub(crate) struct Seconds(pub(crate) i64);

impl Seconds {
    /// The last second that Go's `time.Time` can hold; what is later it takes for long ago.
    const LAST: i64 = i64::MAX - 62_135_596_800;
    const RANGE: &'static str = "the time is out of range";

    fn new<E: serde::de::Error>(seconds: i64) -> Result<Self, E> {
        if seconds > Self::LAST {
            return Err(E::custom(Self::RANGE));
        }
        Ok(Self(seconds))
    }

    fn truncated<E: serde::de::Error>(seconds: f64) -> Result<Self, E> {
        // Both bounds are exact: ±2^53 seconds are far beyond any date.
        if seconds.abs() > 9_007_199_254_740_992.0 {
            return Err(E::custom(Self::RANGE));
        }
        Ok(Self(seconds as i64))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondsVisitor;

        impl Visitor<'_> for SecondsVisitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds")
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                Seconds::new(seconds)
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                i64::try_from(seconds)
                    .map_err(E::custom)
                    .and_then(Seconds::new)
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                Seconds::truncated(seconds)
            }

            /// A number in quotes, which Fulcio reads too.
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Seconds, E> {
                let number: serde_json::Number = text.parse().map_err(E::custom)?;
                match (number.as_i64(), number.as_f64()) {
                    (Some(seconds), _) => Seconds::new(seconds),
                    (None, Some(seconds)) => Seconds::truncated(seconds),
                    (None, None) => Err(E::custom(Seconds::RANGE)),
                }
            }
        }

        deserializer.deserialize_any(SecondsVisitor)
    }
}
