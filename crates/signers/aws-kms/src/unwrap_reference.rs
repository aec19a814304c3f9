use core::{fmt, str::FromStr};

use crate::{Error, KeyReference};

/// Which key of AWS KMS decrypts what another program has encrypted.
///
/// It is written as Tink writes it, `aws-kms://` and the ARN of a key or of an alias, such as
/// `aws-kms://arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnwrapKeyReference(KeyReference);

impl UnwrapKeyReference {
    /// The key as AWS is told of it: an ARN.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.key()
    }

    /// The same key as one that signs would be written.
    pub(crate) fn as_key(&self) -> &KeyReference {
        &self.0
    }
}

impl FromStr for UnwrapKeyReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| Error::UnwrapReference {
            reference: text.to_owned(),
        })
    }
}

impl fmt::Display for UnwrapKeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "aws-kms://{}", self.key())
    }
}

fn read(text: &str) -> Option<UnwrapKeyReference> {
    let (scheme, arn) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("aws-kms") {
        return None;
    }
    let key: KeyReference = format!("awskms:///{arn}").parse().ok()?;
    key.region()?;
    Some(UnwrapKeyReference(key))
}
