use core::{fmt, str::FromStr};

use http::uri::Authority;

use crate::Error;

/// Which key is meant, and in which vault.
///
/// It is written as Fulcio writes it, `azurekms://HOST[:PORT]/KEY[/VERSION]`, where the host is that
/// of a vault (`name.vault.azure.net`) or of a Managed HSM (`name.managedhsm.azure.net`), asked over
/// `https`. Without a version, the newest is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyReference {
    host: String,
    key: String,
    version: Option<String>,
}

impl KeyReference {
    /// The host of the vault, with the port where one is given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What the key is called in the vault.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The version of the key, where one is given.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The address of the vault.
    #[must_use]
    pub fn address(&self) -> String {
        format!("https://{}", self.host)
    }
}

impl FromStr for KeyReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| Error::Reference {
            reference: without_password(text),
        })
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "azurekms://{}/{}", self.host, self.key)?;
        match &self.version {
            Some(version) => write!(f, "/{version}"),
            None => Ok(()),
        }
    }
}

fn read(text: &str) -> Option<KeyReference> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, rest) = rest.split_once('/')?;
    // Fulcio also takes a slash that nothing follows.
    let (key, version) = rest.split_once('/').unwrap_or((rest, ""));
    let right = scheme.eq_ignore_ascii_case("azurekms")
        && is_host(host)
        && is_key(key)
        && (version.is_empty() || is_version(version));
    right.then(|| KeyReference {
        host: host.to_owned(),
        key: key.to_owned(),
        version: (!version.is_empty()).then(|| version.to_owned()),
    })
}

/// What stands before an `@` is no part of a reference, and may be a password.
fn without_password(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_hidden, rest)) => format!("[hidden]@{rest}"),
        None => text.to_owned(),
    }
}

fn is_host(text: &str) -> bool {
    let authority = text.parse::<Authority>();
    authority.is_ok_and(|authority| !authority.host().is_empty() && !text.contains('@'))
}

/// What Azure lets a key be called.
fn is_key(text: &str) -> bool {
    let mut bytes = text.bytes();
    (1..=127).contains(&text.len())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_version(text: &str) -> bool {
    let mut bytes = text.bytes();
    (1..=127).contains(&text.len())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
