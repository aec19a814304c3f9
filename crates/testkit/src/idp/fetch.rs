use std::{
    collections::HashMap,
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fulcio_oidc_verify::{Fetch, FetchError, Fetching};

use super::FakeIdp;

/// A [`Fetch`] that answers from memory, counts, and misbehaves when told to.
///
/// Clones share everything. A URL without an answer gives status 404.
#[derive(Clone, Debug, Default)]
pub struct FakeFetch(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    answers: HashMap<String, Answer>,
    counts: HashMap<String, usize>,
}

/// What a [`FakeFetch`] does when it is asked for a URL.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Answers with these bytes.
    Body(Vec<u8>),
    /// Never answers.
    Hang,
    /// Panics.
    Panic,
    /// Answers with these bytes after this long, by tokio's clock.
    Slow(Duration, Vec<u8>),
    /// Fails with this status.
    Status(u16),
}

impl FakeFetch {
    /// Answers with the documents of `idp`.
    #[must_use]
    pub fn serving(idp: &FakeIdp) -> Self {
        let fetch = Self::default();
        fetch.serve(idp);
        fetch
    }

    /// From now on, answers with the documents of `idp` (too).
    pub fn serve(&self, idp: &FakeIdp) {
        self.answer(
            &idp.discovery_url(),
            Answer::Body(idp.discovery().to_string().into()),
        );
        self.answer(&idp.jwks_url(), Answer::Body(idp.jwks().to_string().into()));
    }

    /// From now on, does `answer` when asked for `url`.
    pub fn answer(&self, url: &str, answer: Answer) {
        self.shelf().answers.insert(url.to_owned(), answer);
    }

    /// How often it was asked for `url`.
    #[must_use]
    pub fn requests_for(&self, url: &str) -> usize {
        self.shelf().counts.get(url).copied().unwrap_or_default()
    }

    /// How often it was asked for anything.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shelf().counts.values().sum()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetch for FakeFetch {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let answer = {
                let mut shelf = self.shelf();
                *shelf.counts.entry(url.to_owned()).or_default() += 1;
                shelf.answers.get(url).cloned()
            };
            match answer.unwrap_or(Answer::Status(404)) {
                Answer::Body(body) => Ok(body),
                Answer::Hang => future::pending().await,
                Answer::Panic => panic!("told to panic at {url}"),
                Answer::Slow(delay, body) => {
                    tokio::time::sleep(delay).await;
                    Ok(body)
                }
                Answer::Status(status) => Err(FetchError::Status(status)),
            }
        })
    }
}
