use crate::open::SCHEMES;

/// Why a URI opened no signer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `ephemeral:` asks for an algorithm that there is not.
    #[cfg(feature = "file")]
    #[error("no key can be made for {name:?}; there are {}", crate::file::names())]
    Algorithm {
        /// What it asks for.
        name: String,
    },
    /// The key file cannot be used.
    #[cfg(feature = "file")]
    #[error(transparent)]
    File(fulcio_signer_file::Error),
    /// `file:` names a file on another machine, or none.
    #[cfg(feature = "file")]
    #[error("a key file is written as file:///path/to/key.pem, with %20 for a space")]
    FileUri,
    /// The key could not be made.
    #[cfg(feature = "file")]
    #[error(transparent)]
    Key(fulcio_signer_file::KeyError),
    /// Vault, or the key in it, cannot be used.
    #[cfg(feature = "hashivault")]
    #[error(transparent)]
    Hashivault(fulcio_signer_hashivault::Error),
    /// The options do not say where Vault is.
    #[cfg(feature = "hashivault")]
    #[error("a key in Vault is wanted, and nothing says where Vault is and who asks")]
    HashivaultUnconfigured,
    /// What should be a URI has no scheme.
    #[error("where the key is must be said as a URI, such as file:///path/to/key.pem")]
    NoScheme,
    /// The token, or the key in it, cannot be used.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Pkcs11(fulcio_signer_pkcs11::Error),
    /// The file that should hold the PIN of the token cannot be read.
    #[cfg(feature = "pkcs11")]
    #[error("{}: the file of the PIN cannot be read: {source}", file.display())]
    Pkcs11Pin {
        /// The file.
        file: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// `pkcs11:` does not say which key is meant.
    #[cfg(feature = "pkcs11")]
    #[error("{wrong}; a key in a token is written as {}", crate::pkcs11::SHAPE)]
    Pkcs11Uri {
        /// What is wrong with it.
        wrong: String,
    },
    /// No back end that was compiled in has this scheme.
    #[error(
        "no back end for {scheme}: is compiled in; this build knows {}",
        if SCHEMES.is_empty() { "none".to_owned() } else { SCHEMES.join(" ") }
    )]
    UnknownScheme {
        /// What the URI begins with.
        scheme: String,
    },
}
