//! `tink:`.

use core::{fmt, pin::Pin};
use std::path::PathBuf;

use fulcio_signer::KeyUnwrap;
use fulcio_signer_tink::TinkSigner;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::{
    Error, KeyService, LocatedKey, OpenOptions, OpenedKey, SignerUri,
    local_path::local_path,
    locate::{Openable, Opening},
};

/// The schemes of key services that decrypt keysets in this build, each with its colon.
pub(crate) const SCHEMES: &[&str] = &[
    #[cfg(feature = "aws-kms")]
    "aws-kms:",
    #[cfg(feature = "gcp-kms")]
    "gcp-kms:",
    #[cfg(feature = "hashivault")]
    "hcvault:",
];

/// The URI of the primary key of a Tink keyset: the file, and the URI of the key that has
/// encrypted it, as Tink writes that.
#[must_use]
pub fn tink_uri(keyset: &str, kek: &str) -> String {
    let keyset = utf8_percent_encode(keyset, PATH);
    let kek = utf8_percent_encode(kek, QUERY);
    // With an empty authority, because a path may begin with two slashes.
    if keyset.to_string().starts_with('/') {
        format!("tink://{keyset}?{KEK}={kek}")
    } else {
        format!("tink:{keyset}?{KEK}={kek}")
    }
}

const KEK: &str = "kek";
const PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?');
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'&');

#[derive(Debug)]
struct KeysetKey {
    kek: Box<dyn OpenableUnwrap>,
    keyset: PathBuf,
}

pub(crate) fn locate(uri: &SignerUri<'_>, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let (path, query) = uri.rest().split_once('?').ok_or(Error::TinkUri)?;
    let keyset = local_path(path).ok_or(Error::TinkUri)?;
    let kek = query
        .strip_prefix(KEK)
        .and_then(|rest| rest.strip_prefix('='));
    let kek = percent_decode_str(kek.ok_or(Error::TinkUri)?).decode_utf8();
    let kek = kek.map_err(|_not_utf8| Error::TinkUri)?;
    let located = locate_unwrap(&kek, options)?;
    let key = KeysetKey {
        kek: located.key,
        keyset: keyset.into(),
    };
    Ok(LocatedKey::at(located.service, key))
}

impl Openable for KeysetKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let kek = self.kek.open().await?;
            let signer = TinkSigner::open(&self.keyset, &*kek)
                .await
                .map_err(Error::Tink)?;
            let (id, keyset) = (signer.key_id(), self.keyset.display());
            Ok(OpenedKey {
                name: format!("the key {id} of {keyset}"),
                signer: Box::new(signer),
            })
        })
    }
}

/// A key that decrypts keysets, to which the way was found.
#[derive(Debug)]
pub(crate) struct LocatedUnwrap {
    pub(crate) key: Box<dyn OpenableUnwrap>,
    pub(crate) service: KeyService,
}

/// What each back end knows of such a key before it is opened.
pub(crate) trait OpenableUnwrap: fmt::Debug + Send + Sync {
    fn open(&self) -> OpeningUnwrap<'_>;
}

pub(crate) type OpeningUnwrap<'a> =
    Pin<Box<dyn Future<Output = Result<Box<dyn KeyUnwrap>, Error>> + Send + 'a>>;

#[cfg_attr(
    not(any(feature = "aws-kms", feature = "gcp-kms", feature = "hashivault")),
    expect(unused_variables, reason = "a build without key services")
)]
fn locate_unwrap(kek: &str, options: &OpenOptions) -> Result<LocatedUnwrap, Error> {
    let uri = SignerUri::parse(kek).map_err(|_no_scheme| Error::TinkUri)?;
    let scheme = uri.scheme().to_ascii_lowercase();
    match scheme.as_str() {
        #[cfg(feature = "aws-kms")]
        "aws-kms" => crate::aws_kms::locate_unwrap(&uri, options),
        #[cfg(feature = "gcp-kms")]
        "gcp-kms" => crate::gcp_kms::locate_unwrap(&uri, options),
        #[cfg(feature = "hashivault")]
        "hcvault" => crate::hashivault::locate_unwrap(&uri, options),
        _ => Err(Error::TinkScheme { scheme }),
    }
}
