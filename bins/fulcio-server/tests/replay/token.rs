use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rsa::{PublicEncryptingKey, PublicKeyComponents},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fulcio_testkit::idp::FakeKey;
use pem_rfc7468::LineEnding;
use serde_json::Value;

use crate::common::{IdpServer, unix_now};

/// The claims of a draft that nobody has changed yet.
const DRAFTED: [&str; 7] = ["iss", "sub", "aud", "exp", "iat", "email", "email_verified"];

/// Mints the token that a sample describes.
pub(crate) fn mint(described: &Value, idp: &IdpServer) -> String {
    let key = idp.key(described["key"].as_str().unwrap());
    let mut draft = idp.draft("nobody@example.com").signed_by(key);
    for name in DRAFTED {
        draft = draft.without_claim(name);
    }
    for name in ["alg", "kid"] {
        draft = draft.without_parameter(name);
    }
    for (name, value) in described["header"].as_object().unwrap() {
        draft = draft.parameter(name, value.clone());
    }
    for (name, value) in described["claims"].as_object().unwrap() {
        let value = match value["$now"].as_i64() {
            Some(after) => unix_now().checked_add_signed(after).unwrap().into(),
            None => value.clone(),
        };
        draft = draft.claim(name, value);
    }
    match described["defect"].as_str() {
        Some("hmac-with-public-key") => draft.mint_with_secret(public_key_pem(key).as_bytes()),
        Some("signature") => with_a_changed_signature(&draft.mint()),
        _ => draft.mint(),
    }
}

fn with_a_changed_signature(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature[5] ^= 1;
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// The public half of an RSA key.
fn public_key_pem(key: &FakeKey) -> String {
    let jwk = key.jwk();
    let number = |name: &str| {
        let text = jwk[name].as_str().unwrap();
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    let components = PublicKeyComponents {
        n: number("n"),
        e: number("e"),
    };
    let key: PublicEncryptingKey = components.try_into().unwrap();
    let der: PublicKeyX509Der<'_> = key.as_der().unwrap();
    pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, der.as_ref()).unwrap()
}
