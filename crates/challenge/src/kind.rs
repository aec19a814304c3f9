use core::fmt;

/// What a key is, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on NIST P-521.
    EcdsaP521,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
}

/// The hash a signature was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// None: the signature scheme takes the message itself, as pure Ed25519 does.
    None,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl KeyKind {
    /// The hash with which a key of this kind signs a challenge.
    #[must_use]
    pub fn challenge_hash(self) -> Hash {
        match self {
            Self::EcdsaP256 | Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => Hash::Sha256,
            Self::EcdsaP384 => Hash::Sha384,
            Self::EcdsaP521 => Hash::Sha512,
            Self::Ed25519 => Hash::None,
        }
    }

    /// The type by which Fulcio names such a key to its callers.
    pub(crate) fn go_type(self) -> &'static str {
        match self {
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 => "*ecdsa.PublicKey",
            Self::Ed25519 => "ed25519.PublicKey",
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => "*rsa.PublicKey",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
            Self::EcdsaP521 => "ECDSA P-521",
            Self::Ed25519 => "Ed25519",
            Self::Rsa2048 => "RSA 2048",
            Self::Rsa3072 => "RSA 3072",
            Self::Rsa4096 => "RSA 4096",
        })
    }
}

/// As Fulcio writes it to its callers, the odd text for no hash included.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "unknown hash value 0",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}
