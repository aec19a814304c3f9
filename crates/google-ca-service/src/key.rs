//! Which keys are certified.

use const_oid::{
    ObjectIdentifier,
    db::{
        rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION},
        rfc8410::ID_ED_25519,
    },
};
use der::Decode as _;
use fulcio_cert_builder::Leaf;
use fulcio_issuance::Error;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// Refuses a key that is neither RSA nor ECDSA, as Fulcio does before it asks Google.
pub(crate) fn must_be_certified(leaf: &Leaf<'_>) -> Result<(), Error> {
    let key = leaf.public_key();
    let key =
        SubjectPublicKeyInfoRef::from_der(&key).map_err(|error| Error::Authority(error.into()))?;
    match key.algorithm.oid {
        RSA_ENCRYPTION | ID_EC_PUBLIC_KEY => Ok(()),
        other => Err(Error::KeyKind { kind: name(other) }),
    }
}

fn name(algorithm: ObjectIdentifier) -> String {
    match algorithm {
        ID_ED_25519 => "Ed25519".to_owned(),
        other => other.to_string(),
    }
}
