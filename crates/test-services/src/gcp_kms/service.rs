//! What each request is answered with.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};

use super::{
    Seen,
    key::{Pair, Signed},
    token,
};

/// The keys, and the rules.
#[derive(Debug)]
pub(super) struct Service {
    keys: BTreeMap<String, CryptoKey>,
    pub(super) page_size: usize,
}

#[derive(Debug)]
struct CryptoKey {
    purpose: &'static str,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    algorithm: String,
    name: String,
    pair: Pair,
    /// Made beforehand, because a client would not wait as long as an RSA key takes.
    another: Pair,
    state: &'static str,
}

/// A status as gRPC and HTTP have it, and what is said with it.
struct Refusal(u16, &'static str, String);

impl Default for Service {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            page_size: 100,
        }
    }
}

impl Service {
    pub(super) fn add_key(&mut self, id: &str, purpose: &'static str) -> String {
        let name = format!("{RING}/cryptoKeys/{id}");
        let key = CryptoKey {
            purpose,
            versions: Vec::new(),
        };
        self.keys.insert(name.clone(), key);
        name
    }

    pub(super) fn add_version(&mut self, key: &str, algorithm: &str) -> String {
        let versions = &mut self.keys.get_mut(key).unwrap().versions;
        let name = format!("{key}/cryptoKeyVersions/{}", versions.len() + 1);
        versions.push(Version {
            algorithm: algorithm.to_owned(),
            name: name.clone(),
            pair: Pair::generate(algorithm),
            another: Pair::generate(algorithm),
            state: "ENABLED",
        });
        name
    }

    pub(super) fn set_state(&mut self, version: &str, state: &'static str) {
        let versions = self.keys.values_mut().flat_map(|key| &mut key.versions);
        let mut named = versions.filter(|found| found.name == version);
        named.next().unwrap().state = state;
    }

    pub(super) fn wrap(&self, key: &str, plaintext: &[u8]) -> Vec<u8> {
        self.keys[key].primary().pair.encrypt(plaintext, b"")
    }

    /// The status and the body.
    pub(super) fn answer(&self, seen: &Seen, other_key: bool) -> (u16, Value) {
        match seen.path.as_str() {
            "/token" => return (200, token()),
            "/computeMetadata/v1/instance/service-accounts/default/token" => {
                return (200, token());
            }
            "/computeMetadata/v1/universe/universe-domain" => return (404, json!({})),
            _ => {}
        }
        match self.result(seen, other_key) {
            Ok(body) => (200, body),
            Err(Refusal(status, code, message)) => (status, error_body(status, code, &message)),
        }
    }

    fn result(&self, seen: &Seen, other_key: bool) -> Result<Value, Refusal> {
        let unknown = || Refusal(404, "NOT_FOUND", format!("no method {}", seen.path));
        let path = seen.path.strip_prefix("/v1/").ok_or_else(unknown)?;
        let (name, verb) = path.rsplit_once(':').unwrap_or((path, ""));
        match (&seen.method, verb) {
            (&Method::POST, "asymmetricSign") => {
                self.version(name)?.signed(name, &seen.body, other_key)
            }
            (&Method::POST, "encrypt") => self.key(name)?.encrypted(name, &seen.body),
            (&Method::POST, "decrypt") => self.key(name)?.decrypted(&seen.body),
            (&Method::GET, "") => {
                if let Some(version) = name.strip_suffix("/publicKey") {
                    self.version(version)?.public_key()
                } else if let Some(key) = name.strip_suffix("/cryptoKeyVersions") {
                    self.key(key)?.list(&seen.query, self.page_size)
                } else if name.contains("/cryptoKeyVersions/") {
                    Ok(self.version(name)?.described())
                } else {
                    Ok(self.key(name)?.described(name))
                }
            }
            _ => Err(unknown()),
        }
    }

    fn key(&self, name: &str) -> Result<&CryptoKey, Refusal> {
        self.keys
            .get(name)
            .ok_or_else(|| Refusal(404, "NOT_FOUND", format!("CryptoKey {name} not found.")))
    }

