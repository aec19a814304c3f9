//! The way from a key of a configuration file back to its line.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::document::{BYTE_ORDER_MARK, Format};

/// A key on the way to a place: its text, and how often the same key stands before it.
pub(super) type Step<'a> = (&'a str, usize);

/// The line of a key, counted from 1.
///
/// Neither parser tells the place of what it has read, but both tell where they failed, so the
/// text is read again and reading fails on purpose at the key.
pub(super) fn line_of(text: &str, format: Format, path: &[Step<'_>]) -> Option<usize> {
    let finder = Finder { path };
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    match format {
        Format::Json => {
            let mut json = serde_json::Deserializer::from_str(text);
            finder
                .deserialize(&mut json)
                .err()
                .map(|error| error.line())
        }
        Format::Yaml => {
            let yaml = serde_norway::Deserializer::from_str(text);
            let error = finder.deserialize(yaml).err()?;
            error.location().map(|place| place.line())
        }
    }
}

/// Fails at the key that a path leads to.
struct Finder<'a> {
    path: &'a [Step<'a>],
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place to find")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(((wanted, times), rest)) = self.path.split_first() else {
            return Err(A::Error::custom("found"));
        };
        let mut left = *times;
        loop {
            let key = map.next_key_seed(KeyFinder {
                wanted,
                fail: rest.is_empty() && left == 0,
            })?;
            match key {
                None => return Ok(()),
                Some(true) if left == 0 => return map.next_value_seed(Finder { path: rest }),
                Some(found) => {
                    left -= usize::from(found);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

/// Tells whether a key is the wanted one, and fails there if that is where to stop.
struct KeyFinder<'a> {
    wanted: &'a str,
    fail: bool,
}

impl<'de> DeserializeSeed<'de> for KeyFinder<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyFinder<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        let found = key == self.wanted;
        if found && self.fail {
            return Err(E::custom("found"));
        }
        Ok(found)
    }
}
