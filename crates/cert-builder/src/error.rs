use core::fmt;
use std::time::SystemTime;

use fulcio_principal::SubjectAltName;

use crate::{NameForm, validity::rfc3339};

/// Why no certificate can be made, or why a chain cannot sign code-signing certificates.
///
/// [`EmptyName`](Self::EmptyName), [`NameForm`](Self::NameForm), [`NoIssuer`](Self::NoIssuer),
/// [`NotIa5`](Self::NotIa5) and [`PublicKey`](Self::PublicKey) are the caller's; everything else is for the operator, and names the certificate of the
/// chain and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The authority's key is of a kind that Fulcio certificates are not signed with.
    #[error(
        "the authority's key cannot sign certificates here: use ECDSA on P-256, P-384 or P-521, \
         RSA, or Ed25519"
    )]
    AuthorityKey,

    /// What should be a certification request (RFC 2986) is not one.
    #[error("it is not a certification request that can be read: have it made again")]
    CertificationRequest(#[source] DecodeError),

    /// An intermediate that would sign leaves does not itself list code signing.
    #[error(
        "{0} does not list codeSigning as an extended key usage; the issuing certificate of a \
         chain must: issue it again with extendedKeyUsage codeSigning"
    )]
    CodeSigningNotListed(Link),

    /// A certificate has extended key usages, and code signing is not among them.
    #[error(
        "{0} has extended key usages without codeSigning, so nothing below it may sign code: \
         issue it again with codeSigning, or without extended key usages"
    )]
    CodeSigningNotPermitted(Link),

    /// A time that a certificate cannot hold.
    #[error("a date lies before the year 1970 or after 9999; check the clock and the lifetime")]
    Date,

    /// The same extension twice (RFC 5280 section 4.2).
    #[error("{link} has the extension {oid} more than once: issue it again")]
    DuplicateExtension {
        /// Where it was found.
        link: Link,
        /// The extension, dotted.
        oid: String,
    },

    /// No certificate at all.
    #[error(
        "there is no certificate in it: put the issuing certificate first, then each \
         certificate's issuer, the root last, as PEM"
    )]
    EmptyChain,

    /// The subject alternative name is the empty string.
    #[error("the certificate would name nobody: the subject alternative name is empty")]
    EmptyName,

    /// A certificate of the chain has expired.
    #[error("{link} expired at {}: renew it and give the new chain", rfc3339(*not_after))]
    Expired {
        /// Which one.
        link: Link,
        /// The last second in which it was valid.
        not_after: SystemTime,
    },

    /// The chain's time is over, so it issues nothing more.
    #[error("the authority's chain expired at {}: renew it", rfc3339(*not_after))]
    IssuerExpired {
        /// The last second in which the whole chain was valid.
        not_after: SystemTime,
    },

    /// The chain's time has not begun.
    #[error(
        "the authority's chain is not valid before {}: check the clock",
        rfc3339(*not_before)
    )]
    IssuerNotYetValid {
        /// The first second in which the whole chain will be valid.
        not_before: SystemTime,
    },

    /// The key usage does not include `keyCertSign`.
    #[error("{0} has a key usage without keyCertSign: issue it again with certificate signing")]
    KeyUsage(Link),

    /// A certificate is not one, or not a well-formed one.
    #[error("{link} could not be decoded: replace the file or issue it again")]
    Malformed {
        /// Which one.
        link: Link,
        /// What was wrong with it.
        source: DecodeError,
    },

    /// What should limit names of a form is not written as that form wants it.
    #[error("{}: {} {}", ascii(base), form, constraint_shape(*form))]
    NameConstraint {
        /// What it should limit.
        form: NameForm,
        /// As it was written.
        base: String,
    },

    /// A form of name that this crate does not know how to write.
    #[error("the certificate cannot hold a name of this form")]
    NameForm,

    /// None of the certificates is that of the key.
    #[error(
        "none of the certificates is for this key: give the one that was issued for it, and those \
         above it"
    )]
    NoCertificateOfKey,

    /// The principal does not say who vouched for it; every certificate names that issuer.
    #[error("the certificate would name no issuer of the identity")]
    NoIssuer,

    /// The subject of a new authority is empty.
    #[error("a CA certificate needs a subject: give it a common name or an organization")]
    NoSubject,

    /// The certificate may not sign certificates.
    #[error(
        "{0} is not a CA certificate (basicConstraints CA:TRUE is missing): give the chain of \
         the authority, not of a leaf"
    )]
    NotCa(Link),

    /// A PEM block of another kind, such as a private key.
    #[error(
        "PEM block {number} is a {label:?}, and a chain holds only \"CERTIFICATE\": remove it \
         from the file"
    )]
    NotCertificate {
        /// Counted from 1.
        number: usize,
        /// What the block says it is.
        label: String,
    },

    /// An e-mail address or URI with characters that X.509 cannot hold in that place.
    #[error(
        "the certificate cannot name {}: only ASCII characters are possible in {}",
        ascii(.0.value()), kind(.0)
    )]
    NotIa5(SubjectAltName),

    /// The next certificate is not its issuer, going by names.
    #[error(
        "{link} was not issued by {next}, which follows it: order the chain with each \
         certificate's issuer after it, the root last"
    )]
    NotIssuedByNext {
        /// The certificate.
        link: Link,
        /// The one after it.
        next: Link,
    },

    /// The next certificate's key did not sign it.
    #[error(
        "the signature of {link} is not by the key of {next}: a certificate of that name but \
         another key follows it, or the file was changed"
    )]
    NotSignedByNext {
        /// The certificate.
        link: Link,
        /// The one after it.
        next: Link,
    },

    /// A certificate of the chain is not valid yet.
    #[error("{link} is not valid before {}: check the clock", rfc3339(*not_before))]
    NotYetValid {
        /// Which one.
        link: Link,
        /// The first second in which it will be valid.
        not_before: SystemTime,
    },

    /// More authorities below a certificate than it allows.
    #[error(
        "{link} allows {allowed} intermediate certificates below it (pathlen), and there are \
         {below}: shorten the chain or issue it again"
    )]
    PathLength {
        /// Which one.
        link: Link,
        /// What its `pathLenConstraint` says.
        allowed: u8,
        /// How many there are.
        below: usize,
    },

    /// A PEM block that does not end, or whose content is not Base64.
    #[error("PEM block {number} is damaged: copy the file again")]
    Pem {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        source: DecodeError,
    },

    /// The subject's public key is not a `SubjectPublicKeyInfo`.
    #[error("the public key could not be decoded")]
    PublicKey(#[source] DecodeError),

    /// A certification request is signed with an algorithm that is not accepted.
    #[error(
        "the request is signed with {algorithm}, which is not accepted here: have it signed with \
         ECDSA, Ed25519 or RSA, and SHA-256 or better"
    )]
    RequestAlgorithm {
        /// The algorithm's OID, dotted.
        algorithm: String,
    },

    /// A certification request is not signed by the key that it is about.
    #[error(
        "the request is not signed by its own key, so nothing shows that who asks holds that key: \
         have it made again"
    )]
    RequestSignature,

    /// More than one certificate is that of the key.
    #[error("{one} and {other} are both for this key: leave one of them out")]
    SeveralCertificatesOfKey {
        /// The first, by its place in what was given.
        one: Link,
        /// The next.
        other: Link,
    },

    /// A certificate is signed with an algorithm that is not accepted, SHA-1 for one.
    #[error(
        "{link} is signed with {algorithm}, which is not accepted here: issue it again with \
         ECDSA, Ed25519 or RSA, and SHA-256 or better"
    )]
    SignatureAlgorithm {
        /// Which one.
        link: Link,
        /// The algorithm's OID, dotted.
        algorithm: String,
    },

    /// A name has an attribute that no certificate is given here, or one twice.
    #[error(
        "the subject has the attribute {oid}, or has it more than once, and CA certificates are \
         not given that: state the subject instead"
    )]
    SubjectAttribute {
        /// The attribute, dotted.
        oid: String,
    },

    /// A critical extension that is not understood here, so it cannot be obeyed.
    #[error(
        "{link} has the critical extension {oid}, which is not supported: issue it again without"
    )]
    UnknownCriticalExtension {
        /// Which one.
        link: Link,
        /// The extension, dotted.
        oid: String,
    },
}

