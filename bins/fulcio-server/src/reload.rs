use core::{convert::Infallible, time::Duration};
use std::sync::Arc;

use anyhow::Result;
use fulcio_issuance::{Clock as _, SystemClock};
use fulcio_server::{ChainEnd, CurrentSnapshot, Reload, ReloadRequests, WatchedFiles};
use pki_types::CertificateDer;
use tokio::{sync::Mutex, time::sleep};

use crate::{
    announced::Announced,
    authority::Authority,
    authority_flags::AuthoritySource,
    identity_issuers::{ConfiguredIssuers, IdentityFlags},
    network::Network,
    serve::Parts,
    transparency::{OpenLogs, TransparencyFlags},
};

/// What can be read again while the server runs, as it is in force. Snapshots are built of it.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub(crate) authority: Authority,
    /// The chains that verifiers trust besides those of the authority.
    pub(crate) announced: Vec<Chain>,
    pub(crate) issuers: ConfiguredIssuers,
    pub(crate) logs: Option<Arc<OpenLogs>>,
}

/// Certificates from an issuer to its root.
type Chain = Vec<CertificateDer<'static>>;

/// Where each part of what is in force comes from.
pub(crate) struct Sources<'a> {
    pub(crate) authority: AuthoritySource,
    pub(crate) announced: &'a Announced,
    pub(crate) identity: &'a IdentityFlags,
    pub(crate) transparency: &'a TransparencyFlags,
    pub(crate) network: Network,
    /// How often the key makes a test signature, if ever.
    pub(crate) signer_test_every: Option<Duration>,
    /// Whether changes of the files are noticed; for those of `--ca fileca` the source says so.
    pub(crate) watched: bool,
}

/// The files of each part, known as they were before the part was read.
#[derive(Debug)]
pub(crate) struct Watched {
    authority: Option<WatchedFiles>,
    announced: Option<WatchedFiles>,
    issuers: Option<WatchedFiles>,
    logs: Option<WatchedFiles>,
}

impl Sources<'_> {
    /// Begins to watch the files. Do it before they are read, so that no change is missed.
    pub(crate) async fn watch(&self) -> Watched {
        let mut watched = Watched {
            authority: None,
            announced: None,
            issuers: None,
            logs: None,
        };
        if let Some(paths) = self.authority.watched() {
            watched.authority = Some(WatchedFiles::new(paths).await);
        }
        if !self.watched {
            return watched;
        }
        if self.announced.is_given() {
            let announced = self.announced.clone();
            watched.announced = Some(WatchedFiles::listed_by(move || announced.files()).await);
        }
        if let Some(path) = self.identity.path() {
            watched.issuers = Some(WatchedFiles::new([path]).await);
        }
        if let Some(files) = self.transparency.files() {
            watched.logs = Some(WatchedFiles::listed_by(move || files.list()).await);
        }
        watched
    }

    /// Reads everything for the first time.
    pub(crate) async fn open(&self, issuers: ConfiguredIssuers, parts: &Parts) -> Result<InForce> {
        let authority = self.authority.open(&self.network).await?;
        let announced = self.announced.read(SystemClock.now())?;
        let logs = self
            .transparency
            .open(&self.network.roots, &parts.metrics, None)?;
        match &logs {
            Some(logs) => {
                let chains = authority.trust_bundle();
                logs.check_roots(&chains).await?;
                logs.are_given(&chains);
            }
            None => tracing::warn!(
                "certificates go to no transparency log, because --ct-log-url is empty"
            ),
        }
        Ok(InForce {
            authority: authority.under_test(self.signer_test_every),
            announced,
            issuers,
            logs: logs.map(Arc::new),
        })
    }
}

/// Reads each part again when its files change or somebody asks, and has it used from the next request
/// on. What cannot be used changes nothing.
pub(crate) struct Reloads<'a> {
    sources: Sources<'a>,
    parts: Arc<Parts>,
    /// Held as long as a part is being read, so that parts are checked against what is in force.
    in_force: Mutex<InForce>,
    current: Arc<CurrentSnapshot>,
}

impl<'a> Reloads<'a> {
    /// Begins with `in_force`.
    pub(crate) fn new(sources: Sources<'a>, parts: Arc<Parts>, in_force: InForce) -> Self {
        Self {
            current: Arc::new(CurrentSnapshot::new(parts.snapshot(&in_force))),
            in_force: Mutex::new(in_force),
            sources,
            parts,
        }
    }

    /// What requests are answered from.
    pub(crate) fn current(&self) -> Arc<CurrentSnapshot> {
        Arc::clone(&self.current)
    }

