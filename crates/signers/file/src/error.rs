use std::{io, path::PathBuf};

use const_oid::{ObjectIdentifier, db::DB};
use fulcio_signer::Algorithm;

/// Why a key file gave no signer, or a signer no key file. The text names the file and says what
/// to do; it holds nothing of the key or the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is in the file is not a key that can be used.
    #[error("{}: {source}", file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
    /// The file could not be read.
    #[error("{}: the key file cannot be read: {source}; check the path and its permissions", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Why something is not a private key that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The password-based encryption is one that is not read.
    #[error(
        "the key is encrypted in a way that is not read ({scheme}); \
         convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`"
    )]
    EncryptionUnsupported {
        /// What it is, or its object identifier.
        scheme: String,
    },
    /// The structure inside the file is broken.
    #[error("the private key in it is damaged: {reason}")]
    Malformed {
        /// Which layer is broken.
        reason: &'static str,
    },
    /// Nothing in it is a private key.
    #[error(
        "there is no private key in it{}; it must hold a PEM block such as BEGIN PRIVATE KEY or \
         BEGIN ENCRYPTED PRIVATE KEY",
        found.as_ref().map(|label| format!(", only {label}")).unwrap_or_default()
    )]
    NotAKey {
        /// The label of the first PEM block, if it has one.
        found: Option<String>,
    },
    /// The key is encrypted, and no password was given.
    #[error("the private key is encrypted; give its password")]
    PasswordMissing,
    /// The machine gave no random numbers, or could not make the key.
    #[error("a key for {0} could not be made")]
    NotMade(Algorithm),
    /// The numbers in the key do not belong together.
    #[error("the private key in it is not a valid key: {0}")]
    Rejected(#[source] aws_lc_rs::error::KeyRejected),
    /// An RSA key of a length that is not used.
    #[error("the RSA key has {bits} bits; use one of 2048, 3072 or 4096")]
    RsaLength {
        /// How long it is.
        bits: usize,
    },
    /// A kind of key that a certificate authority of ours does not sign with.
    #[error(
        "the private key is of a kind that is not used ({kind}); use ECDSA on P-256, P-384 or \
         P-521, Ed25519, or RSA"
    )]
    Unsupported {
        /// What it is, or its object identifier.
        kind: String,
    },
    /// The password does not open the key.
    #[error("the password does not open the private key")]
    WrongPassword,
}

/// What an object identifier is called, as far as it is known.
pub(crate) fn named(oid: ObjectIdentifier) -> String {
    match DB.by_oid(&oid) {
        Some(name) => format!("{name}, {oid}"),
        None => oid.to_string(),
    }
}
