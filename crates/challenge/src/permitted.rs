use core::fmt;
use std::collections::BTreeSet;

use crate::{Error, Hash, KeyKind};

/// The pairs of key and hash that may be certified here.
///
/// The names are those of Fulcio's `--client-signing-algorithms`. Only the kind of key and the hash
/// count, so an RSA-PSS name permits the same as the PKCS#1 v1.5 name of its size. The default is
/// every kind of key with the hash it signs challenges with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermittedAlgorithms(BTreeSet<(KeyKind, Hash)>);

/// A name that is not one of [`PermittedAlgorithms::NAMES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm {
    name: String,
}

/// One line for each name, in the order of Fulcio's registry.
const REGISTRY: [(&str, KeyKind, Hash); 13] = [
    ("rsa-sign-pkcs1-2048-sha256", KeyKind::Rsa2048, Hash::Sha256),
    ("rsa-sign-pkcs1-3072-sha256", KeyKind::Rsa3072, Hash::Sha256),
    ("rsa-sign-pkcs1-4096-sha256", KeyKind::Rsa4096, Hash::Sha256),
    ("rsa-sign-pss-2048-sha256", KeyKind::Rsa2048, Hash::Sha256),
    ("rsa-sign-pss-3072-sha256", KeyKind::Rsa3072, Hash::Sha256),
    ("rsa-sign-pss-4096-sha256", KeyKind::Rsa4096, Hash::Sha256),
    ("ecdsa-sha2-256-nistp256", KeyKind::EcdsaP256, Hash::Sha256),
    ("ecdsa-sha2-384-nistp384", KeyKind::EcdsaP384, Hash::Sha384),
    ("ecdsa-sha2-256-nistp384", KeyKind::EcdsaP384, Hash::Sha256),
    ("ecdsa-sha2-512-nistp521", KeyKind::EcdsaP521, Hash::Sha512),
    ("ecdsa-sha2-256-nistp521", KeyKind::EcdsaP521, Hash::Sha256),
    ("ed25519", KeyKind::Ed25519, Hash::None),
    ("ed25519-ph", KeyKind::Ed25519, Hash::Sha512),
];

impl PermittedAlgorithms {
    /// Every name there is.
    pub const NAMES: [&'static str; REGISTRY.len()] = {
        let mut names = [""; REGISTRY.len()];
        let mut line = 0;
        while line < names.len() {
            names[line] = REGISTRY[line].0;
            line += 1;
        }
        names
    };

    /// Reads a list of names; an empty list permits nothing.
    ///
    /// # Errors
    /// A name is not one of [`NAMES`](Self::NAMES).
    pub fn from_names<'a>(
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, UnknownAlgorithm> {
        names
            .into_iter()
            .map(|name| {
                REGISTRY
                    .iter()
                    .find(|(known, ..)| *known == name)
                    .map(|&(_, key, hash)| (key, hash))
                    .ok_or_else(|| UnknownAlgorithm { name: name.into() })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Nothing when a key of this kind may sign with this hash, the refusal when it may not.
    pub(crate) fn permit(&self, key: KeyKind, hash: Hash) -> Result<(), Error> {
        if self.0.contains(&(key, hash)) {
            Ok(())
        } else {
            Err(Error::AlgorithmNotPermitted { key, hash })
        }
    }
}

impl Default for PermittedAlgorithms {
    fn default() -> Self {
        Self(
            REGISTRY
                .into_iter()
                .map(|(_, key, hash)| (key, hash))
                .filter(|(key, hash)| *hash == key.challenge_hash())
                .collect(),
        )
    }
}

impl UnknownAlgorithm {
    /// The name that is unknown.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown signing algorithm {:?}; known are {}",
            self.name,
            PermittedAlgorithms::NAMES.join(", ")
        )
    }
}

impl core::error::Error for UnknownAlgorithm {}
