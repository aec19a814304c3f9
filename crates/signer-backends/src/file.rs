//! `file:` and `ephemeral:`.

use core::fmt;
use std::path::PathBuf;

use fulcio_signer::Algorithm;
use fulcio_signer_file::{EphemeralSigner, FileSigner};
use zeroize::Zeroizing;

use crate::{
    Error, LocatedKey, OpenOptions, OpenedKey,
    local_path::local_path,
    locate::{Openable, Opening},
};

struct KeyFile {
    password: Option<Zeroizing<String>>,
    path: PathBuf,
}

#[derive(Debug)]
struct NewKey(Algorithm);

pub(crate) fn locate_file(rest: &str, options: &OpenOptions) -> Result<LocatedKey, Error> {
    let path = local_path(rest).ok_or(Error::FileUri)?;
    Ok(LocatedKey::here(KeyFile {
        password: options.password().cloned(),
        path: path.into(),
    }))
}

pub(crate) fn locate_ephemeral(rest: &str) -> Result<LocatedKey, Error> {
    let algorithm = match rest {
        "" => Algorithm::EcdsaP256Sha256,
        name => ALGORITHMS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, algorithm)| *algorithm)
            .ok_or_else(|| Error::Algorithm {
                name: name.to_owned(),
            })?,
    };
    Ok(LocatedKey::here(NewKey(algorithm)))
}

impl Openable for KeyFile {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let signer = FileSigner::open(&self.path, self.password.as_ref());
            Ok(OpenedKey {
                name: self.path.display().to_string(),
                signer: Box::new(signer.map_err(Error::File)?),
            })
        })
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyFile");
        shown.field("path", &self.path).finish_non_exhaustive()
    }
}

impl Openable for NewKey {
    fn open(self: Box<Self>) -> Opening {
        Box::pin(async move {
            let signer = EphemeralSigner::generate(self.0).map_err(Error::Key)?;
            Ok(OpenedKey {
                name: "a key that was made now".to_owned(),
                signer: Box::new(signer),
            })
        })
    }
}

pub(crate) fn names() -> String {
    ALGORITHMS.map(|(name, _)| name).join(", ")
}

/// The names behind `ephemeral:`.
const ALGORITHMS: [(&str, Algorithm); 5] = [
    ("ed25519", Algorithm::Ed25519),
    ("p256", Algorithm::EcdsaP256Sha256),
    ("p384", Algorithm::EcdsaP384Sha384),
    ("p521", Algorithm::EcdsaP521Sha512),
    ("rsa", Algorithm::RsaPkcs1Sha256),
];
