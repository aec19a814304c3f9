use crate::locate::SCHEMES;

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
    /// AWS KMS, or the key in it, cannot be used.
    #[cfg(feature = "aws-kms")]
    #[error(transparent)]
    AwsKms(fulcio_signer_aws_kms::Error),
    /// Azure Key Vault, or the key in it, cannot be used.
    #[cfg(feature = "azure-keyvault")]
    #[error(transparent)]
    AzureKeyVault(fulcio_signer_azure_keyvault::Error),
    /// The key file cannot be used.
    #[cfg(feature = "file")]
    #[error(transparent)]
    File(fulcio_signer_file::Error),
    /// `file:` names a file on another machine, or none.
    #[cfg(feature = "file")]
    #[error("a key file is written as file:///path/to/key.pem, with %20 for a space")]
    FileUri,
    /// Google Cloud KMS, or the key in it, cannot be used.
    #[cfg(feature = "gcp-kms")]
    #[error(transparent)]
    GcpKms(fulcio_signer_gcp_kms::Error),
    /// The key could not be made.
    #[cfg(feature = "file")]
    #[error(transparent)]
    Key(fulcio_signer_file::KeyError),
    /// Vault, or the key in it, cannot be used.
    #[cfg(feature = "hashivault")]
    #[error(transparent)]
    Hashivault(fulcio_signer_hashivault::Error),
    /// The file that should hold the roots for Vault holds none.
    #[cfg(feature = "hashivault")]
    #[error("VAULT_CACERT or BAO_CACERT: {} holds no PEM block CERTIFICATE", file.display())]
    HashivaultRoots {
        /// The file.
        file: std::path::PathBuf,
    },
    /// A variable about Vault has to say something else.
    #[cfg(feature = "hashivault")]
    #[error("{variable}: {source}")]
    HashivaultVariable {
        /// Its name, and another that says the same.
        variable: &'static str,
        /// What is wrong.
        source: fulcio_signer_hashivault::Error,
    },
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
    /// The keyset, or the key in it, cannot be used.
    #[cfg(feature = "tink")]
    #[error(transparent)]
    Tink(fulcio_signer_tink::Error),
    /// No key service that was compiled in decrypts keysets under this scheme.
    #[cfg(feature = "tink")]
    #[error(
        "no key service for {scheme}: is compiled in that decrypts keysets; this build knows {}",
        known(crate::tink::SCHEMES)
    )]
    TinkScheme {
        /// What the URI of the key service begins with.
        scheme: String,
    },
    /// `tink:` does not say which keyset is meant, or what decrypts it.
    #[cfg(feature = "tink")]
    #[error(
        "a key in a Tink keyset is written as tink:///path/to/keyset.json?kek=URI, with %20 for a \
         space; URI is aws-kms://ARN, gcp-kms://projects/PROJECT/locations/LOCATION/keyRings/RING/\
         cryptoKeys/KEY or hcvault://HOST/MOUNT/keys/KEY"
    )]
    TinkUri,
    /// Neither variables nor the options say where a key service is.
    #[error("a key in {service} is wanted, and nothing says where that is and who asks")]
    Unconfigured {
        /// What the service is called.
        service: &'static str,
    },
    /// No back end that was compiled in has this scheme.
    #[error(
        "no back end for {scheme}: is compiled in; this build knows {}",
        known(SCHEMES)
    )]
    UnknownScheme {
        /// What the URI begins with.
        scheme: String,
    },
}

impl Error {
    /// Whether the URI, or what a key service is configured by, has to say something else. All
    /// other errors are of what was met on the way to the key.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        match self {
            #[cfg(feature = "file")]
            Self::Algorithm { .. } | Self::FileUri => true,
            #[cfg(feature = "file")]
            Self::File(_) | Self::Key(_) => false,
            #[cfg(feature = "aws-kms")]
            Self::AwsKms(error) => crate::aws_kms::is_setting(error),
            #[cfg(feature = "azure-keyvault")]
            Self::AzureKeyVault(error) => crate::azure_keyvault::is_setting(error),
            #[cfg(feature = "gcp-kms")]
            Self::GcpKms(error) => crate::gcp_kms::is_setting(error),
            #[cfg(feature = "hashivault")]
            Self::Hashivault(error) => crate::hashivault::is_setting(error),
            #[cfg(feature = "hashivault")]
            Self::HashivaultRoots { .. } => false,
            #[cfg(feature = "hashivault")]
            Self::HashivaultVariable { .. } => true,
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(_) | Self::Pkcs11Pin { .. } => false,
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11Uri { .. } => true,
            #[cfg(feature = "tink")]
            Self::Tink(_) => false,
            #[cfg(feature = "tink")]
            Self::TinkScheme { .. } | Self::TinkUri => true,
            Self::NoScheme | Self::Unconfigured { .. } | Self::UnknownScheme { .. } => true,
        }
    }
}

fn known(schemes: &[&str]) -> String {
    if schemes.is_empty() {
        "none".to_owned()
    } else {
        schemes.join(" ")
    }
}
