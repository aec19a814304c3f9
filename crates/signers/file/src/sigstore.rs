//! Keys under a password in the way of cosign and other tools of sigstore: JSON that says how a
//! key comes from the password (scrypt), and holds PKCS#8 in a box of NaCl
//! (XSalsa20 and Poly1305).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use poly1305::{Poly1305, universal_hash::KeyInit as _};
use salsa20::{
    XSalsa20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use scrypt::{Params, scrypt};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::KeyError;

/// Opens the JSON that is in the PEM block.
pub(crate) fn decrypt(
    json: &[u8],
    password: &Zeroizing<String>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let sealed: Sealed = serde_json::from_slice(json).map_err(|_json| NOT_SEALED)?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(NOT_SEALED);
    }
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_base64| NOT_SEALED);
    let nonce = bytes(&sealed.cipher.nonce)?;
    let sealed_key = bytes(&sealed.ciphertext)?;
    let key = sealed.kdf.key(password, &bytes(&sealed.kdf.salt)?)?;
    open(&key, &nonce, &sealed_key)
}

#[derive(Deserialize)]
struct Sealed {
    cipher: Cipher,
    ciphertext: String,
    kdf: Kdf,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u32,
    p: u32,
    r: u32,
}

impl Kdf {
    fn key(
        &self,
        password: &Zeroizing<String>,
        salt: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let Cost { n, p, r } = self.params;
        // Those three are what the tools write. More would only keep the machine busy.
        let log_n = COSTS.iter().find(|log_n| n == 1 << **log_n);
        let (Some(log_n), 8, 1) = (log_n, r, p) else {
            return Err(COST);
        };
        let cost = Params::new(*log_n, r, p).map_err(|_params| COST)?;
        let mut key = Zeroizing::new([0; 32]);
        scrypt(password.as_bytes(), salt, &cost, &mut *key).map_err(|_length| COST)?;
        Ok(key)
    }
}

/// NaCl's `crypto_secretbox_open`: the tag stands before what it is of.
fn open(key: &[u8; 32], nonce: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (tag, data) = sealed.split_first_chunk::<16>().ok_or(NOT_SEALED)?;
    let mut stream = XSalsa20::new_from_slices(key, nonce).map_err(|_length| NOT_SEALED)?;
    // The stream begins with the key of the tag.
    let mut tag_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(&mut *tag_key);
    let expected = Poly1305::new_from_slice(&*tag_key)
        .map_err(|_length| NOT_SEALED)?
        .compute_unpadded(data);
    verify_slices_are_equal(tag, &expected).map_err(|_differs| KeyError::WrongPassword)?;
    let mut plain = Zeroizing::new(data.to_vec());
    stream.apply_keystream(&mut plain);
    Ok(plain)
}

const COST: KeyError = KeyError::Malformed {
    reason: "its scrypt parameters are none that sigstore's tools write",
};
const NOT_SEALED: KeyError = KeyError::Malformed {
    reason: "it is not a key that sigstore's tools encrypted",
};
/// The binary logarithms of `N`.
const COSTS: [u8; 3] = [15, 16, 17];