    fn version(&self, name: &str) -> Result<&Version, Refusal> {
        let key = name.split("/cryptoKeyVersions/").next().unwrap_or(name);
        let mut versions = self.key(key)?.versions.iter();
        versions
            .find(|version| version.name == name)
            .ok_or_else(|| {
                let said = format!("CryptoKeyVersion {name} not found.");
                Refusal(404, "NOT_FOUND", said)
            })
    }
}

impl CryptoKey {
    fn primary(&self) -> &Version {
        self.versions.last().unwrap()
    }

    fn described(&self, name: &str) -> Value {
        let algorithm = &self.primary().algorithm;
        json!({
            "name": name, "purpose": self.purpose, "createTime": CREATED,
            "versionTemplate": {"protectionLevel": "SOFTWARE", "algorithm": algorithm},
        })
    }

    /// In the order of the names as text, and no more than asked for at once.
    fn list(&self, query: &str, page_size: usize) -> Result<Value, Refusal> {
        let arguments: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let argument = |name: &str| arguments.get(name).map_or("", String::as_str);
        let filter: String = argument("filter").split_whitespace().collect();
        let state = match filter.split_once('=') {
            None if filter.is_empty() => None,
            Some(("state", state)) => Some(state),
            _ => return Err(invalid(format!("the filter {filter} is not understood"))),
        };
        let mut found: Vec<_> = self
            .versions
            .iter()
            .filter(|version| state.is_none_or(|state| version.state == state))
            .collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let from = match argument("pageToken") {
            "" => 0,
            token => token
                .parse()
                .map_err(|_no_number| invalid("an unknown page token"))?,
        };
        let asked = argument("pageSize").parse().unwrap_or(0);
        let size = if asked == 0 {
            page_size
        } else {
            page_size.min(asked)
        };
        let page: Vec<_> = found.iter().skip(from).take(size).collect();
        let next = from + page.len();
        let mut answer = json!({
            "cryptoKeyVersions": page.iter().map(|version| version.described()).collect::<Vec<_>>(),
            "totalSize": found.len(),
        });
        if next < found.len() {
            answer["nextPageToken"] = json!(next.to_string());
        }
        Ok(answer)
    }

    fn encrypted(&self, name: &str, body: &Value) -> Result<Value, Refusal> {
        let primary = self.primary().usable("ENCRYPT_DECRYPT", self.purpose)?;
        let (plaintext, verified) = checked(body, "plaintext")?;
        let (associated, _verified) = checked(body, "additionalAuthenticatedData")?;
        let ciphertext = primary.pair.encrypt(&plaintext, &associated);
        Ok(json!({
            "name": format!("{name}/cryptoKeyVersions/{}", self.versions.len()),
            "ciphertext": STANDARD.encode(&ciphertext), "ciphertextCrc32c": sum(&ciphertext),
            "verifiedPlaintextCrc32c": verified, "protectionLevel": "SOFTWARE",
        }))
    }

    fn decrypted(&self, body: &Value) -> Result<Value, Refusal> {
        let primary = self.primary().usable("ENCRYPT_DECRYPT", self.purpose)?;
        let (ciphertext, _verified) = checked(body, "ciphertext")?;
        let (associated, _verified) = checked(body, "additionalAuthenticatedData")?;
        let plaintext = primary.pair.decrypt(&ciphertext, &associated);
        let plaintext =
            plaintext.ok_or_else(|| invalid("Decryption failed: the ciphertext is invalid."))?;
        Ok(json!({
            "plaintext": STANDARD.encode(&plaintext), "plaintextCrc32c": sum(&plaintext),
            "usedPrimary": true, "protectionLevel": "SOFTWARE",
        }))
    }
}

impl Version {
    fn described(&self) -> Value {
        json!({
            "name": self.name, "state": self.state, "protectionLevel": "SOFTWARE",
            "algorithm": self.algorithm, "createTime": CREATED, "generateTime": CREATED,
        })
    }

