use core::cmp::Reverse;
use std::{collections::HashMap, error::Error as StdError, sync::Arc, time::SystemTime};

use fulcio_oidc_verify::{Fetch, Provider, UnverifiedToken, VerifiedToken};
use fulcio_principal::{Authenticating, Authenticator, Identity};

use crate::{
    Config, Error, IssuerAddress, IssuerConfig, IssuerKind, IssuerPattern, Kind, LoadError,
    config::conflict, kind::kind_of, provider_cache::ProviderCache,
};

/// The configured issuers, ready to authenticate callers.
///
/// A token is for the issuer whose URL is its `iss`; of several, for the one whose audience it
/// names. Else it is for the most specific pattern that matches. Nothing is fetched before a token
/// asks for it.
#[derive(Debug)]
pub struct Issuers {
    by_url: HashMap<String, Vec<Issuer<Provider>>>,
    /// The most specific pattern first.
    by_pattern: Vec<(IssuerPattern, Issuer<Arc<dyn Fetch>>)>,
    providers: ProviderCache,
    unserved: Vec<Unserved>,
}

/// What asks an issuer for its keys, or the reason why there is none, which is the caller's own.
pub type FetchResult = Result<Arc<dyn Fetch>, Box<dyn StdError + Send + Sync>>;

/// An issuer whose tokens are refused, because nobody knows the type that its configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unserved {
    /// The URL or pattern of the issuer.
    pub issuer: String,
    /// Its kind.
    pub kind: IssuerKind,
}

/// How the tokens of an issuer are checked and read; `S` is where its keys come from.
#[derive(Debug)]
enum Issuer<S> {
    Served {
        audience: String,
        kind: Box<dyn Kind>,
        source: S,
    },
    Unserved(IssuerKind),
}

impl Issuers {
    /// Builds the issuers of a configuration. `fetch` gives what asks an issuer for its keys; it is
    /// called once for each issuer that is served, and one answer serves all issuers of a pattern.
    ///
    /// Issuers of an unknown type do not stand in the way of the others; they are listed by [`unserved`](Self::unserved).
    ///
    /// # Errors
    /// `fetch` failed, two issuers cannot be told apart, or one lacks what its type needs.
    pub fn new(
        config: &Config,
        fetch: &dyn Fn(&IssuerConfig) -> FetchResult,
    ) -> Result<Self, LoadError> {
        let mut issuers = Self {
            by_url: HashMap::new(),
            by_pattern: Vec::new(),
            providers: ProviderCache::new(),
            unserved: Vec::new(),
        };
        let mut seen: Vec<&IssuerConfig> = Vec::new();
        for issuer in config.issuers() {
            let clash = seen
                .iter()
                .find(|other| conflict(issuer, other, "").is_some());
            if let Some(other) = clash {
                return Err(LoadError::Conflict {
                    one: other.to_string(),
                    other: issuer.to_string(),
                });
            }
            seen.push(issuer);
            issuers.add(issuer, config, fetch)?;
        }
        issuers
            .by_pattern
            .sort_by_key(|(pattern, _)| Reverse(pattern.specificity()));
        Ok(issuers)
    }

    /// The issuers whose tokens are refused whatever they say.
    pub fn unserved(&self) -> impl Iterator<Item = &Unserved> {
        self.unserved.iter()
    }

    /// Checks a token at the time `now` and reads whom it speaks for.
    ///
    /// # Errors
    /// No issuer answers for the token, or no certificate can name its principal.
    pub async fn authenticate(&self, token: &str, now: SystemTime) -> Result<Identity, Error> {
        let token = UnverifiedToken::parse(token)?;
        let (token, kind) = self.verify(token, now).await?;
        Ok(Identity::vouched_for(kind.principal(&token)?))
    }

    async fn verify(
        &self,
        token: UnverifiedToken<'_>,
        now: SystemTime,
    ) -> Result<(VerifiedToken, &dyn Kind), Error> {
        let issuer = token.issuer().to_owned();
        if let Some(of_url) = self.by_url.get(&issuer) {
            let names = |candidate: &&Issuer<Provider>| match candidate {
                Issuer::Served { audience, .. } => token.audiences().contains(audience),
                Issuer::Unserved(_) => false,
            };
            // A token for nobody we know is refused by the first one as well as by any other.
            let chosen = of_url.iter().find(names).or_else(|| of_url.first());
            return match chosen {
                Some(Issuer::Served { kind, source, .. }) => {
                    Ok((source.verify(token, now).await?, &**kind))
                }
                Some(Issuer::Unserved(kind)) => Err(not_served(&issuer, kind)),
                None => Err(unknown(&issuer)),
            };
        }
        let matching = self.by_pattern.iter();
        match matching
            .clone()
            .find(|(pattern, _)| pattern.matches(&issuer))
        {
            Some((
                _,
                Issuer::Served {
                    audience,
                    kind,
                    source,
                },
            )) => {
                let make = || Provider::new(issuer.as_str(), audience, Arc::clone(source));
                let provider = self.providers.provider(&issuer, make);
                let token = provider.verify(token, now).await?;
                self.providers.prove(&issuer, provider);
                Ok((token, &**kind))
            }
            Some((_, Issuer::Unserved(kind))) => Err(not_served(&issuer, kind)),
            None => Err(unknown(&issuer)),
        }
    }

    fn add(
        &mut self,
        issuer: &IssuerConfig,
        config: &Config,
        fetch: &dyn Fn(&IssuerConfig) -> FetchResult,
    ) -> Result<(), LoadError> {
        let kind = kind_of(issuer, config)?;
        if kind.is_none() {
            self.unserved.push(Unserved {
                issuer: issuer.to_string(),
                kind: issuer.kind.clone(),
            });
        }
        let served = match kind {
            None => Issuer::Unserved(issuer.kind.clone()),
            Some(kind) => Issuer::Served {
                audience: issuer.client_id.clone(),
                kind,
                source: fetch(issuer).map_err(|source| LoadError::Fetch {
                    issuer: issuer.to_string(),
                    source,
                })?,
            },
        };
        match &issuer.address {
            IssuerAddress::Pattern(pattern) => self.by_pattern.push((pattern.clone(), served)),
            IssuerAddress::Url(url) => {
                let of_url = self.by_url.entry(url.clone()).or_default();
                of_url.push(served.with_provider(url));
            }
        }
        Ok(())
    }
}

impl Issuer<Arc<dyn Fetch>> {
    fn with_provider(self, url: &str) -> Issuer<Provider> {
        match self {
            Self::Unserved(kind) => Issuer::Unserved(kind),
            Self::Served {
                audience,
                kind,
                source,
            } => Issuer::Served {
                source: Provider::new(url, audience.as_str(), source),
                audience,
                kind,
            },
        }
    }
}

impl Authenticator for Issuers {
    fn authenticate<'a>(&'a self, token: &'a str, now: SystemTime) -> Authenticating<'a> {
        Box::pin(async move { Ok(Self::authenticate(self, token, now).await?) })
    }
}

fn not_served(issuer: &str, kind: &IssuerKind) -> Error {
    Error::KindNotServed {
        issuer: shortened(issuer),
        kind: kind.clone(),
    }
}

fn unknown(issuer: &str) -> Error {
    Error::UnknownIssuer {
        issuer: shortened(issuer),
    }
}

/// Strangers choose these texts, so they are kept to a length that fits a log line.
fn shortened(issuer: &str) -> String {
    const LIMIT: usize = 200;
    match issuer.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &issuer[..end]),
        None => issuer.to_owned(),
    }
}
