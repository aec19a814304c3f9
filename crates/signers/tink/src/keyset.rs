//! The inner layer: what the key service has decrypted.

use bytes::Bytes;
use prost::{Enumeration, Message};
use zeroize::Zeroizing;

use crate::KeysetError;

/// Keys, and which of them is in use.
///
/// Every part of it is a view into the one buffer that was decrypted, which is wiped with the last
/// of them.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Keyset {
    #[prost(uint32, tag = "1")]
    primary_key_id: u32,
    #[prost(message, repeated, tag = "2")]
    keys: Vec<Key>,
}

/// One key, and whether it may be used. The prefix that Tink would write before its signatures
/// (field 4) is not for certificates.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct Key {
    #[prost(message, optional, tag = "1")]
    pub(crate) data: Option<KeyData>,
    #[prost(enumeration = "Status", tag = "2")]
    status: i32,
    #[prost(uint32, tag = "3")]
    pub(crate) id: u32,
}

/// A message of a type that is said.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct KeyData {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) value: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
enum Status {
    Unknown = 0,
    Enabled = 1,
    Disabled = 2,
    Destroyed = 3,
}

impl Keyset {
    pub(crate) fn read(decrypted: Zeroizing<Vec<u8>>) -> Result<Self, KeysetError> {
        let keyset = Self::decode(Bytes::from_owner(decrypted)).map_err(|_protobuf| {
            KeysetError::Content {
                reason: "it is not such a message",
            }
        })?;
        if keyset.keys.is_empty() {
            return Err(KeysetError::Content {
                reason: "it has no keys",
            });
        }
        Ok(keyset)
    }

    /// The key that is in use.
    pub(crate) fn into_primary(self) -> Result<Key, KeysetError> {
        let key_id = self.primary_key_id;
        let mut other = None;
        let mut primary = None;
        for key in self.keys.into_iter().filter(|key| key.id == key_id) {
            match key.status() {
                Status::Enabled if primary.is_some() => {
                    return Err(KeysetError::PrimaryRepeated { key_id });
                }
                Status::Enabled => primary = Some(key),
                Status::Disabled => other = Some("disabled"),
                Status::Destroyed => other = Some("destroyed"),
                Status::Unknown => other = Some("in no state that is known"),
            }
        }
        match (primary, other) {
            (Some(key), _) => Ok(key),
            (None, Some(status)) => Err(KeysetError::PrimaryDisabled { key_id, status }),
            (None, None) => Err(KeysetError::PrimaryMissing { key_id }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    /// What is wiped is the buffer; a copy would be left behind.
    #[test]
    fn key_material_is_not_copied_out_of_the_buffer() {
        let value = Bytes::from_static(b"key material");
        let written = Keyset {
            primary_key_id: 7,
            keys: vec![Key {
                data: Some(KeyData {
                    type_url: String::new(),
                    value: value.clone(),
                }),
                status: Status::Enabled.into(),
                id: 7,
            }],
        };
        let buffer = Zeroizing::new(written.encode_to_vec());
        let place = buffer.as_ptr_range();
        let key = Keyset::read(buffer).unwrap().into_primary().unwrap();
        let read = key.data.unwrap().value;
        assert_eq!(read, value);
        assert!(place.contains(&read.as_ptr()));
    }
}
