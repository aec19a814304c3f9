use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use fulcio_signer::{Algorithm, Signer, Signing};
use pki_types::SubjectPublicKeyInfoDer;
use zeroize::Zeroizing;

use crate::{Error, KeyError, key_pair::KeyPair};

/// A key out of a file, held in this process.
///
/// It reads PEM: PKCS#8, plain or under a password (PBES2), PKCS#1 for RSA and SEC 1 for ECDSA,
/// both also under a password in OpenSSL's old way (RFC 1423: AES or triple DES in CBC mode), and
/// what cosign encrypts (`BEGIN ENCRYPTED SIGSTORE PRIVATE KEY`, once `COSIGN`).
/// The first private key of the file counts; other blocks, such as the curve that OpenSSL writes
/// before it, are passed over.
#[derive(Debug)]
pub struct FileSigner {
    file: PathBuf,
    key: KeyPair,
}

impl FileSigner {
    /// Reads the file, once.
    ///
    /// A password given for a key that needs none is not used.
    ///
    /// # Errors
    /// The file cannot be read, holds no private key, or one that cannot be used; the key is
    /// encrypted and the password is missing or wrong.
    pub fn open(
        file: impl Into<PathBuf>,
        password: Option<&Zeroizing<String>>,
    ) -> Result<Self, Error> {
        let file = file.into();
        let key = read(&file).and_then(|text| {
            KeyPair::from_pem(&text, password).map_err(|source| Error::Key {
                file: file.clone(),
                source,
            })
        })?;
        Ok(Self { file, key })
    }

    /// Where the key came from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl Signer for FileSigner {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.key.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.key.sign(message)
    }

    /// The key is in this process.
    fn is_verified(&self) -> bool {
        true
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    // All the room at once: a vector that grows leaves copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_LEN + 1));
    File::open(file)
        .and_then(|open| open.take(MAX_LEN as u64 + 1).read_to_end(&mut text))
        .map_err(|source| Error::Read {
            file: file.to_owned(),
            source,
        })?;
    if text.len() > MAX_LEN {
        return Err(Error::Key {
            file: file.to_owned(),
            source: KeyError::NotAKey { found: None },
        });
    }
    Ok(text)
}

/// An RSA key of 4096 bits is about 3,400 bytes; some files hold certificates as well.
const MAX_LEN: usize = 64 * 1024;
