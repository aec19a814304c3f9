use std::collections::VecDeque;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::AUTHORIZATION};
use serde_json::{Value, json};

use super::{
    AzureKeyVault, KeyKind, Reply, Seen,
    key::{StoredKey, random},
    tokens::{Token, now},
};

/// All that the vault knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) connections: u32,
    pub(crate) keys: Vec<StoredKey>,
    pub(crate) replies: VecDeque<Reply>,
    pub(crate) resource: String,
    pub(crate) seen: Vec<Seen>,
    pub(crate) seen_for_tokens: Vec<Seen>,
    pub(crate) token_lifetime: u32,
    pub(crate) token_replies: VecDeque<Reply>,
    pub(crate) tokens: Vec<Token>,
}

/// A status and a body.
pub(crate) type Answer = (u16, Value);

impl Default for State {
    fn default() -> Self {
        Self {
            connections: 0,
            keys: Vec::new(),
            replies: VecDeque::new(),
            resource: AzureKeyVault::RESOURCE.to_owned(),
            seen: Vec::new(),
            seen_for_tokens: Vec::new(),
            token_lifetime: 3599,
            token_replies: VecDeque::new(),
            tokens: Vec::new(),
        }
    }
}

impl State {
    pub(crate) fn create_key(&mut self, address: &str, name: &str, kind: KeyKind) -> String {
        let version = random();
        let key = StoredKey::new(address, name, &version, kind);
        self.keys.push(key);
        version
    }

    /// The newest version, where none is named; names are the same in every case.
    pub(crate) fn key_mut(&mut self, name: &str, version: Option<&str>) -> Option<&mut StoredKey> {
        self.keys.iter_mut().rev().find(|key| {
            key.name.eq_ignore_ascii_case(name)
                && version.is_none_or(|version| key.version == version)
        })
    }

    /// Why a request is not let in.
    pub(crate) fn unauthorized(&self, headers: &HeaderMap) -> Option<&'static str> {
        let Some(sent) = headers.get(AUTHORIZATION) else {
            return Some("AKV10000: Request is missing a Bearer or PoP token.");
        };
        let sent = sent.to_str().unwrap_or_default();
        let Some(token) = sent.strip_prefix("Bearer ") else {
            return Some("AKV10000: Request is missing a Bearer or PoP token.");
        };
        let Some(token) = self.tokens.iter().find(|known| known.text == token) else {
            return Some("AKV10046: Unable to resolve the key used for signature validation.");
        };
        if token.resource != self.resource {
            return Some("AKV10022: Invalid audience.");
        }
        (token.ends <= now()).then_some("AKV10012: The token has expired.")
    }

    /// What is said about a key.
    pub(crate) fn described(&mut self, name: &str, version: Option<&str>) -> Answer {
        match self.key_mut(name, version) {
            Some(key) => (200, key.described.clone()),
            None => missing(name, version),
        }
    }

    /// What comes of a request to sign.
    pub(crate) fn signed(
        &mut self,
        name: &str,
        version: Option<&str>,
        body: &Value,
        other_key: bool,
    ) -> Answer {
        let Some(key) = self.key_mut(name, version) else {
            return missing(name, version);
        };
        if let Some(why) = forbidden(&key.described) {
            return why;
        }
        let algorithm = body["alg"].as_str().unwrap_or_default();
        let value = body["value"].as_str().unwrap_or_default();
        let Ok(digest) = URL_SAFE_NO_PAD.decode(value) else {
            let why = refusal("BadParameter", None, "Property  has invalid value\r\n");
            return (400, why);
        };
        let signature = if other_key {
            key.sign_with_another(algorithm, &digest)
        } else {
            key.sign(algorithm, &digest)
        };
        let Some(signature) = signature else {
            let why =
                "Key and signing algorithm are incompatible, or the digest has a wrong length.";
            return (400, refusal("BadParameter", None, why));
        };
        let signature = URL_SAFE_NO_PAD.encode(signature);
        (
            200,
            json!({"kid": key.described["key"]["kid"], "value": signature}),
        )
    }
}

/// The same answer, about another version.
pub(crate) fn of_another_version((status, mut body): Answer) -> Answer {
    let kid = if body["key"].is_object() {
        &mut body["key"]["kid"]
    } else {
        &mut body["kid"]
    };
    let text = kid.as_str().unwrap_or_default();
    let (key, _version) = text.rsplit_once('/').unwrap_or_default();
    *kid = json!(format!("{key}/{}", "0".repeat(32)));
    (status, body)
}

/// A refusal as the vault writes it.
pub(crate) fn refusal(code: &str, inner: Option<&str>, message: &str) -> Value {
    let mut error = json!({"code": code, "message": message});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    json!({"error": error})
}

fn missing(name: &str, version: Option<&str>) -> Answer {
    let id = match version {
        Some(version) => format!("{name}/{version}"),
        None => name.to_owned(),
    };
    let message = format!("A key with (name/id) {id} was not found in this key vault.");
    (404, refusal("KeyNotFound", None, &message))
}

fn forbidden(key: &Value) -> Option<Answer> {
    let because = |inner, message| Some((403, refusal("Forbidden", Some(inner), message)));
    let attributes = &key["attributes"];
    if attributes["enabled"] == json!(false) {
        return because(
            "KeyDisabled",
            "Operation sign is not allowed on a disabled key.",
        );
    }
    if attributes["nbf"]
        .as_u64()
        .is_some_and(|begin| now() < begin)
    {
        return because(
            "KeyNotYetValid",
            "Operation sign is not allowed on a key that is not yet valid.",
        );
    }
    if attributes["exp"].as_u64().is_some_and(|end| end <= now()) {
        return because(
            "KeyExpired",
            "Operation sign is not allowed on an expired key.",
        );
    }
    let operations = key["key"]["key_ops"].as_array();
    if !operations.is_some_and(|operations| operations.contains(&json!("sign"))) {
        return because(
            "KeyOperationForbidden",
            "Operation sign is not permitted on this key.",
        );
    }
    None
}
