use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use fulcio_ct_client::{
    LogKey, SignedCertificateTimestamp, Submission, Submitting, TransparencyLog,
};
use tokio::sync::oneshot;

use crate::{
    backlog::Backlog,
    creation,
    disk::{Disk, Folder},
    error::Error,
    identity::Identity,
    options::{Options, millis},
    publishing::{self, Pace},
    reader::{Checkpoint, FetchError, InclusionProof, Reader, Source},
    recovery,
    resource::Resource,
    sequencer::{BatchLimits, Sequencer},
    status::Status,
    submission::{Placed, Waiting},
};

/// A transparency log in a folder of this machine.
///
/// One process has it open. A timestamp is given out after its entry is durable; tiles and
/// checkpoint follow within a second. Two threads of its own do the writing: submitting waits
/// without blocking, while opening and reading block for as long as the disk takes.
///
/// Whoever holds it decides what goes in: it does not check who issued a certificate. After a
/// failure of the disk it takes nothing more, says so, and has lost nothing that it promised;
/// opening it anew may help.
#[derive(Debug)]
pub struct EmbeddedLog {
    disk: Arc<dyn Disk>,
    identity: Identity,
    queue: Mutex<Option<mpsc::SyncSender<Waiting>>>,
    status: Arc<Status>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    timeout: Duration,
}

