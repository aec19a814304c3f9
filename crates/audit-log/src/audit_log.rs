use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
};

use fulcio_issuance::{Decision, Journal, JournalError, Recording, RequestContext};
use fulcio_principal::Identity;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout_at},
};

use crate::{
    Error, Options, Outcome, WriteError,
    files::Files,
    record,
    writer::{Chain, Fault, Lost, Pending, Task, Writer},
};

/// The audit trail of one node, open for writing.
///
/// A thread of its own writes: the records that wait are one batch, and with
/// [`sync`](Options::sync) one fdatasync, and then all of them are answered.
#[derive(Debug)]
pub struct AuditLog {
    tasks: Sender<Task>,
    backlog: Arc<Semaphore>,
    fault: Fault,
    options: Options,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl AuditLog {
    /// Goes on with the trail at `path`, or begins it. What a crash has torn is taken out, kept
    /// beside it, and named in the trail.
    ///
    /// # Errors
    /// Another process has it open, the file is something else or another node's, or it cannot be
    /// read or written.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let files = Files::lock(path)?;
        let left = files.resume()?;
        if let Some(theirs) = left.node.filter(|theirs| *theirs != options.node) {
            return Err(Error::OtherNode {
                path: path.to_owned(),
                theirs,
                ours: options.node,
            });
        }
        let fault = Fault::default();
        let mut writer = Writer {
            node: options.node.clone(),
            clock: Arc::clone(&options.clock),
            sync: options.sync,
            max_size: options.max_size,
            observer: Arc::clone(&options.observer),
            fault: Arc::clone(&fault),
            files,
            chain: Chain {
                head: left.head,
                tail: left.tail,
                lost: Lost::default(),
            },
        };
        writer.start(left.torn).map_err(Error::io("write", path))?;
        options.observer.writable(true);
        let (tasks, waiting) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("audit-log".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(Error::Thread)?;
        Ok(Self {
            tasks,
            backlog: Arc::new(Semaphore::new(options.backlog)),
            fault,
            options,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Why it cannot be written now, as far as that is known. What is known comes from the last
    /// attempt; after one that failed there is another every second.
    #[must_use]
    pub fn fault(&self) -> Option<Arc<io::Error>> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.clone()
    }

    /// Whether certificates leave without a record where none can be kept.
    #[must_use]
    pub fn is_fail_open(&self) -> bool {
        self.options.fail_open
    }

    /// Writes what waits, says that the server ends, and gives the file free. Nothing is kept after.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn close(&self) -> Result<(), WriteError> {
        let (answer, closed) = oneshot::channel();
        let sent = self.tasks.send(Task::Close(answer));
        sent.map_err(|_gone| WriteError::Closed)?;
        let closed = closed.await.map_err(|_gone| WriteError::Closed)?;
        self.join();
        closed
    }

    /// Waits for the thread, which has been told to end.
    fn join(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // If it panicked, that was said.
            let _ended = thread.join();
        }
    }

    async fn keep(&self, outcome: Outcome, body: String) -> Result<(), WriteError> {
        let kept = self.try_keep(outcome, body).await;
        if let Err(error @ (WriteError::Closed | WriteError::Late)) = &kept {
            self.options.observer.recorded(outcome, Err(error));
        }
        kept
    }

    async fn try_keep(&self, outcome: Outcome, body: String) -> Result<(), WriteError> {
        let deadline = Instant::now() + self.options.deadline;
        let place = Arc::clone(&self.backlog).acquire_owned();
        let place = timeout_at(deadline, place).await;
        let place = place.map_err(|_elapsed| WriteError::Late)?;
        let place = place.map_err(|_closed| WriteError::Closed)?;
        let (answer, kept) = oneshot::channel();
        self.send(outcome, body, Some(answer), place)?;
        let kept = timeout_at(deadline, kept).await;
        let kept = kept.map_err(|_elapsed| WriteError::Late)?;
        kept.map_err(|_gone| WriteError::Closed)?
    }

    fn send(
        &self,
        outcome: Outcome,
        body: String,
        answer: Option<oneshot::Sender<Result<(), WriteError>>>,
        place: OwnedSemaphorePermit,
    ) -> Result<(), WriteError> {
        let record = Pending {
            outcome,
            body,
            answer,
            _place: place,
        };
        let sent = self.tasks.send(Task::Keep(record));
        sent.map_err(|_gone| WriteError::Closed)
    }
}

/// Closes it, where nobody has, and waits for that.
impl Drop for AuditLog {
    fn drop(&mut self) {
        let (answer, _closed) = oneshot::channel();
        // Where the thread is gone, it was closed.
        let _sent = self.tasks.send(Task::Close(answer));
        self.join();
    }
}

impl Journal for AuditLog {
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a> {
        let now = self.options.clock.now();
        let (outcome, body) = match decision {
            Decision::Issued {
                identity,
                certified,
            } => (
                Outcome::Issued,
                record::issued(identity, certified, context, now),
            ),
            Decision::Refused { identity, error } => {
                let words = self.options.refusal_words;
                (
                    Outcome::Refused,
                    record::refused(identity, error, words, context, now),
                )
            }
        };
        Box::pin(async move {
            match self.keep(outcome, body).await {
                Err(error) if self.options.fail_open => {
                    tracing::error!(
                        request_id = context.request_id,
                        outcome = outcome.as_str(),
                        error = &error as &dyn core::error::Error,
                        "an answer leaves without a record in the audit log"
                    );
                    Ok(())
                }
                kept => kept.map_err(JournalError::new),
            }
        })
    }

    fn abandoned(&self, identity: &Identity, context: &RequestContext) {
        let outcome = Outcome::Abandoned;
        let body = record::abandoned(identity, context, self.options.clock.now());
        let place = Arc::clone(&self.backlog).try_acquire_owned();
        let sent = place
            .map_err(|_full| WriteError::Late)
            .and_then(|place| self.send(outcome, body, None, place));
        if let Err(error) = sent {
            self.options.observer.recorded(outcome, Err(&error));
            tracing::error!(
                request_id = context.request_id,
                error = &error as &dyn core::error::Error,
                "the audit log has no record of a request that nobody waits for any more"
            );
        }
    }
}
