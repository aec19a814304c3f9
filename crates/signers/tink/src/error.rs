use std::{io, path::PathBuf};

use fulcio_signer_file::KeyError;

/// Why a keyset file gave no signer. The text names the file; it holds nothing of a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is in the file gives no signer.
    #[error("{}: {source}", file.display())]
    Keyset {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: KeysetError,
    },
    /// The file could not be read.
    #[error(
        "{}: the keyset file cannot be read: {source}; check the path and its permissions",
        file.display()
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Why a keyset gave no signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysetError {
    /// The keyset is in the clear.
    #[error(
        "the Tink keyset is not encrypted; whoever reads the file has its keys, so it is refused: \
         make one with new keys, encrypted with the key of a key service (`tinkey create-keyset \
         --master-key-uri`)"
    )]
    Cleartext,
    /// What the key service decrypted is not a keyset.
    #[error("what the key service decrypted is not a Tink keyset: {reason}")]
    Content {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The numbers of the primary key are no key, or do not belong together.
    #[error("the primary key {key_id} of the keyset is not valid: {source}")]
    Key {
        /// Its number in the keyset.
        key_id: u32,
        /// Why not.
        source: KeyError,
    },
    /// The primary key is damaged.
    #[error("the primary key {key_id} of the keyset is damaged: {reason}")]
    KeyMalformed {
        /// Its number in the keyset.
        key_id: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It is not a keyset.
    #[error(
        "it is not an encrypted Tink keyset, in JSON or in binary protobuf, or is damaged: {reason}"
    )]
    NotAKeyset {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The primary key may not be used.
    #[error(
        "the primary key {key_id} of the keyset is {status}; enable it, or make another one the \
         primary key"
    )]
    PrimaryDisabled {
        /// Its number in the keyset.
        key_id: u32,
        /// What Tink says of it, in lower case.
        status: &'static str,
    },
    /// The primary key is not in the keyset.
    #[error("the keyset has no key {key_id}, which it says is its primary key")]
    PrimaryMissing {
        /// Its number in the keyset.
        key_id: u32,
    },
    /// Several keys could be the primary key.
    #[error("the keyset has several keys {key_id}, which it says is its primary key")]
    PrimaryRepeated {
        /// Their number in the keyset.
        key_id: u32,
    },
    /// A kind of key that a certificate authority of ours does not sign with.
    #[error(
        "the primary key {key_id} of the keyset is of a type that is not used ({kind}); use ECDSA \
         on P-256 with SHA-256, on P-384 with SHA-384 or SHA-512, on P-521 with SHA-512, or Ed25519"
    )]
    Unsupported {
        /// Its number in the keyset.
        key_id: u32,
        /// What it is, as Tink calls it.
        kind: String,
    },
    /// The key service did not decrypt the keyset.
    #[error("the keyset was not decrypted")]
    Unwrap(#[source] fulcio_signer::Error),
}
