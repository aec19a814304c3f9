//! What answers mean that are not a success.

use core::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use crate::Error;

/// What a vault writes when it refuses.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Reason,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    code: Option<String>,
    innererror: Option<Inner>,
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inner {
    code: Option<String>,
}

/// A refused request for a key.
pub(crate) struct Refused<'a> {
    pub(crate) body: &'a [u8],
    /// As a caller named it.
    pub(crate) key: &'a str,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) status: u16,
    /// The address of the vault.
    pub(crate) vault: &'a str,
}

impl Refused<'_> {
    /// What the refusal of a vault means, by its status and the name of its reason.
    pub(crate) fn cause(self) -> Error {
        let said: Refusal = serde_json::from_slice(self.body).unwrap_or_default();
        let Reason {
            code,
            innererror,
            message,
        } = said.error;
        let inner = innererror.and_then(|inner| inner.code);
        let code = line(inner.or(code).as_deref().unwrap_or(UNSAID));
        let message = line(message.as_deref().unwrap_or(NOTHING));
        let (host, key, status) = (host(self.vault), self.key.to_owned(), self.status);
        match (status, code.as_str()) {
            (403, "KeyDisabled" | "KeyExpired" | "KeyNotYetValid") | (409, _) => {
                Error::KeyState { code, key, message }
            }
            (401 | 403, _) => Error::Denied { code, message },
            (404, _) => Error::KeyMissing {
                key,
                vault: self.vault.to_owned(),
            },
            (429, _) => Error::Throttled {
                code,
                host,
                message,
                retry_after: self.retry_after,
            },
            (408 | 500.., _) => Error::Unavailable {
                code,
                host,
                message,
                retry_after: self.retry_after,
                status,
            },
            _ => Error::Refused {
                code,
                message,
                status,
            },
        }
    }
}

/// What Microsoft Entra ID and the services for managed identities write when they refuse; the
/// names are those of OAuth 2.0 (RFC 6749 section 5.2), or for some of the latter just a message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenRefusal {
    error: Value,
    error_codes: Vec<i64>,
    error_description: Option<String>,
    message: Option<String>,
}

/// A token is all that is right.
#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// Sorts the answer of whoever should give out a token.
pub(crate) fn token_refusal(
    host: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Error> {
    let host = host.to_owned();
    if status.is_success() {
        return match serde_json::from_slice::<Token>(body) {
            Ok(token) if !token.access_token.is_empty() => Ok(()),
            _ => Err(Error::TokenAnswer { host }),
        };
    }
    let said: TokenRefusal = serde_json::from_slice(body).unwrap_or_default();
    let codes = said.error_codes.iter().map(|code| format!("AADSTS{code}"));
    let names = said.error.as_str().map(str::to_owned).into_iter();
    let code = names.chain(codes).collect::<Vec<_>>().join(", ");
    let code = line(if code.is_empty() { UNSAID } else { &code });
    let message = said.error_description.or(said.message);
    let message = line(message.as_deref().unwrap_or(NOTHING));
    Err(match status.as_u16() {
        429 => Error::Throttled {
            code,
            host,
            message,
            retry_after: seconds(headers),
        },
        // The metadata service of a virtual machine is away with the first of them while it is
        // renewed.
        status @ (404 | 408 | 410 | 500..) => Error::Unavailable {
            code,
            host,
            message,
            retry_after: seconds(headers),
            status,
        },
        _ => Error::TokenRefused {
            code,
            host,
            message,
        },
    })
}

fn seconds(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    retry_after(text)
}

/// The form of `Retry-After` (RFC 9110 section 10.2.3) that Azure uses: seconds.
pub(crate) fn retry_after(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}

fn host(address: &str) -> String {
    let host = address.strip_prefix("https://").unwrap_or(address);
    host.to_owned()
}

/// One line of bounded length, without anything that looks like a token (RFC 7519).
pub(crate) fn line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| {
            if word.contains("eyJ") {
                "[hidden]"
            } else {
                word
            }
        })
        .collect();
    words.join(" ").chars().take(MAX_KEPT).collect()
}

/// Refusals name the caller and what to read about them.
const MAX_KEPT: usize = 500;
const NOTHING: &str = "nothing more is said";
const UNSAID: &str = "it does not say why";
