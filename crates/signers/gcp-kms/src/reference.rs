use core::{fmt, str::FromStr};

use crate::Error;

/// Which key of Google Cloud KMS is meant, and which version of it.
///
/// It is written as Fulcio writes it,
/// `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K`, with `/cryptoKeyVersions/N` or
/// `/versions/N` behind it where one version is meant. Without one, it is the newest that is
/// enabled when the key is opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyReference {
    key: String,
    version: Option<String>,
    written: String,
}

impl KeyReference {
    /// The resource name of the key, without a version.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The number of the version, where one is meant.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The resource name of the version, where one is meant.
    pub(crate) fn version_name(&self) -> Option<String> {
        let version = self.version.as_ref()?;
        Some(format!("{}{VERSIONS}{version}", self.key))
    }
}

impl FromStr for KeyReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let name = after_scheme(text, "gcpkms")?;
            let (key, version) = parts(name)?;
            Some(Self {
                key,
                version: version.map(str::to_owned),
                written: name.to_owned(),
            })
        };
        read().ok_or_else(|| Error::Reference {
            reference: without_password(text),
        })
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gcpkms://{}", self.written)
    }
}

/// Which symmetric key of Google Cloud KMS has wrapped something.
///
/// It is written as Tink writes it,
/// `gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K`. There is no version: Google finds
/// the right one by what it is to unwrap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnwrapReference {
    key: String,
}

impl UnwrapReference {
    /// The resource name of the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for UnwrapReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match after_scheme(text, "gcp-kms").and_then(parts) {
            Some((key, None)) => Ok(Self { key }),
            _ => Err(Error::UnwrapReference {
                reference: without_password(text),
            }),
        }
    }
}

impl fmt::Display for UnwrapReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gcp-kms://{}", self.key)
    }
}

fn after_scheme<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    let (scheme, rest) = text.split_once("://")?;
    scheme.eq_ignore_ascii_case(wanted).then_some(rest)
}

/// The name of the key, and the number of the version.
fn parts(name: &str) -> Option<(String, Option<&str>)> {
    let segments: Vec<_> = name.split('/').collect();
    let [
        "projects",
        project,
        "locations",
        location,
        "keyRings",
        ring,
        "cryptoKeys",
        key,
        version @ ..,
    ] = segments.as_slice()
    else {
        return None;
    };
    let version = match version {
        [] => None,
        ["cryptoKeyVersions" | "versions", number] if is_number(number) => Some(*number),
        _ => return None,
    };
    let right = is_project(project) && is_location(location) && is_id(ring) && is_id(key);
    right.then(|| (segments[..8].join("/"), version))
}

/// An ID, a number, or an ID with the domain that it is in (`example.com:project`).
fn is_project(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
}

fn is_location(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What Google lets key rings and keys be called.
fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    (1..=63).contains(&text.len())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Without a sign and without zeros before it.
fn is_number(text: &str) -> bool {
    text.starts_with(|first| matches!(first, '1'..='9')) && text.parse::<u64>().is_ok()
}

/// What stands before an `@` is no part of a reference, and may be a password.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_hidden, rest)) => format!("[hidden]@{rest}"),
        None => text.to_owned(),
    }
}

/// Between the name of a key and the number of a version.
pub(crate) const VERSIONS: &str = "/cryptoKeyVersions/";
