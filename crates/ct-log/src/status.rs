use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use crate::{error::Error, publisher::Published};

/// What the two threads of the log tell the others.
#[derive(Debug)]
pub(crate) struct Status {
    stopped: OnceLock<Arc<Error>>,
    published: watch::Sender<Arc<Published>>,
    finished: watch::Sender<bool>,
}

impl Status {
    pub(crate) fn new(published: Published) -> Self {
        Self {
            stopped: OnceLock::new(),
            published: watch::Sender::new(Arc::new(published)),
            finished: watch::Sender::new(false),
        }
    }

    /// Says that the log does nothing any more, and why. The first cause stays.
    pub(crate) fn stop(&self, cause: Error) {
        let cause = Arc::new(cause);
        if self.stopped.set(Arc::clone(&cause)).is_ok() {
            let cause: &dyn core::error::Error = &*cause;
            tracing::error!(cause, "the log has stopped");
        }
    }

    pub(crate) fn stopped(&self) -> Option<Error> {
        self.stopped.get().cloned().map(Error::Stopped)
    }

    pub(crate) fn publish(&self, published: Published) {
        self.published.send_replace(Arc::new(published));
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published.borrow())
    }

    pub(crate) fn publications(&self) -> watch::Receiver<Arc<Published>> {
        self.published.subscribe()
    }

    /// Says that both threads are done.
    pub(crate) fn finish(&self) {
        self.finished.send_replace(true);
    }

    pub(crate) fn finishing(&self) -> watch::Receiver<bool> {
        self.finished.subscribe()
    }
}
