use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use fulcio_signer::{Algorithm, KeyUnwrap, Signer, Signing};
use fulcio_signer_file::KeyPair;
use pki_types::SubjectPublicKeyInfoDer;
use zeroize::Zeroizing;

use crate::{
    Error, KeysetError, encrypted_keyset::ciphertext, keyset::Keyset, private_key::key_pair,
};

/// The primary key of a Tink keyset, held in this process.
#[derive(Debug)]
pub struct TinkSigner {
    key_id: u32,
    pair: KeyPair,
}

impl TinkSigner {
    /// Reads the file, and has its content decrypted, once.
    ///
    /// How long that may take is for `key_service` to say.
    ///
    /// # Errors
    /// The file cannot be read; or as [`from_keyset`](Self::from_keyset).
    pub async fn open(
        file: impl Into<PathBuf>,
        key_service: &dyn KeyUnwrap,
    ) -> Result<Self, Error> {
        let file = file.into();
        let keyset = read(&file)?;
        Self::from_keyset(&keyset, key_service)
            .await
            .map_err(|source| Error::Keyset { file, source })
    }

    /// Does the same with what was in a file.
    ///
    /// # Errors
    /// It is not an encrypted keyset; the key service did not decrypt it; its primary key cannot
    /// be used.
    pub async fn from_keyset(
        keyset: &[u8],
        key_service: &dyn KeyUnwrap,
    ) -> Result<Self, KeysetError> {
        let wrapped = ciphertext(keyset)?;
        let decrypted = key_service
            .unwrap_key(&wrapped)
            .await
            .map_err(KeysetError::Unwrap)?;
        let key = Keyset::read(decrypted)?.into_primary()?;
        Ok(Self {
            key_id: key.id,
            pair: key_pair(key)?,
        })
    }

    /// The number of the key in its keyset.
    #[must_use]
    pub fn key_id(&self) -> u32 {
        self.key_id
    }
}

impl Signer for TinkSigner {
    fn algorithm(&self) -> Algorithm {
        self.pair.algorithm()
    }

    fn public_key(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.pair.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        self.pair.sign(message)
    }

    /// The key is in this process.
    fn is_verified(&self) -> bool {
        true
    }
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    // It may be in the clear by mistake; a vector that grows would leave copies behind.
    let mut keyset = Zeroizing::new(Vec::with_capacity(MAX_LEN + 1));
    File::open(file)
        .and_then(|open| open.take(MAX_LEN as u64 + 1).read_to_end(&mut keyset))
        .map_err(|source| Error::Read {
            file: file.to_owned(),
            source,
        })?;
    if keyset.len() > MAX_LEN {
        return Err(Error::Keyset {
            file: file.to_owned(),
            source: TOO_LONG,
        });
    }
    Ok(keyset)
}

/// No key service decrypts more than 64 KiB at once, and base64 makes a third more of it.
const MAX_LEN: usize = 256 * 1024;
const TOO_LONG: KeysetError = KeysetError::NotAKeyset {
    reason: "it is longer than any that a key service decrypts",
};
