use core::{convert::Infallible, error::Error as StdError, future::pending};

use tokio::sync::watch;

use crate::{ReloadMetrics, WatchedFiles};

/// How one part of a server is read again while the server runs: when its files have changed, and
/// when an operator asks for it.
///
/// What comes of it is logged in one line, and counted.
#[derive(Debug)]
pub struct Reload {
    what: String,
    files: Option<WatchedFiles>,
    asked: Option<watch::Receiver<u64>>,
    metrics: Option<ReloadMetrics>,
}

/// Asks all parts of a server to be read again, as SIGHUP does.
#[derive(Clone, Debug, Default)]
pub struct ReloadRequests(watch::Sender<u64>);

/// Why a part is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    Asked,
    Changed,
}

impl ReloadRequests {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks once.
    pub fn ask(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

impl Reload {
    /// `what` names the part in log lines, as in "the TLS certificate".
    #[must_use]
    pub fn of(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            files: None,
            asked: None,
            metrics: None,
        }
    }

    /// Reads the part again when `files` have changed.
    #[must_use]
    pub fn watching(mut self, files: impl Into<Option<WatchedFiles>>) -> Self {
        self.files = files.into();
        self
    }

    /// Reads the part again when somebody asks from now on.
    #[must_use]
    pub fn asked_by(mut self, requests: &ReloadRequests) -> Self {
        self.asked = Some(requests.0.subscribe());
        self
    }

    /// Counts what comes of it.
    #[must_use]
    pub fn counted_by(mut self, metrics: ReloadMetrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// The files that are watched.
    pub(crate) fn with_interval(mut self, interval: core::time::Duration) -> Self {
        self.files = self.files.map(|files| files.with_interval(interval));
        self
    }

    /// Calls `reload` each time.
    ///
    /// Contents that it refused are not tried again until the files change or somebody asks. It never returns: spawn
    /// it, or drop it to read nothing again.
    pub async fn run<F, R, E>(mut self, mut reload: F) -> Infallible
    where
        F: FnMut() -> R,
        R: Future<Output = Result<(), E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        loop {
            let occasion = self.next().await;
            let outcome = reload().await;
            if let Some(metrics) = &self.metrics {
                metrics.ended(outcome.is_ok());
            }
            let what = &self.what;
            match (outcome, occasion) {
                (Ok(()), Occasion::Asked) => tracing::info!("{what} was read again and is in use"),
                (Ok(()), Occasion::Changed) => tracing::info!("{what} has changed and is in use"),
                (Err(error), _) => {
                    let cause = causes(error.into().as_ref());
                    tracing::error!("{what} stays as it was, because {cause}");
                }
            }
        }
    }

    async fn next(&mut self) -> Occasion {
        let Self { files, asked, .. } = self;
        let changed = async {
            match files {
                Some(files) => files.changed().await,
                None => pending().await,
            }
        };
        let was_asked = async {
            let was_asked = match asked {
                // An error says that nobody is left who could ask.
                Some(asked) => asked.changed().await.is_ok(),
                None => false,
            };
            if !was_asked {
                pending().await
            }
        };
        let occasion = tokio::select! {
            () = was_asked => Occasion::Asked,
            () = changed => Occasion::Changed,
        };
        if let (Occasion::Asked, Some(files)) = (occasion, &mut self.files) {
            // What is read now need not be read again because it has changed.
            files.know().await;
        }
        occasion
    }
}

/// An error and what caused it in one line, without repeating causes that are told already.
fn causes(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}
