use core::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::{Algorithm, Error, jwk::Jwk, key::Key, object::Object};

/// The keys that an issuer signs with (RFC 7517 §5), each parsed once.
///
/// A key that must not verify tokens (for encryption, symmetric, RSA below 2048 bits) is left out;
/// the others stay usable. A key that cannot be read (of an unknown kind, broken) spoils the set,
/// because it does in Fulcio, and so does a private key. Keys may share a `kid` or have none.
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a JWK set.
    ///
    /// # Errors
    ///
    /// [`Error::KeySet`] when it is not an object with an array `keys`, and when one of them cannot be
    /// read.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let Object(document): Object<Document> =
            serde_json::from_slice(json).map_err(|source| Error::KeySet(Arc::new(source)))?;
        Ok(Self(
            document.keys.into_iter().filter_map(Key::usable).collect(),
        ))
    }

    /// How many usable keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key of this `key_id`, or any key when the token names none, made `signature`.
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.0
            .iter()
            .filter(|key| key_id.is_none() || key.id() == key_id)
            .any(|key| key.verify(algorithm, message, signature))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}
