use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use fulcio_oidc_verify::{
    AlgorithmSet, Error, Expectation, Fetch, FetchError, Fetching, KeySet, Provider,
    UnverifiedToken, VerifiedToken,
};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

use crate::fixed::{
    AUDIENCE, ISSUER, NOW_SECONDS, ed25519_key, json, key_set_json, line, now, signed_token,
};

static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::parse(&key_set_json()).expect("a key set"));

/// The one token that the fixed key has signed and that holds.
pub(crate) static GOOD: LazyLock<String> = LazyLock::new(|| {
    let claims = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{},"sub":"1"}}"#,
        NOW_SECONDS + 600
    );
    signed_token(br#"{"alg":"EdDSA"}"#, claims.as_bytes())
});

fn verified(raw: &str, keys: &KeySet) -> Result<VerifiedToken, Error> {
    let expected = Expectation::new(ISSUER, AUDIENCE, AlgorithmSet::ALL);
    UnverifiedToken::parse(raw)?.verify(keys, &expected, now())
}

/// A token, as it comes: none verifies but the one that was signed, and another parser reads the
/// same header.
pub fn token(data: &[u8]) {
    let Ok(raw) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(token) = UnverifiedToken::parse(raw) {
        let parts: Vec<_> = raw
            .split('.')
            .map(|part| BASE64_URL_SAFE_NO_PAD.decode(part))
            .collect::<Result<_, _>>()
            .expect("three parts in base64url");
        assert_eq!(parts.len(), 3);
        // It knows neither all algorithms nor all forms that a header may have.
        if let Ok(header) = jsonwebtoken::decode_header(raw) {
            assert_eq!(
                format!("{:?}", header.alg).to_uppercase(),
                token.algorithm().name().to_uppercase()
            );
            assert_eq!(
                header.kid.as_deref().filter(|id| !id.is_empty()),
                token.key_id()
            );
        }
        if let Some(header) = json(&parts[0]) {
            assert_eq!(header["alg"], token.algorithm().name());
        }
    }
    assert_eq!(verified(raw, &KEYS).is_ok(), raw == *GOOD, "{raw}");
}

/// A header and, after a line end, a payload; both are signed. What we accept, jsonwebtoken accepts,
/// and both read the same claims; the issuer, the audience and the times hold.
pub fn claims(data: &[u8]) {
    let (header, payload) = line(data);
    let raw = signed_token(header, payload);
    let Ok(ours) = verified(&raw, &KEYS) else {
        return;
    };
    assert_eq!(ours.issuer(), ISSUER);
    let mut validation = Validation::new(jsonwebtoken::Algorithm::EdDSA);
    // Its clock is the system's; times are judged below.
    validation.validate_exp = false;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let key = DecodingKey::from_ed_der(ed25519_key());
    match jsonwebtoken::decode::<Value>(&raw, &key, &validation) {
        Ok(theirs) => {
            assert_eq!(theirs.header.alg, jsonwebtoken::Algorithm::EdDSA);
            assert_eq!(&Value::from(ours.claims().clone()), &theirs.claims);
        }
        Err(error) => match error.kind() {
            // As Go does, we take half of a surrogate pair for U+FFFD.
            jsonwebtoken::errors::ErrorKind::Json(_) => {
                let payload = payload.to_ascii_lowercase();
                let has_surrogate = payload.windows(3).any(|escape| escape == br"\ud");
                let header_differs = jsonwebtoken::decode_header(&raw).is_err();
                assert!(has_surrogate || header_differs, "{error}: {raw}");
            }
            other => panic!("{other:?}: {raw}"),
        },
    }
    let seconds = |name: &str| match ours.claim(name) {
        Some(Value::Number(number)) => number.as_f64(),
        _ => None,
    };
    let at = Duration::from_secs(NOW_SECONDS).as_secs_f64();
    assert!(seconds("exp").is_none_or(|end| end >= at), "{raw}");
    assert!(
        seconds("nbf").is_none_or(|begin| begin <= at + 300.0 + 1.0),
        "{raw}"
    );
}

/// The members that a key of a set has.
fn octets(key: &Value, name: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok()
}

/// A key set: a set that is read has only points that RustCrypto finds on their curves, and makes the
/// fixed token verify only if the fixed key is in it.
pub fn key_set(data: &[u8]) {
    let Ok(set) = KeySet::parse(data) else {
        return;
    };
    let Some(json) = json(data) else {
        return;
    };
    let keys = json["keys"].as_array().expect("an array of keys");
    assert!(set.len() <= keys.len());
    for key in keys.iter().filter(|key| key["kty"] == "EC") {
        let coordinates = octets(key, "x").zip(octets(key, "y"));
        let (x, y) = coordinates.expect("coordinates");
        let point = [&[4][..], &x, &y].concat();
        let is_point = match key["crv"].as_str() {
            Some("P-256") => p256::PublicKey::from_sec1_bytes(&point).is_ok(),
            Some("P-384") => p384::PublicKey::from_sec1_bytes(&point).is_ok(),
            Some("P-521") => p521::PublicKey::from_sec1_bytes(&point).is_ok(),
            _ => false,
        };
        assert!(is_point, "{key}");
    }
    let has_ours = keys
        .iter()
        .any(|key| key["kty"] == "OKP" && octets(key, "x").as_deref() == Some(ed25519_key()));
    assert!(has_ours || verified(&GOOD, &set).is_err());
}

/// Gives one document where a discovery document is expected, the fixed key set everywhere else, and
/// remembers what it was asked for.
#[derive(Debug)]
struct Shelf {
    document: Vec<u8>,
    asked: Mutex<Vec<String>>,
}

impl Fetch for Shelf {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        let mut asked = self.asked.lock().expect("nobody panics");
        asked.push(url.to_owned());
        let answer: Result<_, FetchError> = Ok(match asked.len() {
            1 => self.document.clone(),
            _ => key_set_json(),
        });
        Box::pin(async { answer })
    }
}

/// A discovery document: the token verifies only if the document is the issuer's; the key set is
/// asked for where another parser reads that it is, by https alone.
pub fn discovery(data: &[u8]) {
    let shelf = Arc::new(Shelf {
        document: data.to_vec(),
        asked: Mutex::default(),
    });
    let provider = Provider::new(ISSUER, AUDIENCE, Arc::clone(&shelf) as Arc<dyn Fetch>);
    let token = UnverifiedToken::parse(&GOOD).expect("a token");
    let answer = block_on(provider.verify(token, now()));
    let asked = shelf.asked.lock().expect("nobody panics");
    assert_eq!(
        asked[0],
        format!("{ISSUER}/.well-known/openid-configuration")
    );
    assert!(asked.len() <= 2, "{asked:?}");
    if answer.is_ok()
        && let Some(json) = json(data)
    {
        assert_eq!(json["issuer"], ISSUER);
        assert_eq!(json["jwks_uri"], asked[1]);
    }
    if let Some(url) = asked.get(1) {
        let scheme = url.get(..6).map(str::to_ascii_lowercase);
        assert_eq!(scheme.as_deref(), Some("https:"), "{url}");
    }
}

/// Runs to its end what waits for nothing.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_token_is_good_and_begins_the_corpus() {
        assert!(verified(&GOOD, &KEYS).is_ok());
        assert_eq!(include_str!("../../corpus/token/good"), *GOOD);
    }
}