    fn usable(&self, wanted: &str, purpose: &str) -> Result<&Self, Refusal> {
        let name = &self.name;
        if wanted != purpose {
            let said = format!("{name} has the purpose {purpose}, and not {wanted}.");
            Err(Refusal(400, "FAILED_PRECONDITION", said))
        } else if self.state == "ENABLED" {
            Ok(self)
        } else {
            let said = format!("{name} is not enabled, current state is: {}.", self.state);
            Err(Refusal(400, "FAILED_PRECONDITION", said))
        }
    }

    fn purpose(&self) -> &'static str {
        match self.pair {
            Pair::Symmetric(_) => "ENCRYPT_DECRYPT",
            _ => "ASYMMETRIC_SIGN",
        }
    }

    fn public_key(&self) -> Result<Value, Refusal> {
        let version = self.usable("ASYMMETRIC_SIGN", self.purpose())?;
        let pem = version.pair.pem().unwrap();
        Ok(json!({
            "name": self.name, "algorithm": self.algorithm, "protectionLevel": "SOFTWARE",
            "pemCrc32c": sum(pem.as_bytes()), "pem": pem,
        }))
    }

    fn signed(&self, name: &str, body: &Value, other_key: bool) -> Result<Value, Refusal> {
        let version = self.usable("ASYMMETRIC_SIGN", self.purpose())?;
        let pair = if other_key {
            &version.another
        } else {
            &version.pair
        };
        let digest = body["digest"].as_object().and_then(|all| all.iter().next());
        let (signature, verified) = match (digest, body.get("data")) {
            (Some((hash, digest)), None) => {
                let digest = decoded(digest)?;
                let verified = compared(body, "digestCrc32c", &digest)?;
                (
                    pair.sign(Signed::Digest(hash, &digest)),
                    ("verifiedDigestCrc32c", verified),
                )
            }
            (None, Some(_)) => {
                let (data, verified) = checked(body, "data")?;
                (
                    pair.sign(Signed::Data(&data)),
                    ("verifiedDataCrc32c", verified),
                )
            }
            // JSON has no place for data without a byte.
            (None, None) if body.get("dataCrc32c").is_some() => {
                let verified = compared(body, "dataCrc32c", b"")?;
                (
                    pair.sign(Signed::Data(b"")),
                    ("verifiedDataCrc32c", verified),
                )
            }
            _ => return Err(invalid("either a digest or data must be given")),
        };
        let signature = signature.map_err(invalid)?;
        let (field, verified) = verified;
        Ok(json!({
            "name": name, "signature": STANDARD.encode(&signature),
            "signatureCrc32c": sum(&signature), field: verified, "protectionLevel": "SOFTWARE",
        }))
    }
}

/// The bytes of a field, and whether they came with their checksum.
fn checked(body: &Value, field: &str) -> Result<(Vec<u8>, bool), Refusal> {
    let bytes = match body.get(field) {
        Some(bytes) => decoded(bytes)?,
        None => Vec::new(),
    };
    let verified = compared(body, &format!("{field}Crc32c"), &bytes)?;
    Ok((bytes, verified))
}

fn compared(body: &Value, field: &str, bytes: &[u8]) -> Result<bool, Refusal> {
    let Some(said) = body.get(field) else {
        return Ok(false);
    };
    // A 64-bit number is text in JSON; a plain number is taken too.
    let said = said
        .as_str()
        .map_or_else(|| said.to_string(), str::to_owned);
    if said == sum(bytes) {
        Ok(true)
    } else {
        Err(invalid(format!("{field} does not fit what it came with")))
    }
}

fn decoded(text: &Value) -> Result<Vec<u8>, Refusal> {
    let text = text.as_str().unwrap_or_default();
    STANDARD
        .decode(text)
        .map_err(|_malformed| invalid("what should be base64 is not"))
}

fn sum(bytes: &[u8]) -> String {
    crc32c::crc32c(bytes).to_string()
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal(400, "INVALID_ARGUMENT", message.into())
}

/// A `google.rpc.Status` in JSON.
pub(super) fn error_body(status: u16, code: &str, message: &str) -> Value {
    json!({"error": {"code": status, "message": message, "status": code}})
}

const CREATED: &str = "2026-11-22T10:00:00Z";
const RING: &str = "projects/test-project/locations/europe-west1/keyRings/fulcio";
