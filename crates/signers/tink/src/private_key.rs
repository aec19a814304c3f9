//! The messages that are private keys, by type.

use bytes::Bytes;
use fulcio_signer::Algorithm;
use fulcio_signer_file::KeyPair;
use prost::{Enumeration, Message};
use zeroize::Zeroizing;

use crate::{KeysetError, keyset::Key};

/// Makes a signer of the primary key.
pub(crate) fn key_pair(key: Key) -> Result<KeyPair, KeysetError> {
    let key_id = key.id;
    let data = key
        .data
        .ok_or(malformed(key_id, "there is no key material"))?;
    match data.type_url.strip_prefix(PACKAGE) {
        Some("EcdsaPrivateKey") => read::<EcdsaPrivateKey>(data.value, key_id)?.key_pair(key_id),
        Some("Ed25519PrivateKey") => {
            read::<Ed25519PrivateKey>(data.value, key_id)?.key_pair(key_id)
        }
        kind => {
            let kind = kind.unwrap_or(&data.type_url);
            let kind = kind.chars().filter(char::is_ascii_graphic);
            Err(KeysetError::Unsupported {
                key_id,
                kind: kind.take(MAX_NAME).collect(),
            })
        }
    }
}

/// SEC 1 in parts, as numbers of any length.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct EcdsaPrivateKey {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(message, optional, tag = "2")]
    public_key: Option<EcdsaPublicKey>,
    #[prost(bytes = "bytes", tag = "3")]
    key_value: Bytes,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct EcdsaPublicKey {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(message, optional, tag = "2")]
    params: Option<EcdsaParams>,
    #[prost(bytes = "bytes", tag = "3")]
    x: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    y: Bytes,
}

/// How Tink would sign; its encoding of signatures (field 3) is not for certificates.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct EcdsaParams {
    #[prost(enumeration = "HashType", tag = "1")]
    hash_type: i32,
    #[prost(enumeration = "Curve", tag = "2")]
    curve: i32,
}

/// RFC 8032.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Ed25519PrivateKey {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "bytes", tag = "2")]
    key_value: Bytes,
    #[prost(message, optional, tag = "3")]
    public_key: Option<Ed25519PublicKey>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Ed25519PublicKey {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "bytes", tag = "2")]
    key_value: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
enum Curve {
    Unknown = 0,
    P256 = 2,
    P384 = 3,
    P521 = 4,
    X25519 = 5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
enum HashType {
    Unknown = 0,
    Sha1 = 1,
    Sha384 = 2,
    Sha256 = 3,
    Sha512 = 4,
    Sha224 = 5,
}

impl EcdsaPrivateKey {
    fn key_pair(self, key_id: u32) -> Result<KeyPair, KeysetError> {
        let public = self
            .public_key
            .ok_or(malformed(key_id, "its public half is missing"))?;
        let params = public.params.clone().unwrap_or_default();
        known(self.version, key_id)?;
        known(public.version, key_id)?;
        let (algorithm, field) = match (params.curve(), params.hash_type()) {
            (Curve::P256, HashType::Sha256) => (Algorithm::EcdsaP256Sha256, 32),
            (Curve::P384, HashType::Sha384 | HashType::Sha512) => (Algorithm::EcdsaP384Sha384, 48),
            (Curve::P521, HashType::Sha512) => (Algorithm::EcdsaP521Sha512, 66),
            (curve, hash) => {
                return Err(KeysetError::Unsupported {
                    key_id,
                    kind: format!("EcdsaPrivateKey, {curve:?} with {hash:?}"),
                });
            }
        };
        let mut point = vec![0; 1 + 2 * field];
        point[0] = UNCOMPRESSED;
        let (x, y) = point[1..].split_at_mut(field);
        let mut private = Zeroizing::new(vec![0; field]);
        for (number, place) in [
            (&public.x, x),
            (&public.y, y),
            (&self.key_value, &mut private),
        ] {
            right_align(number, place).ok_or(malformed(
                key_id,
                "a number in it is longer than the field of its curve",
            ))?;
        }
        pair(algorithm, &private, &point, key_id)
    }
}

impl Ed25519PrivateKey {
    fn key_pair(self, key_id: u32) -> Result<KeyPair, KeysetError> {
        let public = self
            .public_key
            .ok_or(malformed(key_id, "its public half is missing"))?;
        known(self.version, key_id)?;
        known(public.version, key_id)?;
        pair(
            Algorithm::Ed25519,
            &self.key_value,
            &public.key_value,
            key_id,
        )
    }
}

fn read<M: Message + Default>(value: Bytes, key_id: u32) -> Result<M, KeysetError> {
    M::decode(value).map_err(|_protobuf| malformed(key_id, "it is not a message of its type"))
}

/// Tink has made no other version yet.
fn known(version: u32, key_id: u32) -> Result<(), KeysetError> {
    match version {
        0 => Ok(()),
        _ => Err(malformed(key_id, "it has a version that is not known")),
    }
}

fn pair(
    algorithm: Algorithm,
    private: &[u8],
    public: &[u8],
    key_id: u32,
) -> Result<KeyPair, KeysetError> {
    KeyPair::from_halves(algorithm, private, public)
        .map_err(|source| KeysetError::Key { key_id, source })
}

/// Writes a big-endian number, which may have zeros before it, or lack them.
fn right_align(number: &[u8], place: &mut [u8]) -> Option<()> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros..];
    let start = place.len().checked_sub(number.len())?;
    place[start..].copy_from_slice(number);
    Some(())
}

fn malformed(key_id: u32, reason: &'static str) -> KeysetError {
    KeysetError::KeyMalformed { key_id, reason }
}

const PACKAGE: &str = "type.googleapis.com/google.crypto.tink.";
/// What is repeated of a type's name.
const MAX_NAME: usize = 80;
/// SEC 1 section 2.3.3.
const UNCOMPRESSED: u8 = 4;