/// One certificate of a chain, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Its place in the chain, counted from 1.
    pub number: usize,
    /// Its subject as RFC 4514 writes it; empty when the certificate could not be decoded.
    pub subject: String,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {} of the chain", self.number)?;
        if self.subject.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.subject)
    }
}

/// Why bytes from outside are not what they should be.
#[derive(Debug)]
pub struct DecodeError(Cause);

#[derive(Debug)]
enum Cause {
    Base64(base64::DecodeError),
    Der(der::Error),
    Rule(&'static str),
}

impl DecodeError {
    pub(crate) fn rule(broken: &'static str) -> Self {
        Self(Cause::Rule(broken))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Base64(error) => error.fmt(f),
            Cause::Der(error) => error.fmt(f),
            Cause::Rule(broken) => f.write_str(broken),
        }
    }
}

impl core::error::Error for DecodeError {}

impl From<base64::DecodeError> for DecodeError {
    fn from(error: base64::DecodeError) -> Self {
        Self(Cause::Base64(error))
    }
}

impl From<der::Error> for DecodeError {
    fn from(error: der::Error) -> Self {
        Self(Cause::Der(error))
    }
}

/// A name from outside, so that no terminal or log obeys what is in it.
fn ascii(name: &str) -> String {
    format!("\"{}\"", name.escape_debug())
}

fn constraint_shape(form: NameForm) -> &'static str {
    match form {
        NameForm::Dns => "constraints are written as example.com",
        NameForm::Email => {
            "constraints are written as ada@example.com, example.com or .example.com"
        }
        NameForm::Uri => "constraints are hosts, written as example.com or .example.com",
    }
}

fn kind(name: &SubjectAltName) -> &'static str {
    match name {
        SubjectAltName::Email(_) => "an e-mail address",
        SubjectAltName::Uri(_) => "a URI",
        _ => "a name of this form",
    }
}