    /// Goes on until it is dropped.
    pub(crate) async fn run(&self, watched: Watched, requests: &ReloadRequests) -> Infallible {
        let part = |name, what: &str, files| {
            let metrics = self.parts.metrics.reload(name, Arc::new(SystemClock));
            Reload::of(what)
                .watching(files)
                .asked_by(requests)
                .counted_by(metrics)
        };
        let authority = async {
            if self.sources.authority.is_permanent() {
                let reload = part(
                    "issuing-key",
                    "the issuing key with its chain",
                    watched.authority,
                );
                reload.run(|| self.authority()).await;
            }
        };
        let announced = async {
            if self.sources.announced.is_given() {
                let reload = part(
                    "announced-chains",
                    "the set of announced chains",
                    watched.announced,
                );
                reload.run(|| self.announced()).await;
            }
        };
        let issuers = async {
            if self.sources.identity.path().is_some() {
                let reload = part("issuers", "the issuer configuration", watched.issuers);
                reload.run(|| self.issuers()).await;
            }
        };
        let logs = async {
            if self.sources.transparency.files().is_some() {
                let reload = part("logs", "the set of transparency logs", watched.logs);
                reload.run(|| self.logs()).await;
            }
        };
        let (.., never) = tokio::join!(authority, announced, issuers, logs, self.tell_of_the_end());
        never
    }

    async fn authority(&self) -> Result<()> {
        // A key service may take its time; the other parts do not wait for it.
        let authority = self.sources.authority.open(&self.sources.network).await?;
        let authority = authority.tested(self.sources.signer_test_every).await?;
        let mut in_force = self.in_force.lock().await;
        let chains = authority.trust_bundle();
        if let Some(logs) = &in_force.logs {
            logs.check_roots(&chains).await?;
            logs.are_given(&chains);
        }
        let next = InForce {
            authority,
            ..in_force.clone()
        };
        in_force.warn_before(&next);
        self.replace(&mut in_force, next);
        Ok(())
    }

    async fn announced(&self) -> Result<()> {
        let mut in_force = self.in_force.lock().await;
        let next = InForce {
            announced: self.sources.announced.read(SystemClock.now())?,
            ..in_force.clone()
        };
        self.replace(&mut in_force, next);
        Ok(())
    }

    async fn issuers(&self) -> Result<()> {
        let mut in_force = self.in_force.lock().await;
        let Sources {
            identity, network, ..
        } = &self.sources;
        let earlier = Some(&in_force.issuers);
        let next = InForce {
            issuers: identity.issuers(network, &self.parts.metrics, earlier)?,
            ..in_force.clone()
        };
        self.replace(&mut in_force, next);
        Ok(())
    }

    async fn logs(&self) -> Result<()> {
        let mut in_force = self.in_force.lock().await;
        let roots = &self.sources.network.roots;
        let earlier = in_force.logs.as_deref();
        let logs = self.sources.transparency;
        let logs = logs.open(roots, &self.parts.metrics, earlier)?;
        if let Some(logs) = &logs {
            let chains = in_force.authority.trust_bundle();
            logs.check_roots(&chains).await?;
            logs.are_given(&chains);
        }
        let next = InForce {
            logs: logs.map(Arc::new),
            ..in_force.clone()
        };
        self.replace(&mut in_force, next);
        Ok(())
    }

    fn replace(&self, in_force: &mut InForce, next: InForce) {
        self.current.replace(self.parts.snapshot(&next));
        *in_force = next;
    }

    /// Tells operators in time that the chain in force comes to its end.
    async fn tell_of_the_end(&self) -> Infallible {
        let mut end = ChainEnd::default();
        loop {
            let validity = self.in_force.lock().await.authority.chains().validity();
            let ending =
                validity.and_then(|validity| end.due(validity.not_after, SystemClock.now()));
            match ending {
                Some(ending) if ending.is_over() => tracing::error!("{ending}"),
                Some(ending) => tracing::warn!("{ending}"),
                None => {}
            }
            sleep(END_EVERY).await;
        }
    }
}

/// How often it is looked whether there is something to tell of the end of the chain.
const END_EVERY: Duration = Duration::from_secs(5);

impl InForce {
    /// Warns where verifiers that know the trust bundle of the one time will not accept certificates of
    /// the other.
    fn warn_before(&self, next: &Self) {
        let (now, then) = (self.authority.trust_bundle(), next.authority.trust_bundle());
        if !then.iter().all(|chain| self.is_told(chain)) {
            tracing::warn!(
                "the chain that is in use now was not announced before, so verifiers do not know it \
                 that fetched the trust bundle until now; see --announce-chain-path"
            );
        }
        if !now.iter().all(|chain| next.is_told(chain)) {
            tracing::warn!(
                "the chain that was in use is not announced any more, so verifiers that fetch the \
                 trust bundle from now on do not accept what it has issued; see \
                 --announce-chain-path"
            );
        }
    }

    /// Whether the chain is in the trust bundle.
    fn is_told(&self, chain: &Chain) -> bool {
        self.announced.contains(chain) || self.authority.trust_bundle().contains(chain)
    }
}
