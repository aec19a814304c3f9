//! Keysets made by hand, and who pretends to decrypt them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_signer::{Error, ErrorKind, KeyUnwrap, Unwrapping};
use fulcio_signer_tink::{KeysetError, TinkSigner};
use zeroize::Zeroizing;

/// Takes everything for its own plaintext.
#[derive(Debug)]
pub(crate) struct Plain;

impl KeyUnwrap for Plain {
    fn unwrap_key<'a>(&'a self, wrapped: &'a [u8]) -> Unwrapping<'a> {
        Box::pin(async { Ok(Zeroizing::new(wrapped.to_vec())) })
    }
}

/// Decrypts nothing.
#[derive(Debug)]
pub(crate) struct Refusing(pub(crate) ErrorKind);

impl KeyUnwrap for Refusing {
    fn unwrap_key<'a>(&'a self, _wrapped: &'a [u8]) -> Unwrapping<'a> {
        Box::pin(async { Err(Error::new(self.0, "so it was told")) })
    }
}

/// A field of a protobuf message that is bytes, text or a message.
pub(crate) fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    varint(value.len() as u64, &mut out);
    out.extend_from_slice(value);
    out
}

/// A field that is a number.
pub(crate) fn number(field: u8, value: u32) -> Vec<u8> {
    let mut out = vec![field << 3];
    varint(value.into(), &mut out);
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A key of a keyset.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: u32,
    pub(crate) kind: &'static str,
    pub(crate) status: u32,
    pub(crate) value: Vec<u8>,
}

impl Key {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let url = format!("type.googleapis.com/google.crypto.tink.{}", self.kind);
        let data = [
            bytes(1, url.as_bytes()),
            bytes(2, &self.value),
            number(3, 2),
        ];
        [
            bytes(1, &data.concat()),
            number(2, self.status),
            number(3, self.id),
            number(4, 1),
        ]
        .concat()
    }
}

pub(crate) fn keyset(primary: u32, keys: &[Key]) -> Vec<u8> {
    let keys = keys.iter().map(|key| bytes(2, &key.encode()));
    [number(1, primary), keys.collect::<Vec<_>>().concat()].concat()
}

/// The parts of an ECDSA key.
#[derive(Clone)]
pub(crate) struct Ecdsa {
    pub(crate) curve: u32,
    pub(crate) hash: u32,
    pub(crate) private: Vec<u8>,
    pub(crate) x: Vec<u8>,
    pub(crate) y: Vec<u8>,
}

impl Ecdsa {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let params = [number(1, self.hash), number(2, self.curve), number(3, 2)];
        let public = [
            bytes(2, &params.concat()),
            bytes(3, &self.x),
            bytes(4, &self.y),
        ];
        [bytes(2, &public.concat()), bytes(3, &self.private)].concat()
    }

    pub(crate) fn key(&self) -> Key {
        Key {
            id: ID,
            kind: "EcdsaPrivateKey",
            status: ENABLED,
            value: self.encode(),
        }
    }
}

/// RFC 6979 appendix A.2.5.
pub(crate) fn p256() -> Ecdsa {
    Ecdsa {
        curve: 2,
        hash: 3,
        private: hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"),
        x: hex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"),
        y: hex("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"),
    }
}

/// RFC 8032 section 7.1, test 1.
pub(crate) fn ed25519() -> Key {
    ed25519_of(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    )
}

pub(crate) fn ed25519_of(private: &str, public: &str) -> Key {
    let public = bytes(2, &hex(public));
    Key {
        id: ID,
        kind: "Ed25519PrivateKey",
        status: ENABLED,
        value: [bytes(2, &hex(private)), bytes(3, &public)].concat(),
    }
}

pub(crate) fn binary(decrypted: &[u8]) -> Vec<u8> {
    bytes(2, decrypted)
}

pub(crate) fn json(decrypted: &[u8]) -> Vec<u8> {
    format!(r#"{{"encryptedKeyset":"{}"}}"#, STANDARD.encode(decrypted)).into_bytes()
}

/// A keyset of one key, opened.
pub(crate) async fn only(key: Key) -> Result<TinkSigner, KeysetError> {
    opened(&keyset(ID, &[key])).await
}

pub(crate) async fn opened(decrypted: &[u8]) -> Result<TinkSigner, KeysetError> {
    TinkSigner::from_keyset(&binary(decrypted), &Plain).await
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) const ENABLED: u32 = 1;
pub(crate) const ID: u32 = 4_000_000_000;
