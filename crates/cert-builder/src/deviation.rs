/// Where a certificate is not what its profile and its leaf say.
///
/// A fault of ours, or of the memory that we run in: such a certificate must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Deviation {
    /// The authority key identifier is not there, or not the issuer's (RFC 5280 section 4.2.1.1).
    #[error("the authority key identifier is not the issuer's")]
    AuthorityKeyIdentifier,
    /// The lifetime is not that of the profile, begins at another time, or lies outside of the issuer's.
    #[error("the dates are not those of the profile within the issuer's")]
    Dates,
    /// It is not the DER of one certificate (RFC 5280 section 4.1), or something follows it.
    #[error("it is not the DER of a certificate")]
    Encoding,
    /// The extended key usage is not code signing alone (RFC 5280 section 4.2.1.12).
    #[error("the extended key usage is not code signing alone")]
    ExtendedKeyUsage,
    /// One of Fulcio's extensions is not there, or does not say what the identity does.
    #[error("the extension {0} is not what the identity says")]
    Extension(&'static str),
    /// There is an extension that is not in the profile, or one twice.
    #[error("there is an extension that the profile does not have")]
    ExtensionNotInProfile,
    /// It does not name its issuer, octet for octet.
    #[error("the issuer is not named as its certificate names it")]
    Issuer,
    /// The key usage is not digitalSignature alone, and critical (RFC 5280 section 4.2.1.3).
    #[error("the key usage is not digital signature alone")]
    KeyUsage,
    /// A precertificate could be used, or a certificate could not (RFC 6962 section 3.1).
    #[error("the poison is not where it must be, or where it must not be")]
    Poison,
    /// It is for another key than the one that was proven.
    #[error("the public key is not the one that was proven")]
    PublicKey,
    /// The serial number is another, not positive, or longer than 20 octets
    /// (RFC 5280 section 4.1.2.2).
    #[error("the serial number is not the one that was drawn")]
    SerialNumber,
    /// There is no signature (RFC 5280 section 4.1.1.3).
    #[error("there is no signature")]
    Signature,
    /// The algorithm of the signature is not the issuer's, inside or outside.
    #[error("the algorithm of the signature is not the issuer's, inside and outside")]
    SignatureAlgorithm,
    /// The subject is not empty.
    #[error("the subject is not empty")]
    Subject,
    /// There is not the one name of the identity, critical (RFC 5280 section 4.2.1.6).
    #[error("the subject alternative name is not the one name of the identity")]
    SubjectAltName,
    /// The subject key identifier is not the key's, or is there against the profile.
    #[error("the subject key identifier is not the key's")]
    SubjectKeyIdentifier,
    /// The timestamps are not those that the logs have promised (RFC 6962 section 3.3).
    #[error("the timestamps are not those that were promised")]
    Timestamps,
    /// It is not of version 3.
    #[error("it is not of version 3")]
    Version,
}
