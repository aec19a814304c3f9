use core::{fmt, str::FromStr};

use crate::Error;

/// Which key of the transit engine is meant, and which of its versions.
///
/// It is written as Fulcio writes it, `hashivault://KEY` or `openbao://KEY`; with
/// `/versions/N` behind it, it means that version and not the newest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyReference {
    name: String,
    version: Option<u32>,
}

impl KeyReference {
    /// What the key is called in Vault.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that is meant; `None` for the newest at opening.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.version
    }
}

impl FromStr for KeyReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| Error::Reference {
            reference: text.to_owned(),
        })
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hashivault://{}", self.name)?;
        match self.version {
            Some(version) => write!(f, "/versions/{version}"),
            None => Ok(()),
        }
    }
}

fn read(text: &str) -> Option<KeyReference> {
    let (_scheme, path) = text.split_once("://").filter(|(scheme, _)| {
        SCHEMES
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    })?;
    let (name, version) = match path.split_once("/versions/") {
        Some((name, version)) => (name, Some(number(version)?)),
        None => (path, None),
    };
    is_name(name).then(|| KeyReference {
        name: name.to_owned(),
        version,
    })
}

/// Vault counts from 1, and takes 0 for the newest.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

/// Letters, digits, `_`, and in the middle also `-` and `.`: what Fulcio takes.
pub(crate) fn is_name(name: &str) -> bool {
    let outer = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = name.as_bytes();
    bytes.first().is_some_and(outer)
        && bytes.last().is_some_and(outer)
        && bytes.iter().all(|byte| outer(byte) || b"-.".contains(byte))
}

const SCHEMES: [&str; 2] = ["hashivault", "openbao"];
