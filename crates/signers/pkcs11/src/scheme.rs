use cryptoki::{
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::ObjectHandle,
    session::Session,
};
use fulcio_remote_key::{Hash, ecdsa_sig_value};
use fulcio_signer::Algorithm;

use crate::Error;

/// Signs `message` as X.509 wants it: we hash, the token signs, and we encode.
///
/// Every token has the mechanisms that take a digest, and with them no more than the digest has
/// to travel to it.
pub(crate) fn sign(
    session: &Session,
    key: ObjectHandle,
    algorithm: Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let Some(hash) = Hash::of(algorithm).map_err(Error::PublicKey)? else {
        let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        return Ok(session.sign(&pure, key, message)?);
    };
    let digest = hash.digest(message);
    if algorithm == Algorithm::RsaPkcs1Sha256 {
        let info = [SHA256_DIGEST_INFO, digest.as_ref()].concat();
        return Ok(session.sign(&Mechanism::RsaPkcs, key, &info)?);
    }
    let fixed = session.sign(&Mechanism::Ecdsa, key, digest.as_ref())?;
    ecdsa_sig_value(&fixed).map_err(Error::Signature)
}

/// What stands before a SHA-256 digest in RSASSA-PKCS1-v1_5 (RFC 8017 section 9.2).
const SHA256_DIGEST_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
