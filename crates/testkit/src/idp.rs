//! An identity provider without a network: keys, tokens good and bad, and the documents that a
//! verifier fetches.
//!
//! ```
//! use fulcio_oidc_verify::Algorithm;
//! use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
//!
//! let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es256).named("first"));
//! let fetch = FakeFetch::serving(&idp);
//! let good = idp.token();
//! let bad = idp.draft().claim("aud", "elsewhere").mint();
//! assert_ne!(good, bad);
//! assert_eq!(fetch.requests(), 0);
//! ```

mod draft;
mod fetch;
mod key;
mod provider;

pub use draft::Draft;
pub use fetch::{Answer, FakeFetch};
pub use key::FakeKey;
pub use provider::FakeIdp;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
