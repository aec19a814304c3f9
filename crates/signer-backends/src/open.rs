use fulcio_signer::Signer;

use crate::{Error, OpenOptions, SignerUri};

/// The schemes that [`open`] knows in this build, each with its colon.
pub const SCHEMES: &[&str] = &[
    #[cfg(feature = "file")]
    "ephemeral:",
    #[cfg(feature = "file")]
    "file:",
    #[cfg(feature = "hashivault")]
    "hashivault:",
    #[cfg(feature = "hashivault")]
    "openbao:",
    #[cfg(feature = "pkcs11")]
    "pkcs11:",
];

/// Opens the key that `uri` names.
///
/// Remote back ends are reached here once, to read the public key.
///
/// # Errors
/// The URI is of no back end in this build, or that back end has no such key.
#[cfg_attr(
    not(any(feature = "file", feature = "hashivault", feature = "pkcs11")),
    expect(unused_variables, reason = "a build without back ends")
)]
pub async fn open(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<Box<dyn Signer>, Error> {
    // RFC 3986 section 3.1: schemes do not care about case.
    let scheme = uri.scheme().to_ascii_lowercase();
    match scheme.as_str() {
        #[cfg(feature = "file")]
        "ephemeral" => crate::file::ephemeral(uri.rest()),
        #[cfg(feature = "file")]
        "file" => crate::file::file(uri.rest(), options),
        #[cfg(feature = "hashivault")]
        "hashivault" | "openbao" => crate::hashivault::hashivault(uri, options).await,
        #[cfg(feature = "pkcs11")]
        "pkcs11" => crate::pkcs11::pkcs11(uri.rest(), options).await,
        _ => Err(Error::UnknownScheme { scheme }),
    }
}
