use core::fmt::{self, Write as _};

use crate::{ClaimPathError, TemplateError};

/// Why an issuer configuration file cannot be used: where, and what to do.
///
/// Its text is one line, `config.yaml:12: meta-issuers.https://*.example/x.type: …`.
#[derive(Debug)]
pub struct ConfigError {
    pub(crate) file: String,
    pub(crate) place: Place,
    pub(crate) problem: Problem,
}

/// A place in an issuer configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The line, counted from 1, if it is known.
    pub line: Option<usize>,
    /// The keys that lead there, outermost first; empty for the file as a whole.
    pub keys: Vec<String>,
}

/// What is wrong with an issuer configuration file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// `ca-cert` is not what it has to be.
    #[error(
        "is not all X.509 certificates that can be read; give one or more PEM blocks CERTIFICATE"
    )]
    CaCertificate,
    /// The type is unknown, so nobody knows what clients should sign.
    #[error(
        "`{kind}` is no known type, and a type of your own needs a challenge-claim{}",
        DidYouMean(nearest)
    )]
    ChallengeClaim {
        /// The unknown type.
        kind: String,
        /// The known type that is most like it.
        nearest: Option<String>,
    },
    /// `ci-provider` names no entry of `ci-issuer-metadata`.
    #[error("ci-issuer-metadata has no `{name}`{}", DidYouMean(nearest))]
    CiProvider {
        /// What it names.
        name: String,
        /// The entry that is most like it.
        nearest: Option<String>,
    },
    /// `issuer-claim` is no path.
    #[error("{0}")]
    ClaimPath(ClaimPathError),
    /// The subjects and the issuer do not belong to the same owner.
    #[error(
        "`{subject}` and the issuer's host `{issuer}` are not below the same registrable domain; \
         an issuer can only speak for subjects of its own"
    )]
    Domain {
        /// The host of `subject-domain`.
        subject: String,
        /// The host of `issuer-url`.
        issuer: String,
    },
    /// The subjects and the issuer belong to the same owner, but are spelt differently.
    #[error(
        "`{subject}` and the issuer's host `{issuer}` differ in letter case or in a dot at the end; \
         spell both the same"
    )]
    DomainSpelling {
        /// The host of `subject-domain`.
        subject: String,
        /// The host of `issuer-url`.
        issuer: String,
    },
    /// Two issuers cannot be told apart.
    #[error("`{other}` has the same issuer-url and client-id; take one of the two away")]
    DuplicateIssuer {
        /// The key of the other one.
        other: String,
    },
    /// A key is written twice.
    #[error("is written twice; take one of the two away")]
    DuplicateKey,
    /// `issuer-claim` on an issuer whose type does not read it.
    #[error(
        "only issuers of type email may have one, and this one is of type {kind}; take it away"
    )]
    IssuerClaim {
        /// The type of the issuer.
        kind: String,
    },
    /// The issuer's URL is none, or has no scheme and host.
    #[error(
        "`{url}` is no URL with a scheme and a host; write it such as https://accounts.example.com"
    )]
    IssuerUrl {
        /// The URL.
        url: String,
    },
    /// Something that must be there is not.
    #[error("has no {key}, which {reason}")]
    Missing {
        /// The missing key.
        key: &'static str,
        /// Why it is needed.
        reason: &'static str,
    },
    /// A switch is neither on nor off.
    #[error("the text `{value}` is neither true nor false; write one of them, without quotes")]
    NotBoolean {
        /// The text that it is.
        value: String,
    },
    /// `subject-domain` of an issuer of type `uri` is no URL, or has no scheme and host.
    #[error(
        "`{domain}` is no URL with a scheme and a host; for type uri write it such as \
         https://example.com"
    )]
    SchemeAbsent {
        /// The domain.
        domain: String,
    },
    /// `subject-domain` of an issuer of type `username` is not just a host name.
    #[error("`{domain}` is not a bare host name; for type username write it such as example.com")]
    SchemePresent {
        /// The domain.
        domain: String,
    },
    /// `subject-domain` and `issuer-url` have different schemes.
    #[error("the scheme `{subject}` is not the issuer's, which is `{issuer}`; make both the same")]
    SchemeMismatch {
        /// The scheme of `subject-domain`.
        subject: String,
        /// The scheme of `issuer-url`.
        issuer: String,
    },
    /// A meta issuer of type `spiffe`.
    #[error(
        "a meta issuer cannot be of type spiffe, because many issuers would share one trust domain; list them in oidc-issuers"
    )]
    SpiffeMetaIssuer,
    /// It is neither YAML nor JSON, or a value has the wrong form.
    #[error("{0}")]
    Syntax(String),
    /// A template cannot be used.
    #[error("{0}")]
    Template(TemplateError),
    /// Two patterns match one URL and neither is more specific.
    #[error(
        "overlaps with `{other}`, and neither has more fixed characters; make one of them more specific"
    )]
    Tie {
        /// The other pattern.
        other: String,
    },
    /// `spiffe-trust-domain` is no trust domain.
    #[error(
        "`{domain}` is no SPIFFE trust domain; only a-z, 0-9, `.`, `-` and `_` may stand in one"
    )]
    TrustDomain {
        /// What it is.
        domain: String,
    },
    /// A key that nothing reads.
    #[error("is not a known key{}", DidYouMean(nearest))]
    UnknownKey {
        /// The known key that is most like it.
        nearest: Option<&'static str>,
    },
    /// The key of an issuer is a URL, but not the issuer's.
    #[error("the issuer-url is `{url}`; make both the same")]
    UrlMismatch {
        /// The `issuer-url`.
        url: String,
    },
}

impl ConfigError {
    /// The file, as [`Config::parse`](crate::Config::parse) was told its name.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where in the file.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What is wrong there.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = OneLine(f);
        write!(f, "{}", self.file)?;
        if let Some(line) = self.place.line {
            write!(f, ":{line}")?;
        }
        if !self.place.keys.is_empty() {
            write!(f, ": {}", self.place.keys.join("."))?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Writes what a file says, line breaks and other control characters escaped, so that a message
/// stays one line.
pub(super) struct OneLine<'f, 'b>(pub(super) &'f mut fmt::Formatter<'b>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            let plain = part.trim_end_matches(char::is_control);
            self.0.write_str(plain)?;
            write!(self.0, "{}", part[plain.len()..].escape_debug())?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigError {}

/// The end of a sentence, with or without advice.
struct DidYouMean<'a, T>(&'a Option<T>);

impl<T: fmt::Display> fmt::Display for DidYouMean<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
