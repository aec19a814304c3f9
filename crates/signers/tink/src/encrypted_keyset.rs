//! The outer layer: what the key service has encrypted.

use base64::{
    Engine as _,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost::Message;
use serde::{Deserialize, de::IgnoredAny};

use crate::KeysetError;

/// Reads what is encrypted out of an `EncryptedKeyset` in JSON or in binary protobuf.
///
/// No message of the second kind begins like one of the first, so there is no guessing.
pub(crate) fn ciphertext(file: &[u8]) -> Result<Vec<u8>, KeysetError> {
    let ciphertext = if file.trim_ascii_start().first() == Some(&b'{') {
        from_json(file)?
    } else {
        from_protobuf(file)?
    };
    if ciphertext.is_empty() {
        return Err(EMPTY);
    }
    Ok(ciphertext)
}

fn from_json(file: &[u8]) -> Result<Vec<u8>, KeysetError> {
    let keyset: JsonKeyset = serde_json::from_slice(file).map_err(|_json| NOT_JSON)?;
    if keyset.key.is_some() || keyset.primary_key_id.is_some() {
        return Err(KeysetError::Cleartext);
    }
    let text = keyset.encrypted_keyset.ok_or(EMPTY)?;
    let alphabet = if text.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    base64(alphabet)
        .decode(text)
        .map_err(|_base64| KeysetError::NotAKeyset {
            reason: "its encryptedKeyset is not base64",
        })
}

/// Of both messages, `EncryptedKeyset` and `Keyset`, by protobuf's rules for JSON: both spellings
/// of a name.
#[derive(Deserialize)]
struct JsonKeyset {
    #[serde(rename = "encryptedKeyset", alias = "encrypted_keyset")]
    encrypted_keyset: Option<String>,
    key: Option<IgnoredAny>,
    #[serde(rename = "primaryKeyId", alias = "primary_key_id")]
    primary_key_id: Option<IgnoredAny>,
}

/// Protobuf's rules: either alphabet, with padding or without.
fn base64(alphabet: &Alphabet) -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

fn from_protobuf(file: &[u8]) -> Result<Vec<u8>, KeysetError> {
    // An `EncryptedKeyset` has no field 1.
    if Start::decode(file).is_ok_and(|start| start.primary_key_id.is_some()) {
        return Err(KeysetError::Cleartext);
    }
    EncryptedKeyset::decode(file)
        .map(|keyset| keyset.encrypted_keyset)
        .map_err(|_protobuf| KeysetError::NotAKeyset {
            reason: "it is neither",
        })
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct EncryptedKeyset {
    #[prost(bytes = "vec", tag = "2")]
    encrypted_keyset: Vec<u8>,
}

/// How a `Keyset` begins.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Start {
    #[prost(uint32, optional, tag = "1")]
    primary_key_id: Option<u32>,
}

const EMPTY: KeysetError = KeysetError::NotAKeyset {
    reason: "nothing in it is encrypted",
};
const NOT_JSON: KeysetError = KeysetError::NotAKeyset {
    reason: "its JSON is broken, or has other types than such a keyset",
};
