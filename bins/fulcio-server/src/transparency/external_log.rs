use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::sync::{Arc, Weak};

use anyhow::{Result, bail};
use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use fulcio_ct_client::{
    AcceptedRoots, Breaker, BreakerOptions, Error as LogError, Failure, HttpLog, HttpLogConfig,
    HttpLogError, LogKey, LogObserver, RemoteLog as _,
};
use fulcio_server::LogHealth;
use pki_types::CertificateDer;
use tokio::time::{sleep, timeout};

use crate::one_line;

/// A log behind HTTP, with what is known of its roots.
#[derive(Debug)]
pub(super) struct ExternalLog {
    name: String,
    identity: Identity,
    breaker: Arc<Breaker<HttpLog>>,
    /// Those that it is given certificates under.
    chains: ArcSwap<Vec<Chain>>,
    /// It did not answer, and is asked for its roots again and again.
    is_asked: AtomicBool,
    /// It has told that it accepts none of our roots.
    refuses_us: AtomicBool,
}

/// A chain of the authority.
pub(crate) type Chain = Vec<CertificateDer<'static>>;

/// A log behind HTTP that nobody asks yet.
#[derive(Debug)]
pub(super) struct NewLog {
    log: Box<HttpLog>,
    identity: Identity,
}

/// What decides where and how a log is asked, and what is believed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    url: String,
    key: Option<[u8; 32]>,
    origin: Option<String>,
    roots: Vec<CertificateDer<'static>>,
    timeout: Duration,
}

impl NewLog {
    pub(super) fn new(config: &HttpLogConfig) -> Result<Self, HttpLogError> {
        Ok(Self {
            log: Box::new(HttpLog::new(config)?),
            identity: Identity {
                url: config.url.clone(),
                key: config.key.as_ref().map(LogKey::id),
                origin: config.origin.clone(),
                roots: config.roots.clone(),
                timeout: config.timeout,
            },
        })
    }
}

impl ExternalLog {
    pub(super) fn new(name: &str, new: NewLog, observer: Arc<dyn LogObserver>) -> Self {
        let options = BreakerOptions::default();
        let breaker = Breaker::observed_by(observer, name, *new.log, options);
        Self {
            name: name.to_owned(),
            identity: new.identity,
            breaker: Arc::new(breaker),
            chains: ArcSwap::default(),
            is_asked: AtomicBool::new(false),
            refuses_us: AtomicBool::new(false),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `new` is the same log, asked in the same way.
    pub(super) fn is_same(&self, new: &NewLog) -> bool {
        self.identity == new.identity
    }

    /// It gets certificates under these chains.
    pub(super) fn is_given(&self, chains: Vec<Chain>) {
        if **self.chains.load() != chains {
            self.refuses_us.store(false, Ordering::Relaxed);
            self.chains.store(Arc::new(chains));
        }
    }

    pub(super) fn breaker(&self) -> &Arc<Breaker<HttpLog>> {
        &self.breaker
    }

    /// Asks the log for its roots, and fails where ours is not among them. A log that does not
    /// answer soon is asked again later, while the server runs.
    pub(super) async fn check_roots(self: Arc<Self>, chains: &[Chain]) -> Result<()> {
        let log = &*self.name;
        let answer = timeout(START_WAIT, self.breaker.log().roots()).await;
        match answer {
            Ok(Ok(Some(roots))) => self.judge(&roots, chains)?,
            Ok(Ok(None)) => tracing::info!(log, "the log does not tell which roots it accepts"),
            Ok(Err(error)) if error.failure() == Failure::Refused => unreadable(log, error),
            Ok(Err(_)) | Err(_) => {
                let error = answer
                    .map(Result::err)
                    .ok()
                    .flatten()
                    .map(anyhow::Error::new);
                tracing::warn!(
                    log,
                    cause = error.as_ref().map(one_line),
                    "the log does not answer; it is used, and asked for its roots later"
                );
                if !self.is_asked.swap(true, Ordering::Relaxed) {
                    tokio::spawn(check_later(Arc::downgrade(&self)));
                }
            }
        }
        Ok(())
    }

    fn judge(&self, roots: &AcceptedRoots, chains: &[Chain]) -> Result<()> {
        let (log, count) = (&*self.name, roots.count());
        if chains.iter().any(|chain| roots.accept(chain)) {
            tracing::info!(log, roots = count, "the log accepts our root");
            return Ok(());
        }
        let root = chains.first().and_then(|chain| chain.last());
        let fingerprint = root.map(|root| hex(digest(&SHA256, root).as_ref()));
        bail!(
            "the log accepts {count} roots, and none of ours is among them; have the log accept \
             the root whose SHA-256 fingerprint is {}, or give another log",
            fingerprint.unwrap_or_default()
        );
    }
}

/// Asks a log for its roots until it has told them and accepts ours, or has none to tell.
async fn check_later(log: Weak<ExternalLog>) {
    loop {
        sleep(LATER).await;
        let Some(log) = log.upgrade() else { return };
        let name = &*log.name;
        match log.breaker.log().roots().await {
            Ok(Some(roots)) => match log.judge(&roots, &log.chains.load_full()) {
                Ok(()) => {
                    log.refuses_us.store(false, Ordering::Relaxed);
                    return log.is_asked.store(false, Ordering::Relaxed);
                }
                Err(error) => {
                    // Told once; readiness goes on telling it.
                    if !log.refuses_us.swap(true, Ordering::Relaxed) {
                        tracing::error!(log = name, "{error}");
                    }
                }
            },
            Ok(None) => return log.is_asked.store(false, Ordering::Relaxed),
            Err(error) if error.failure() == Failure::Refused => {
                unreadable(name, error);
                return log.is_asked.store(false, Ordering::Relaxed);
            }
            Err(_unavailable) => {}
        }
    }
}

fn unreadable(log: &str, error: LogError) {
    tracing::warn!(
        log,
        cause = one_line(&error.into()),
        "the log does not tell which roots it accepts"
    );
}

impl LogHealth for ExternalLog {
    fn fault(&self) -> Option<String> {
        if self.refuses_us.load(Ordering::Relaxed) {
            return Some("the log does not accept our root".to_owned());
        }
        self.breaker.fault()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long the start waits for logs, which are all asked at the same time.
const START_WAIT: Duration = Duration::from_secs(3);
/// How long until a log is asked again that did not answer.
const LATER: Duration = Duration::from_secs(30);
