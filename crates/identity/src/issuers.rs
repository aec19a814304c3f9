use core::cmp::Reverse;
use std::{collections::HashMap, error::Error as StdError, sync::Arc, time::SystemTime};

use fulcio_oidc_verify::{self as oidc, Fetch, Provider, UnverifiedToken};
use fulcio_principal::{Authenticating, AuthenticationError, Authenticator, Identity, Voucher};
use pki_types::CertificateDer;

use crate::{
    Config, Error, IssuerAddress, IssuerConfig, IssuerKind, IssuerObserver, IssuerPattern, Kind,
    LoadError, config::conflict, kind::kind_of, provider_cache::ProviderCache,
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
    /// Is told of tokens that are of no configured issuer.
    stranger: Option<Arc<dyn IssuerObserver>>,
}

/// What asks an issuer for its keys, or the reason why there is none, which is the caller's own.
pub type FetchResult = Result<Arc<dyn Fetch>, Box<dyn StdError + Send + Sync>>;

/// The URL or pattern of a configured issuer and its kind; `None` is all issuers that are not
/// configured.
pub type Observed<'a> = Option<(&'a str, &'a IssuerKind)>;

/// An issuer whose tokens are refused, because nobody knows the type that its configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unserved {
    /// The URL or pattern of the issuer.
    pub issuer: String,
    /// Its kind.
    pub kind: IssuerKind,
}

/// One entry of the configuration; `S` is where its keys come from.
#[derive(Debug)]
struct Issuer<S> {
    voucher: Voucher,
    kind: IssuerKind,
    observer: Option<Arc<dyn IssuerObserver>>,
    way: Way,
    service: Service<S>,
}

/// How an issuer is asked for its keys. Those that were fetched in another way are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    ca_certificates: Vec<CertificateDer<'static>>,
    in_cluster: bool,
}

/// How the tokens of an issuer are checked and read.
#[derive(Debug)]
enum Service<S> {
    Served {
        audience: String,
        kind: Box<dyn Kind>,
        source: S,
    },
    Unserved,
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
            stranger: None,
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

