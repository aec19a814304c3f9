use core::{fmt, pin::Pin};

use fulcio_signer::Signer;

use crate::{Error, OpenOptions, SignerUri};

/// The schemes that [`locate`] and [`open`] know in this build, each with its colon.
pub const SCHEMES: &[&str] = &[
    #[cfg(feature = "aws-kms")]
    "awskms:",
    #[cfg(feature = "azure-keyvault")]
    "azurekms:",
    #[cfg(feature = "file")]
    "ephemeral:",
    #[cfg(feature = "file")]
    "file:",
    #[cfg(feature = "gcp-kms")]
    "gcpkms:",
    #[cfg(feature = "hashivault")]
    "hashivault:",
    #[cfg(feature = "hashivault")]
    "openbao:",
    #[cfg(feature = "pkcs11")]
    "pkcs11:",
    #[cfg(feature = "tink")]
    "tink:",
];

/// Finds out which key `uri` names and who is asked for it, and reaches nobody yet.
///
/// # Errors
/// The URI is of no back end in this build, or that back end can make nothing of it or of what it
/// is configured by.
#[cfg_attr(
    not(any(
        feature = "aws-kms",
        feature = "azure-keyvault",
        feature = "file",
        feature = "gcp-kms",
        feature = "hashivault",
        feature = "pkcs11",
        feature = "tink"
    )),
    expect(unused_variables, reason = "a build without back ends")
)]
pub fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    // RFC 3986 section 3.1: schemes do not care about case.
    let scheme = uri.scheme().to_ascii_lowercase();
    match scheme.as_str() {
        #[cfg(feature = "aws-kms")]
        "awskms" => crate::aws_kms::locate(uri, options),
        #[cfg(feature = "azure-keyvault")]
        "azurekms" => crate::azure_keyvault::locate(uri, options),
        #[cfg(feature = "file")]
        "ephemeral" => crate::file::locate_ephemeral(uri.rest()),
        #[cfg(feature = "file")]
        "file" => crate::file::locate_file(uri.rest(), options),
        #[cfg(feature = "gcp-kms")]
        "gcpkms" => crate::gcp_kms::locate(uri, options),
        #[cfg(feature = "hashivault")]
        "hashivault" | "openbao" => crate::hashivault::locate(uri, options),
        #[cfg(feature = "pkcs11")]
        "pkcs11" => crate::pkcs11::locate(uri, options),
        #[cfg(feature = "tink")]
        "tink" => crate::tink::locate(uri, options),
        _ => Err(Error::UnknownScheme { scheme }),
    }
}

/// Opens the key that `uri` names.
///
/// Remote back ends are reached here once, to read the public key.
///
/// # Errors
/// The URI is of no back end in this build, or that back end has no such key.
pub async fn open(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<OpenedKey, Error> {
    locate(uri, options)?.open().await
}

/// A key that [`locate`] has found the way to.
#[derive(Debug)]
pub struct LocatedKey {
    service: Option<KeyService>,
    key: Box<dyn Openable>,
}

/// A key that can be opened now.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenedKey {
    /// The very key, as its back end tells it from all others: where the URI names an alias or the
    /// newest version, it is what that was at opening. It holds no secret.
    pub name: String,
    /// Signs with it.
    pub signer: Box<dyn Signer>,
}

/// The service that holds a key, or decrypts it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyService {
    /// Where it is asked, as a URL; `None` where only opening the key tells. What cannot be meant
    /// as one is here as it was written, so that this may hold a password.
    pub address: Option<String>,
    /// What it is called.
    pub name: &'static str,
    /// Whether anybody's TLS certificate is taken for that of the service.
    pub trusts_anyone: bool,
    /// Whether it is asked through the proxies that the environment of this process names.
    pub uses_proxies: bool,
}

impl LocatedKey {
    /// The service that holds it, or decrypts it; `None` where there is none.
    #[must_use]
    pub fn service(&self) -> Option<&KeyService> {
        self.service.as_ref()
    }

    /// Opens it.
    ///
    /// # Errors
    /// There is no such key, it cannot be reached, or it cannot be used.
    pub async fn open(self) -> Result<OpenedKey, Error> {
        self.key.open().await
    }

    #[cfg(any(feature = "file", feature = "pkcs11"))]
    pub(crate) fn here(key: impl Openable + 'static) -> Self {
        Self {
            service: None,
            key: Box::new(key),
        }
    }

    #[cfg(any(
        feature = "aws-kms",
        feature = "azure-keyvault",
        feature = "gcp-kms",
        feature = "hashivault",
        feature = "tink"
    ))]
    pub(crate) fn at(service: KeyService, key: impl Openable + 'static) -> Self {
        Self {
            service: Some(service),
            key: Box::new(key),
        }
    }
}

/// What each back end knows of a key before it is opened.
pub(crate) trait Openable: fmt::Debug + Send + Sync {
    fn open(self: Box<Self>) -> Opening;
}

pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<OpenedKey, Error>> + Send>>;
