use core::{fmt, str::FromStr};

use http::uri::Authority;

use crate::Error;

/// Which key of AWS KMS is meant, and where it is asked for.
///
/// It is written as Fulcio writes it, `awskms://[HOST[:PORT]]/KEY`. With a host, that is an
/// `https` endpoint, and counts for more than [`AwsConfig::endpoint`](crate::AwsConfig::endpoint);
/// without one, three slashes follow each other. `KEY` is one of
///
/// | form | example |
/// |---|---|
/// | key ID | `1234abcd-12ab-34cd-56ef-1234567890ab`, `mrk-1234abcd12ab34cd56ef1234567890ab` |
/// | key ARN | `arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab` |
/// | alias | `alias/fulcio` |
/// | alias ARN | `arn:aws:kms:us-east-2:111122223333:alias/fulcio` |
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyReference {
    host: Option<String>,
    key: String,
}

impl KeyReference {
    /// The host of the endpoint, with the port where one is given.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The key as AWS is told of it: an ID, an alias, or the ARN of either.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The region that an ARN says.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        arn(&self.key).map(|(region, _key)| region)
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
        let host = self.host.as_deref().unwrap_or_default();
        write!(f, "awskms://{host}/{}", self.key)
    }
}

fn read(text: &str) -> Option<KeyReference> {
    let (scheme, rest) = text.split_once("://")?;
    let (host, key) = rest.split_once('/')?;
    let is_key = match arn(key) {
        Some((_region, resource)) => {
            is_alias(resource) || resource.strip_prefix("key/").is_some_and(is_id)
        }
        None => is_alias(key) || is_id(key),
    };
    let right =
        scheme.eq_ignore_ascii_case("awskms") && is_key && (host.is_empty() || is_host(host));
    right.then(|| KeyReference {
        host: (!host.is_empty()).then(|| host.to_owned()),
        key: key.to_owned(),
    })
}

/// The region and the resource of `arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE`.
fn arn(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.splitn(6, ':');
    let mut next = || parts.next();
    let (Some("arn"), Some(partition), Some("kms"), Some(region), Some(account), Some(resource)) =
        (next(), next(), next(), next(), next(), next())
    else {
        return None;
    };
    let word = |text: &str| {
        let mut bytes = text.bytes();
        !text.is_empty()
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (partition.starts_with("aws") && word(partition) && word(region) && account)
        .then_some((region, resource))
}

/// A UUID, with or without its hyphens, or the ID of a multi-Region key.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("mrk-").unwrap_or(text);
    let plain = digits.len() == 32;
    let hyphens = |at: usize| !plain && [8, 13, 18, 23].contains(&at);
    (plain || digits.len() == 36)
        && digits.bytes().enumerate().all(|(at, byte)| {
            if hyphens(at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// `alias/` and what AWS lets an alias be called.
fn is_alias(text: &str) -> bool {
    let Some(name) = text.strip_prefix("alias/") else {
        return false;
    };
    let mut bytes = name.bytes();
    !name.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
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
