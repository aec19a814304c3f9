use core::sync::atomic::{AtomicU64, Ordering};
use std::{
    hash::{BuildHasher as _, RandomState},
    net::SocketAddr,
};

use fulcio_issuance::RequestContext;
use http::{Extensions, HeaderValue};

/// Who sent a request. A listener puts it among the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a name for an address")]
pub struct Peer(pub SocketAddr);

/// The most bytes of a caller's request identifier that are kept.
const LONGEST: usize = 128;

/// Makes the contexts of requests.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    made: AtomicU64,
    keys: RandomState,
}

impl Contexts {
    /// The context of a request whose caller chose the identifier `given`, or chose none.
    pub(crate) fn context(
        &self,
        given: Option<&HeaderValue>,
        extensions: &Extensions,
    ) -> RequestContext {
        let id = match given.and_then(|value| value.to_str().ok()) {
            Some(given) if !given.is_empty() => given[..given.len().min(LONGEST)].to_owned(),
            _ => self.identifier(),
        };
        let context = RequestContext::new(id);
        match extensions.get() {
            Some(Peer(address)) => context.from_peer(*address),
            None => context,
        }
    }

    /// Eight characters that hardly repeat. They join log lines, and keep no secret.
    fn identifier(&self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let bits = self
            .keys
            .hash_one(self.made.fetch_add(1, Ordering::Relaxed));
        (0..8)
            .map(|place| char::from(ALPHABET[(bits >> (5 * place)) as usize % ALPHABET.len()]))
            .collect()
    }
}