    /// Has every issuer watched by what `observe` makes for its URL or pattern and its kind, and the
    /// tokens that are of no configured issuer by what it makes for `None`.
    #[must_use]
    pub fn observed_by(
        mut self,
        observe: &dyn Fn(Observed<'_>) -> Arc<dyn IssuerObserver>,
    ) -> Self {
        self.stranger = Some(observe(None));
        for issuer in self.by_url.values_mut().flatten() {
            let observer = observe(Some((&issuer.voucher.issuer, &issuer.kind)));
            if let Service::Served { source, .. } = &mut issuer.service {
                source.observe(Arc::clone(&observer) as _);
            }
            issuer.observer = Some(observer);
        }
        for (_, issuer) in &mut self.by_pattern {
            issuer.observer = Some(observe(Some((&issuer.voucher.issuer, &issuer.kind))));
        }
        self
    }

    /// Goes on with the keys that `earlier`, the issuers of another configuration, has fetched from
    /// issuers that are asked in the same way by this one, so that nothing is fetched again because a
    /// configuration was read again.
    #[must_use]
    pub fn resuming(mut self, earlier: &Self) -> Self {
        for (url, of_url) in &mut self.by_url {
            let others = earlier.by_url.get(url).into_iter().flatten();
            for issuer in of_url {
                let same = others.clone().find(|other| other.way == issuer.way);
                if let (
                    Service::Served { source, .. },
                    Some(Issuer {
                        service: Service::Served { source: known, .. },
                        ..
                    }),
                ) = (&mut issuer.service, same)
                {
                    source.resume(known);
                }
            }
        }
        let kept = earlier.providers.worth_keeping().into_iter();
        let kept = kept.filter(|provider| {
            let way = |issuers: &Self| Some(issuers.of_pattern(provider.issuer())?.way.clone());
            way(&self).is_some_and(|way_now| way(earlier).is_some_and(|then| then == way_now))
        });
        self.providers.resume(kept.collect());
        self
    }

    /// Why the keys of the issuer with this URL or pattern could not be fetched the last time; `None`
    /// where they could, and where nobody has asked for them yet. Of a pattern only issuers count that
    /// have vouched for somebody before.
    #[must_use]
    pub fn last_failure(&self, address: &str) -> Option<oidc::Error> {
        let of_url = self.by_url.get(address).into_iter().flatten();
        let mut failures = of_url.filter_map(|issuer| match &issuer.service {
            Service::Served { source, .. } => source.last_failure(),
            Service::Unserved => None,
        });
        failures.next().or_else(|| {
            let proven = self.providers.proven();
            proven.iter().find_map(|provider| {
                let pattern = self.of_pattern(provider.issuer())?;
                let failure = provider.last_failure()?;
                (*pattern.voucher.issuer == *address).then_some(failure)
            })
        })
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
        self.judge(token, now).await.1
    }

    /// What comes of a token, and which configured issuer it is of. Who observes is told.
    async fn judge(
        &self,
        token: &str,
        now: SystemTime,
    ) -> (Option<&Voucher>, Result<Identity, Error>) {
        let (judge, outcome) = self.judged_by(token, now).await;
        let (observer, voucher) = match judge {
            Some(Judge { observer, voucher }) => (observer, Some(voucher)),
            None => (self.stranger.as_ref(), None),
        };
        if let Some(observer) = observer {
            Arc::clone(observer).judged(outcome.as_ref().map(|_identity| ()));
        }
        let vouched = |identity: Identity| match voucher {
            Some(voucher) => identity.by_voucher(voucher.clone()),
            None => identity,
        };
        (voucher, outcome.map(vouched))
    }

    /// What comes of a token, and which configured issuer it is of.
    async fn judged_by(
        &self,
        token: &str,
        now: SystemTime,
    ) -> (Option<Judge<'_>>, Result<Identity, Error>) {
        let token = match UnverifiedToken::parse(token) {
            Ok(token) => token,
            Err(error) => return (None, Err(error.into())),
        };
        let iss = token.issuer().to_owned();
        if let Some(of_url) = self.by_url.get(&iss) {
            let names = |candidate: &&Issuer<Provider>| match &candidate.service {
                Service::Served { audience, .. } => token.audiences().contains(audience),
                Service::Unserved => false,
            };
            // A token for nobody we know is refused by the first one as well as by any other.
            if let Some(chosen) = of_url.iter().find(names).or_else(|| of_url.first()) {
                return (Some(chosen.judge()), chosen.identity(token, now).await);
            }
        }
        match self.of_pattern(&iss) {
            Some(chosen) => (
                Some(chosen.judge()),
                chosen.identity(token, now, &self.providers).await,
            ),
            None => (None, Err(unknown(&iss))),
        }
    }

    /// Who answers for an issuer that no URL names.
    fn of_pattern(&self, issuer: &str) -> Option<&Issuer<Arc<dyn Fetch>>> {
        let mut patterns = self.by_pattern.iter();
        let (_, chosen) = patterns.find(|(pattern, _)| pattern.matches(issuer))?;
        Some(chosen)
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
        let service = match kind {
            None => Service::Unserved,
            Some(kind) => Service::Served {
                audience: issuer.client_id.clone(),
                kind,
                source: fetch(issuer).map_err(|source| LoadError::Fetch {
                    issuer: issuer.to_string(),
                    source,
                })?,
            },
        };
        let served = Issuer {
            voucher: Voucher {
                issuer: issuer.address.as_str().into(),
                kind: issuer.kind.name().into(),
            },
            kind: issuer.kind.clone(),
            observer: None,
            way: Way {
                ca_certificates: issuer.ca_certificates.clone(),
                in_cluster: config.is_in_cluster(issuer),
            },
            service,
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

/// The configured issuer that a token is of.
struct Judge<'a> {
    observer: Option<&'a Arc<dyn IssuerObserver>>,
    voucher: &'a Voucher,
}

impl<S> Issuer<S> {
    fn judge(&self) -> Judge<'_> {
        Judge {
            observer: self.observer.as_ref(),
            voucher: &self.voucher,
        }
    }
}

impl Issuer<Provider> {
    async fn identity(
        &self,
        token: UnverifiedToken<'_>,
        now: SystemTime,
    ) -> Result<Identity, Error> {
        match &self.service {
            Service::Served { kind, source, .. } => {
                let token = source.verify(token, now).await?;
                kind.identity(&token)
            }
            Service::Unserved => Err(not_served(token.issuer(), &self.kind)),
        }
    }
}

impl Issuer<Arc<dyn Fetch>> {
    async fn identity(
        &self,
        token: UnverifiedToken<'_>,
        now: SystemTime,
        providers: &ProviderCache,
    ) -> Result<Identity, Error> {
        let Service::Served {
            audience,
            kind,
            source,
        } = &self.service
        else {
            return Err(not_served(token.issuer(), &self.kind));
        };
        let iss = token.issuer().to_owned();
        let make = || {
            let mut provider = Provider::new(iss.as_str(), audience, Arc::clone(source));
            if let Some(observer) = &self.observer {
                provider.observe(Arc::clone(observer) as _);
            }
            provider
        };
        let provider = providers.provider(&iss, make);
        let token = provider.verify(token, now).await?;
        providers.prove(&iss, provider);
        kind.identity(&token)
    }

    fn with_provider(self, url: &str) -> Issuer<Provider> {
        Issuer {
            voucher: self.voucher,
            kind: self.kind,
            observer: self.observer,
            way: self.way,
            service: match self.service {
                Service::Unserved => Service::Unserved,
                Service::Served {
                    audience,
                    kind,
                    source,
                } => Service::Served {
                    source: Provider::new(url, audience.as_str(), source),
                    audience,
                    kind,
                },
            },
        }
    }
}

impl Authenticator for Issuers {
    fn authenticate<'a>(&'a self, token: &'a str, now: SystemTime) -> Authenticating<'a> {
        Box::pin(async move {
            let (voucher, outcome) = self.judge(token, now).await;
            outcome.map_err(|error| {
                let error = AuthenticationError::from(error);
                match voucher {
                    Some(voucher) => error.by_voucher(voucher.clone()),
                    None => error,
                }
            })
        })
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
