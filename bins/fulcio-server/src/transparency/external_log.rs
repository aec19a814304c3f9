use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::sync::{Arc, Weak};

use anyhow::{Result, bail};
use aws_lc_rs::digest::{SHA256, digest};
use fulcio_ct_client::{
    AcceptedRoots, Breaker, BreakerOptions, Error as LogError, Failure, HttpLog, LogObserver,
    RemoteLog as _,
};
use fulcio_server::LogHealth;
use pki_types::CertificateDer;
use tokio::time::{sleep, timeout};

use crate::one_line;

/// A log behind HTTP, with what is known of its roots.
#[derive(Debug)]
pub(super) struct ExternalLog {
    name: String,
    breaker: Arc<Breaker<HttpLog>>,
    /// It has told that it accepts none of our roots.
    refuses_us: AtomicBool,
}

/// The chains of the authority.
pub(crate) type Chains = Arc<[Vec<CertificateDer<'static>>]>;

impl ExternalLog {
    pub(super) fn new(name: &str, log: HttpLog, observer: Arc<dyn LogObserver>) -> Self {
        let breaker = Breaker::observed_by(observer, name, log, BreakerOptions::default());
        Self {
            name: name.to_owned(),
            breaker: Arc::new(breaker),
            refuses_us: AtomicBool::new(false),
        }
    }

    pub(super) fn breaker(&self) -> &Arc<Breaker<HttpLog>> {
        &self.breaker
    }

    /// Asks the log for its roots, and fails where ours is not among them. A log that does not
    /// answer soon is asked again later, while the server runs.
    pub(super) async fn check_roots(self: Arc<Self>, chains: Chains) -> Result<()> {
        let log = &*self.name;
        let answer = timeout(START_WAIT, self.breaker.log().roots()).await;
        match answer {
            Ok(Ok(Some(roots))) => self.judge(&roots, &chains)?,
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
                    "the log does not answer; the server starts, and asks it for its roots later"
                );
                tokio::spawn(check_later(Arc::downgrade(&self), chains));
            }
        }
        Ok(())
    }

    fn judge(&self, roots: &AcceptedRoots, chains: &[Vec<CertificateDer<'static>>]) -> Result<()> {
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

/// Asks a log for its roots until it has told them, or has none to tell.
async fn check_later(log: Weak<ExternalLog>, chains: Chains) {
    loop {
        sleep(LATER).await;
        let Some(log) = log.upgrade() else { return };
        let name = &*log.name;
        match log.breaker.log().roots().await {
            Ok(Some(roots)) => match log.judge(&roots, &chains) {
                Ok(()) => {
                    log.refuses_us.store(false, Ordering::Relaxed);
                    return;
                }
                Err(error) => {
                    // Told once; readiness goes on telling it.
                    if !log.refuses_us.swap(true, Ordering::Relaxed) {
                        tracing::error!(log = name, "{error}");
                    }
                }
            },
            Ok(None) => return,
            Err(error) if error.failure() == Failure::Refused => {
                unreadable(name, error);
                return;
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
