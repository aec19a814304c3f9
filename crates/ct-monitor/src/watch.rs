use core::fmt;
use std::sync::Arc;

use fulcio_principal::Extension;
use regex::Regex;

use crate::{Channel, Error, Subject};

/// What certificates somebody wants to hear of: those for which all of its conditions hold.
///
/// Without a condition it is for every certificate.
#[derive(Clone, Debug)]
pub struct Watch {
    name: String,
    identity: Option<Pattern>,
    extensions: Vec<(ExtensionName, Pattern)>,
    channels: Option<Vec<String>>,
}

impl Watch {
    /// A watch for every certificate.
    #[must_use]
    pub fn all(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            identity: None,
            extensions: Vec::new(),
            channels: None,
        }
    }

    /// Only those that name such an identity: an e-mail address, a URI, a user name.
    #[must_use]
    pub fn identity(mut self, identity: Pattern) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Only those where an extension has such a value.
    #[must_use]
    pub fn extension(mut self, name: ExtensionName, value: Pattern) -> Self {
        self.extensions.push((name, value));
        self
    }

    /// Tells only the channels with these names; otherwise it tells all.
    #[must_use]
    pub fn channels(mut self, names: Vec<String>) -> Self {
        self.channels = Some(names);
        self
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is told through the channel with this name.
    #[must_use]
    pub fn tells(&self, channel: &str) -> bool {
        self.channels
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == channel))
    }

    /// Every channel that it tells must be there.
    pub(crate) fn check_channels(&self, channels: &[Arc<dyn Channel>]) -> Result<(), Error> {
        let names = self.channels.iter().flatten();
        let known = |name: &str| channels.iter().any(|channel| channel.name() == name);
        match names.into_iter().find(|name| !known(name)) {
            Some(unknown) => Err(Error::UnknownChannel {
                watch: self.name.clone(),
                channel: unknown.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Whether the certificate of `subject` is one of those.
    #[must_use]
    pub fn matches(&self, subject: &Subject) -> bool {
        let named = self.identity.as_ref().is_none_or(|pattern| {
            let mut names = subject.identities.iter();
            names.any(|identity| pattern.matches(&identity.value))
        });
        named
            && self.extensions.iter().all(|(name, pattern)| {
                let mut extensions = subject.extensions.iter();
                extensions.any(|it| name.is(&it.oid) && pattern.matches(&it.value))
            })
    }
}

/// A text that is looked for.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Exact(String),
    Regex(Regex),
}

impl Pattern {
    /// This text. Letters of ASCII may be upper or lower case, as a mail server or a code host would
    /// see no difference either.
    #[must_use]
    pub fn exact(text: impl Into<String>) -> Self {
        Self(Kind::Exact(text.into()))
    }

    /// A text in which the regular expression is found. It is searched for anywhere: `^` and `$`
    /// bind it to the ends.
    ///
    /// # Errors
    ///
    /// It is not a regular expression.
    pub fn regex(pattern: &str) -> Result<Self, Error> {
        let regex = Regex::new(pattern).map_err(|source| Error::Pattern {
            pattern: pattern.to_owned(),
            source: Box::new(source),
        })?;
        Ok(Self(Kind::Regex(regex)))
    }

    fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Exact(exact) => exact.eq_ignore_ascii_case(text),
            Kind::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Which extension of a certificate is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionName(Vec<String>);

impl ExtensionName {
    /// Reads an OID in dotted form, or the name of one of Fulcio's extensions as its title with
    /// hyphens, such as `source-repository-uri`. `issuer` is either of the two.
    ///
    /// # Errors
    ///
    /// There is none with this name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let oids = if name == ISSUER {
            [Extension::IssuerV1, Extension::IssuerV2]
                .map(|it| it.oid().to_owned())
                .to_vec()
        } else if let Some(known) = Extension::all().find(|known| title(*known) == name) {
            vec![known.oid().to_owned()]
        } else if name.parse::<der::asn1::ObjectIdentifier>().is_ok() {
            vec![name.to_owned()]
        } else {
            return Err(Error::UnknownExtension {
                name: name.to_owned(),
            });
        };
        Ok(Self(oids))
    }

    /// All names that [`parse`](Self::parse) knows.
    pub fn known() -> impl Iterator<Item = String> {
        Extension::all().map(title)
    }

    fn is(&self, oid: &str) -> bool {
        self.0.iter().any(|it| it == oid)
    }
}

impl fmt::Display for ExtensionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" or "))
    }
}

/// The title of an extension, as one word.
fn title(extension: Extension) -> String {
    let mut name = String::new();
    for word in extension
        .title()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    name
}

const ISSUER: &str = "issuer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_issuer_configuration_and_two_more() {
        for extension in Extension::all() {
            let name = title(extension);
            if let Some(key) = extension.yaml_key() {
                assert_eq!(name, key);
            }
            assert!(ExtensionName::parse(&name).unwrap().is(extension.oid()));
            let by_oid = ExtensionName::parse(extension.oid()).unwrap();
            assert!(by_oid.is(extension.oid()));
        }
        let issuer = ExtensionName::parse("issuer").unwrap();
        assert!(issuer.is(Extension::IssuerV1.oid()) && issuer.is(Extension::IssuerV2.oid()));
        assert_eq!(ExtensionName::known().count(), Extension::all().count());
    }

    #[test]
    fn refuses_what_is_no_name_and_no_pattern() {
        for name in ["", "repository", "Issuer", "1.2.x"] {
            let refused = ExtensionName::parse(name);
            assert!(
                matches!(refused, Err(Error::UnknownExtension { .. })),
                "{name}"
            );
        }
        assert!(matches!(Pattern::regex("("), Err(Error::Pattern { .. })));
    }
}