impl EmbeddedLog {
    /// Opens the log in `folder`, or creates it there when `options` has an origin.
    ///
    /// # Errors
    ///
    /// The folder cannot be used, is in use, or is damaged; or `options` do not fit the log.
    pub fn open(folder: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let disk =
            Folder::open(folder).map_err(Error::disk("create the folder or open its", "lock"))?;
        let disk: Arc<dyn Disk> = Arc::new(disk.ok_or_else(|| Error::InUse {
            folder: folder.to_owned(),
        })?);
        let log = Self::open_on(disk, options);
        log.map_err(|error| match error {
            Error::NoLog { .. } => Error::NoLog {
                folder: folder.to_owned(),
            },
            other => other,
        })
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Self, Error> {
        let identity = creation::open_or_create(&disk, &options)?;
        let (journal, mut publisher) = recovery::recover(&disk, &identity)?;
        let newest = publisher.newest();
        let published = publisher.publish(millis(options.clock.now()))?;
        let recent = recovery::remember(&*disk, &published.checkpoint, RECENT, REMEMBERED);
        let status = Arc::new(Status::new(published));
        let backlog = Arc::new(Backlog::new(MAX_BACKLOG));
        let (sender, receiver) = mpsc::sync_channel(options.queue);

        let sequencer = Sequencer {
            disk: Arc::clone(&disk),
            journal,
            clock: options.clock.clone(),
            newest,
            batch: BatchLimits {
                entries: options.batch,
                delay: options.batch_delay,
            },
            backlog: Arc::clone(&backlog),
            recent,
            issuers: HashSet::new(),
        };
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.to_owned());
            thread
                .spawn(work)
                .map_err(Error::disk("start a thread for", name))
        };
        let (told, left) = (Arc::clone(&status), Arc::clone(&backlog));
        let sequencing = spawn(
            "ct-log-sequence",
            Box::new(move || {
                let _ending = Ending(&left, &told);
                sequencer.run(&receiver, &told);
            }),
        )?;
        let told = Arc::clone(&status);
        let pace = Pace {
            interval: options.publish_interval,
            refresh: options.refresh_interval,
        };
        let publishing = spawn(
            "ct-log-publish",
            Box::new(move || {
                let _finishing = Finishing(&told);
                let _ending = Ending(&backlog, &told);
                let done = publishing::run(publisher, &backlog, &options.clock, pace, &told);
                if let Err(cause) = done {
                    told.stop(cause);
                }
            }),
        )?;
        Ok(Self {
            disk,
            identity,
            queue: Mutex::new(Some(sender)),
            status,
            threads: Mutex::new(vec![sequencing, publishing]),
            timeout: options.timeout,
        })
    }

    /// The public key; its hash is the log's identifier.
    #[must_use]
    pub fn key(&self) -> &LogKey {
        self.identity.key.public()
    }

    /// The public key as a file: PEM (RFC 7468, section 13).
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        self.identity.key.public_pem()
    }

    /// The public key of the second signature on checkpoints, if they carry one, as verifiers of
    /// signed notes take it: `log.example.com/2026+` and so on (c2sp.org/signed-note).
    #[must_use]
    pub fn note_verifier_key(&self) -> Option<String> {
        let note = self.identity.note.as_ref()?;
        Some(note.verifier().encode(self.origin()))
    }

    /// The name in the log's checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.identity.origin
    }

    /// The latest published tree.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.status.published().checkpoint.clone()
    }

    /// Waits until a tree of at least `size` entries is published: for entry `i`, `i + 1`.
    ///
    /// # Errors
    ///
    /// The log stops or is closed before.
    pub async fn published(&self, size: u64) -> Result<Checkpoint, Error> {
        let mut publications = self.status.publications();
        let mut finished = self.status.finishing();
        let grown = publications.wait_for(|published| published.checkpoint.size() >= size);
        tokio::select! {
            biased;
            Ok(published) = grown => Ok(published.checkpoint.clone()),
            _ = finished.wait_for(|finished| *finished) => Err(self.gone()),
            else => Err(self.gone()),
        }
    }

    /// Whether the log takes submissions.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub fn health(&self) -> Result<(), Error> {
        match self.status.stopped() {
            Some(cause) => Err(cause),
            None if self.sender().is_none() => Err(Error::Closed),
            None => Ok(()),
        }
    }

    /// What is served below the log's URL at `path`, such as `checkpoint`, `tile/0/x001/234`,
    /// `tile/data/000.p/7`, or `issuer/` and a fingerprint; nothing when there is no such thing.
    ///
    /// It reads the disk.
    ///
    /// # Errors
    ///
    /// The disk failed, or a published file is gone.
    pub fn read(&self, path: &str) -> Result<Option<Resource>, Error> {
        loop {
            let published = self.status.published();
            let read = Resource::read(&*self.disk, &published, path);
            // A partial tile is removed some time after there is a wider one.
            let stale = !Arc::ptr_eq(&published, &self.status.published());
            match read {
                Err(Error::Damaged { .. }) if stale => {}
                read => return read,
            }
        }
    }

    /// The proof that entry `index` is in the latest published tree. It reads the disk.
    ///
    /// # Errors
    ///
    /// The entry is not published yet, or the log's files are damaged.
    pub fn inclusion_proof(&self, index: u64) -> Result<InclusionProof, Error> {
        let checkpoint = self.checkpoint();
        let reader = Reader::new(self, self.origin(), self.key().clone());
        reader.inclusion(&checkpoint, index).map_err(Error::from)
    }

    /// Takes nothing more, and waits until all that was taken is published. The folder stays
    /// locked until the log is dropped.
    ///
    /// # Errors
    ///
    /// The log had stopped, or stops now.
    pub async fn close(&self) -> Result<(), Error> {
        self.queue().take();
        // An error means that the status is gone, which we hold.
        drop(self.status.finishing().wait_for(|finished| *finished).await);
        let threads =
            core::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // Both have said that they are done; a panic was reported as it happened.
            drop(thread.join());
        }
        self.status.stopped().map_or(Ok(()), Err)
    }

    async fn sequence(
        &self,
        submission: Submission<'_>,
    ) -> Result<SignedCertificateTimestamp, Error> {
        let (reply, answer) = oneshot::channel::<Arc<Placed>>();
        let waiting = Waiting::new(&submission, reply)?;
        self.health()?;
        let sender = self.sender().ok_or(Error::Closed)?;
        sender.try_send(waiting).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => Error::Busy,
            mpsc::TrySendError::Disconnected(_) => self.gone(),
        })?;
        drop(sender);
        let timeout = self.timeout;
        let placed = tokio::time::timeout(timeout, answer)
            .await
            .map_err(|_| Error::Deadline { timeout })?
            .map_err(|_| self.gone())?;
        placed.signed(submission.entry, &self.identity.key)
    }

    fn gone(&self) -> Error {
        self.status.stopped().unwrap_or(Error::Closed)
    }

    fn sender(&self) -> Option<mpsc::SyncSender<Waiting>> {
        self.queue().clone()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Option<mpsc::SyncSender<Waiting>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TransparencyLog for EmbeddedLog {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(async move { Ok(self.sequence(submission).await?) })
    }
}

impl Source for &EmbeddedLog {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(self.read(path)?.map(|resource| resource.bytes))
    }
}

/// Leaves the other thread nothing to wait for when a thread ends, however it ends.
struct Ending<'a>(&'a Backlog, &'a Status);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.1.stop(Error::Closed);
        }
        self.0.close();
    }
}

/// Says that the log is done when its last thread ends, however it ends.
struct Finishing<'a>(&'a Status);

impl Drop for Finishing<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Bytes of entries that may wait to be published.
const MAX_BACKLOG: usize = 64 << 20;

/// Entries that are still remembered after a restart, at least, if there are as many. Reading them
/// is most of what opening a log costs on a cold disk.
const REMEMBERED: u64 = 1024;

/// Entries that are remembered, for retries.
const RECENT: usize = 4096;
