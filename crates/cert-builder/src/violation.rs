use std::time::SystemTime;

use crate::{NameConstraint, validity::rfc3339};

/// One MUST or MUST NOT of Sigstore's certificate specification that a CA certificate breaks.
///
/// The specification demands RFC 5280 too; the rules of it are those on which verifiers act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The authority key identifier is not the issuer's subject key identifier.
    #[error("an authority key identifier must equal the subject key identifier of the issuer")]
    AuthorityKeyIdentifier,
    /// `basicConstraints` is not there, or does not say `CA:TRUE`.
    #[error("basic constraints must be CA:TRUE")]
    BasicConstraints,
    /// `basicConstraints` is not critical.
    #[error("basic constraints must be critical (RFC 5280 section 4.2.1.9)")]
    BasicConstraintsNotCritical,
    /// The subject has no common name.
    #[error("the subject must have a common name")]
    CommonName,
    /// The country is not two letters.
    #[error(
        "the country must be two letters, such as UK, and it is {:?} (RFC 5280 appendix A.1)",
        .0
    )]
    Country(String),
    /// An intermediate does not have code signing, and only that, as extended key usage.
    #[error(
        "an intermediate must have the extended key usage codeSigning and no other, and it has {}",
        if .0.is_empty() { "none".to_owned() } else { .0.join(", ") }
    )]
    ExtendedKeyUsage(Vec<String>),
    /// A root has extended key usages.
    #[error("a root must not have extended key usages, and it has {}", .0.join(", "))]
    ExtendedKeyUsageOfRoot(Vec<String>),
    /// The certificate says that somebody else issued it.
    #[error("a root must be issued by itself, and this one says it was issued by {0}")]
    Issuer(String),
    /// The key usages are not `keyCertSign` and `cRLSign`.
    #[error("the key usages must be certificate sign and CRL sign, and no others")]
    KeyUsage,
    /// `nameConstraints` is not critical.
    #[error("name constraints must be critical (RFC 5280 section 4.2.1.10)")]
    NameConstraintsNotCritical,
    /// An attribute of the subject is longer than it may be.
    #[error(
        "the {attribute} must have {limit} characters at most, and it has {length} (RFC 5280 \
         appendix A.1)"
    )]
    NameLength {
        /// Which one.
        attribute: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The subject has no organization.
    #[error("the subject must have an organization")]
    Organization,
    /// It is valid for longer than its parent.
    #[error(
        "the lifetime must not exceed that of the parent, which ends {}, and it ends {}",
        rfc3339(*parent), rfc3339(*own)
    )]
    OutlivesParent {
        /// Its own last second.
        own: SystemTime,
        /// The last second of its parent.
        parent: SystemTime,
    },
    /// An authority above does not allow so many authorities below it.
    #[error(
        "the path length of {above} is {allowed} and would have to be {below} (RFC 5280 section \
         4.2.1.9)"
    )]
    PathLength {
        /// The subject of the authority above.
        above: String,
        /// What its `pathLenConstraint` says.
        allowed: u8,
        /// How many authorities there would be below it.
        below: usize,
    },
    /// It permits names that an authority above does not permit.
    #[error("it permits {constraint}, which {above} does not permit (RFC 5280 section 4.2.1.10)")]
    PermitsMore {
        /// What it permits.
        constraint: NameConstraint,
        /// The subject of the authority above.
        above: String,
    },
    /// It permits names that are excluded, by itself or above.
    #[error("it permits {constraint}, which {by} excludes (RFC 5280 section 4.2.1.10)")]
    PermitsTheExcluded {
        /// What it permits.
        constraint: NameConstraint,
        /// The subject of who excludes them.
        by: String,
    },
    /// A root is not signed by its own key.
    #[error("a root must be signed by its own key")]
    SelfSignature,
    /// The serial number is not one of 160 random bits.
    #[error("the serial number must be positive, random and of 160 bits, and it is {0}")]
    SerialNumber(String),
    /// There is no subject key identifier.
    #[error("there must be a subject key identifier")]
    SubjectKeyIdentifier,
}
