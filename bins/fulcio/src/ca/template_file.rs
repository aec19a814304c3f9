use core::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    lifetime::{self, WrittenLifetime},
    name::{ConstraintFlags, NameFlags},
    path_length::{self, PathLength},
};
use crate::files;

/// What a file says of a new certificate: what the flags of the same names do, and the usages.
#[derive(Debug, Default)]
pub(crate) struct TemplateFile {
    pub(crate) name: NameFlags,
    pub(crate) constraints: ConstraintFlags,
    pub(crate) lifetime: Option<WrittenLifetime>,
    pub(crate) path_length: Option<PathLength>,
    /// `key-usage`.
    pub(crate) key_usage: Option<Vec<String>>,
    /// `extended-key-usage`.
    pub(crate) extended_key_usage: Option<Vec<String>>,
}

impl TemplateFile {
    /// Reads TOML, or JSON where its first character is that of an object.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        Self::parse(&bytes).with_context(|| format!("--template {}", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let text = core::str::from_utf8(bytes).context("it is not a text in UTF-8")?;
        let pairs: Pairs = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).context("it is no JSON that can be read")?,
            false => toml::from_str(text).map_err(|error| {
                // What else it says is on lines of their own.
                anyhow!("it is no TOML that can be read: {}", error.message())
            })?,
        };
        let mut read = Self::default();
        let mut seen = Vec::new();
        for (key, value) in pairs.0 {
            if seen.contains(&key) {
                bail!("{key:?} is there more than once");
            }
            read.set(&key, value)?;
            seen.push(key);
        }
        Ok(read)
    }

    fn set(&mut self, key: &str, value: Value) -> Result<()> {
        let (name, constraints) = (&mut self.name, &mut self.constraints);
        match key {
            "common-name" => name.common_name = Some(text(key, value)?),
            "country" => name.country = Some(text(key, value)?),
            "exclude-dns" => constraints.exclude_dns = texts(key, value)?,
            "exclude-email" => constraints.exclude_email = texts(key, value)?,
            "exclude-uri" => constraints.exclude_uri = texts(key, value)?,
            "extended-key-usage" => self.extended_key_usage = Some(texts(key, value)?),
            "key-usage" => self.key_usage = Some(texts(key, value)?),
            "lifetime" => {
                let written = value.as_str().and_then(|text| text.parse().ok());
                self.lifetime = Some(written.ok_or_else(|| wrong(key, lifetime::SHAPE))?);
            }
            "locality" => name.locality = Some(text(key, value)?),
            "org" => name.org = Some(text(key, value)?),
            "organizational-unit" => name.organizational_unit = Some(text(key, value)?),
            "path-length" => {
                let written = match &value {
                    Value::Number(number) => number.to_string().parse().ok(),
                    Value::String(text) => text.parse().ok(),
                    _ => None,
                };
                self.path_length = Some(written.ok_or_else(|| wrong(key, path_length::SHAPE))?);
            }
            "permit-dns" => constraints.permit_dns = texts(key, value)?,
            "permit-email" => constraints.permit_email = texts(key, value)?,
            "permit-uri" => constraints.permit_uri = texts(key, value)?,
            "postal-code" => name.postal_code = Some(text(key, value)?),
            "province" => name.province = Some(text(key, value)?),
            "street-address" => name.street_address = Some(text(key, value)?),
            unknown => {
                let nearest = KEYS
                    .into_iter()
                    .min_by_key(|known| strsim::damerau_levenshtein(known, unknown))
                    .unwrap_or_default();
                bail!("{unknown:?} is no key of a template; did you mean {nearest:?}?");
            }
        }
        Ok(())
    }
}

fn text(key: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong(key, "it must be a text")),
    }
}

fn texts(key: &str, value: Value) -> Result<Vec<String>> {
    let texts = match value {
        Value::Array(values) => values.into_iter().map(|value| text(key, value)).collect(),
        _ => Err(anyhow!("not a list")),
    };
    texts.map_err(|_not_texts| wrong(key, "it must be a list of texts"))
}

fn wrong(key: &str, expected: &str) -> anyhow::Error {
    anyhow!("{key:?}: {expected}")
}

/// The keys and values of an object, all of them, also where a key comes twice.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

const KEYS: [&str; 18] = [
    "common-name",
    "country",
    "exclude-dns",
    "exclude-email",
    "exclude-uri",
    "extended-key-usage",
    "key-usage",
    "lifetime",
    "locality",
    "org",
    "organizational-unit",
    "path-length",
    "permit-dns",
    "permit-email",
    "permit-uri",
    "postal-code",
    "province",
    "street-address",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        for key in KEYS {
            // Whatever a key takes, null is none of it.
            let refused = TemplateFile::default().set(key, Value::Null).unwrap_err();
            assert!(!refused.to_string().contains("did you mean"), "{refused}");
        }
    }
}
