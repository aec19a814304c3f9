//! Keys under a password in OpenSSL's way of before PKCS#8: headers inside the PEM block (RFC 1421
//! section 4.6, RFC 1423).

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{
        BlockCipherDecrypt, BlockModeDecrypt as _, KeyInit, KeyIvInit as _, block_padding::Pkcs7,
    },
};
use der::{AnyRef, Decode as _, Tag, Tagged as _};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::KeyError;

/// How the block is encrypted, as its `DEK-Info` says.
pub(crate) struct Encryption {
    cipher: Cipher,
    iv: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    DesEde3,
}

impl Encryption {
    /// Takes the headers out of a block, and reads in them whether and how it is encrypted.
    pub(crate) fn split(block: &[u8]) -> Result<(Option<Self>, Zeroizing<Vec<u8>>), KeyError> {
        let mut lines = block.split_inclusive(|byte| *byte == b'\n');
        let begin = lines.next().unwrap_or_default();
        let mut rest = Zeroizing::new(Vec::with_capacity(block.len()));
        rest.extend_from_slice(begin);
        let mut encrypted = false;
        let mut encryption = None;
        for line in lines.by_ref() {
            let text = line.trim_ascii();
            let Some(colon) = text.iter().position(|byte| *byte == b':') else {
                // The empty line after the headers is not part of what follows.
                if !(text.is_empty() && encrypted) {
                    rest.extend_from_slice(line);
                }
                break;
            };
            let value = text[colon + 1..].trim_ascii();
            match &text[..colon] {
                b"Proc-Type" => encrypted = value.ends_with(b"ENCRYPTED"),
                b"DEK-Info" => encryption = Some(Self::read(value)?),
                _ => {}
            }
        }
        for line in lines {
            rest.extend_from_slice(line);
        }
        match (encrypted, encryption) {
            (true, None) => Err(NO_DEK_INFO),
            (true, encryption) => Ok((encryption, rest)),
            (false, _) => Ok((None, rest)),
        }
    }

    /// `AES-256-CBC,` and the initialization vector in hexadecimal.
    fn read(value: &[u8]) -> Result<Self, KeyError> {
        let value = str::from_utf8(value).map_err(|_not_utf8| BAD_DEK_INFO)?;
        let (name, iv) = value.split_once(',').ok_or(BAD_DEK_INFO)?;
        let cipher = match name.trim() {
            "AES-128-CBC" => Cipher::Aes128,
            "AES-192-CBC" => Cipher::Aes192,
            "AES-256-CBC" => Cipher::Aes256,
            "DES-EDE3-CBC" => Cipher::DesEde3,
            other => {
                let scheme = other.chars().filter(|c| c.is_ascii_graphic());
                return Err(KeyError::EncryptionUnsupported {
                    scheme: scheme.take(MAX_NAME).collect(),
                });
            }
        };
        let iv = hexadecimal(iv.trim()).ok_or(BAD_DEK_INFO)?;
        let wanted = match cipher {
            Cipher::Aes128 | Cipher::Aes192 | Cipher::Aes256 => 16,
            Cipher::DesEde3 => 8,
        };
        if iv.len() == wanted {
            Ok(Self { cipher, iv })
        } else {
            Err(BAD_DEK_INFO)
        }
    }

    pub(crate) fn decrypt(
        &self,
        data: &[u8],
        password: &Zeroizing<String>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let plain = match self.cipher {
            Cipher::Aes128 => self.cbc::<Aes128>(data, password),
            Cipher::Aes192 => self.cbc::<Aes192>(data, password),
            Cipher::Aes256 => self.cbc::<Aes256>(data, password),
            Cipher::DesEde3 => self.cbc::<TdesEde3>(data, password),
        }?;
        // One wrong password in 256 ends in something that looks padded.
        match AnyRef::from_der(&plain) {
            Ok(any) if any.tag() == Tag::Sequence => Ok(plain),
            _ => Err(KeyError::WrongPassword),
        }
    }

    fn cbc<C: BlockCipherDecrypt + KeyInit>(
        &self,
        data: &[u8],
        password: &Zeroizing<String>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let key = self.key(password, C::key_size());
        let cipher =
            Decryptor::<C>::new_from_slices(&key, &self.iv).map_err(|_length| BAD_DEK_INFO)?;
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = cipher
            .decrypt_padded::<Pkcs7>(&mut buffer)
            .map_err(|_padding| KeyError::WrongPassword)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// MD5 over and over, of the password and the first 8 bytes of the vector; far from what a
    /// password deserves.
    fn key(&self, password: &Zeroizing<String>, length: usize) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
        while key.len() < length {
            let last = key.len().saturating_sub(16);
            let digest = Md5::new()
                .chain_update(&key[last..])
                .chain_update(password.as_bytes())
                .chain_update(&self.iv[..8])
                .finalize();
            key.extend_from_slice(&digest);
        }
        key.truncate(length);
        key
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

const BAD_DEK_INFO: KeyError = KeyError::Malformed {
    reason: "its DEK-Info line is not a cipher and its initialization vector",
};
const NO_DEK_INFO: KeyError = KeyError::Malformed {
    reason: "its DEK-Info line, which says how it is encrypted, is missing",
};
/// What is repeated of a cipher's name.
const MAX_NAME: usize = 40;
