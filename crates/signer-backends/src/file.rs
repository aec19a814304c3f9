//! `file:` and `ephemeral:`.

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_file::{EphemeralSigner, FileSigner};
use percent_encoding::percent_decode_str;

use crate::{Error, OpenOptions};

pub(crate) fn file(rest: &str, options: &OpenOptions) -> Result<Box<dyn Signer>, Error> {
    let path = match rest.strip_prefix("//") {
        // RFC 8089 section 2: with an authority, which must be this machine.
        Some(local) => match local.find('/').map(|slash| local.split_at(slash)) {
            Some(("" | "localhost", path)) => path,
            _ => return Err(Error::FileUri),
        },
        None => rest,
    };
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_not_utf8| Error::FileUri)?;
    if path.is_empty() {
        return Err(Error::FileUri);
    }
    FileSigner::open(path.as_ref(), options.password())
        .map(|signer| Box::new(signer) as Box<dyn Signer>)
        .map_err(Error::File)
}

pub(crate) fn ephemeral(rest: &str) -> Result<Box<dyn Signer>, Error> {
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
    EphemeralSigner::generate(algorithm)
        .map(|signer| Box::new(signer) as Box<dyn Signer>)
        .map_err(Error::Key)
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
