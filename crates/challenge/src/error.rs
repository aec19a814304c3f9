use core::fmt;

use crate::{Hash, KeyKind, UnrecognizedAlgorithm};

/// Why a caller has not proven that it holds a key we may certify.
///
/// The texts are the ones Fulcio answers with; what exactly was wrong is in the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(
    clippy::exhaustive_enums,
    reason = "one variant for each text of the wire: a new one must break every match"
)]
pub enum Error {
    /// The proof holds, but a key of this kind may not sign with this hash here.
    #[error("signing algorithm not permitted: {}, {hash}", key.go_type())]
    AlgorithmNotPermitted {
        /// What kind of key signed.
        key: KeyKind,
        /// With which hash.
        hash: Hash,
    },
    /// The signature of the certification request holds, but is of a kind we do not accept.
    #[error("unrecognized signature algorithm: {0}")]
    CsrAlgorithm(UnrecognizedAlgorithm),
    /// The certification request cannot be read.
    #[error("The certificate signing request could not be parsed")]
    CsrMalformed(#[source] Malformed),
    /// The key breaks the key policy.
    #[error("The public key supplied in the request is insecure")]
    InsecureKey(#[source] Weakness),
    /// The public key cannot be read.
    #[error("The public key supplied in the request could not be parsed")]
    KeyMalformed(#[source] Malformed),
    /// The signature is not the key's, or not over what it should be over.
    #[error("The signature supplied in the request could not be verified")]
    Signature,
}

/// What makes a key or a certification request unreadable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// There is nothing to read.
    #[error("nothing was supplied")]
    Absent,
    /// The parameters of the key's algorithm are not what that algorithm has.
    #[error("the key's algorithm parameters are wrong")]
    AlgorithmParameters,
    /// The bit string of a key or a signature is not a whole number of bytes.
    #[error("a bit string is not a whole number of bytes")]
    BitString,
    /// It is not the DER encoding of what it should be.
    #[error("the DER encoding is wrong")]
    Der(#[source] DerError),
    /// An extension is asked for twice (RFC 5280 section 4.2).
    #[error("an extension is requested twice")]
    DuplicateExtension,
    /// The ECDSA curve is none that we know.
    #[error("the elliptic curve is unknown")]
    EllipticCurve,
    /// A name holds text that its string type does not allow.
    #[error("a name holds characters that its type does not allow")]
    NameText,
    /// No PEM block (RFC 7468) is in the text.
    #[error("there is no PEM block")]
    NoPem,
    /// The PEM block holds something else.
    #[error("the PEM block is of another type")]
    PemLabel,
    /// The Ed25519 key is not 32 bytes, or the ECDSA point is not an uncompressed point of its curve.
    #[error("the key is not a point of its curve")]
    Point,
    /// The RSA modulus or exponent is zero or far too large.
    #[error("the RSA modulus or exponent is out of range")]
    RsaInteger,
    /// It is longer than a key or a certification request may be.
    #[error("what was supplied is longer than {limit} bytes")]
    TooLong {
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// The key's algorithm is none that we know.
    #[error("the key algorithm is unknown")]
    UnknownKeyAlgorithm,
}

/// How a key breaks the key policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// The two prime factors are so close together that Fermat's method finds them.
    #[error("the RSA modulus has prime factors too close together")]
    CloseFactors,
    /// The elliptic curve is not P-256, P-384 or P-521.
    #[error("the elliptic curve is not allowed")]
    Curve,
    /// The RSA public exponent is not 65537.
    #[error("the RSA exponent is not 65537")]
    Exponent,
    /// Keys of this kind are not certified.
    #[error("keys of this kind are not allowed")]
    KeyKind,
    /// The RSA modulus has the fingerprint of keys made by flawed hardware (CVE-2017-15361).
    #[error("the RSA modulus has the ROCA fingerprint (CVE-2017-15361)")]
    Roca,
    /// The RSA modulus is not of 2048, 3072 or 4096 bits.
    #[error("the RSA modulus has {bits} bits, not 2048, 3072 or 4096")]
    Size {
        /// The length of the modulus.
        bits: usize,
    },
    /// The RSA modulus has a small prime factor.
    #[error("the RSA modulus is divisible by {0}")]
    SmallFactor(u16),
}

/// Where and how a DER encoding (X.690) is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerError(der::Error);

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for DerError {}

impl Malformed {
    // Not a `From`: that would put `der` into the public interface.
    pub(crate) fn der(error: der::Error) -> Self {
        Self::Der(DerError(error))
    }
}
