use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    Error, Fetch, KeySet,
    candidate::{Candidate, Verdict},
    discovery::Discovery,
};

/// What an issuer has published.
#[derive(Debug)]
pub(crate) struct Known {
    discovery: Discovery,
    discovered: Instant,
    keys: KeySet,
}

impl Known {
    /// Fetches the key set of `issuer`, and before it the discovery document unless that of
    /// `earlier` still serves.
    pub(crate) async fn fetch(
        issuer: &str,
        earlier: Option<&Self>,
        fetch: &dyn Fetch,
    ) -> Result<Self, Error> {
        let (discovery, discovered) = match earlier {
            Some(earlier) => (earlier.discovery.clone(), earlier.discovered),
            None => {
                let document = document(&Discovery::url(issuer), fetch).await?;
                (Discovery::parse(&document, issuer)?, Instant::now())
            }
        };
        let document = document(&discovery.key_set_url, fetch).await?;
        Ok(Self {
            keys: KeySet::parse(&document)?,
            discovery,
            discovered,
        })
    }

    pub(crate) fn judge<'a>(&self, candidate: Candidate<'a>) -> Verdict<'a> {
        candidate.judged_by(&self.keys, self.discovery.algorithms)
    }

    pub(crate) fn is_older_than(&self, age: Duration) -> bool {
        self.discovered.elapsed() > age
    }
}

async fn document(url: &str, fetch: &dyn Fetch) -> Result<Vec<u8>, Error> {
    fetch.fetch(url).await.map_err(|source| Error::Unreachable {
        url: url.to_owned(),
        source: Arc::new(source),
    })
}
