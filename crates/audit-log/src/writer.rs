use core::{mem, time::Duration};
use std::{
    fs::File,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::SystemTime,
};

use fulcio_issuance::Clock;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    AuditObserver, Head, Outcome, WriteError,
    files::Files,
    medium::{Medium, Tail},
    notice::{FORMAT, Notice, Timed, Torn},
    record::{rfc3339, text},
};

/// What the thread that writes is asked for.
pub(crate) enum Task {
    /// Keeps a record.
    Keep(Pending),
    /// Ends the trail as it should end.
    Close(oneshot::Sender<Result<(), WriteError>>),
}

/// A record that waits.
pub(crate) struct Pending {
    pub(crate) outcome: Outcome,
    /// A JSON object.
    pub(crate) body: String,
    /// Who waits for it, if anybody.
    pub(crate) answer: Option<oneshot::Sender<Result<(), WriteError>>>,
    /// Its place in the backlog.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// Why the trail cannot be written now, shared with whoever asks.
pub(crate) type Fault = Arc<Mutex<Option<Arc<io::Error>>>>;

/// What the thread that writes has.
pub(crate) struct Writer {
    pub(crate) node: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sync: bool,
    pub(crate) max_size: u64,
    pub(crate) observer: Arc<dyn AuditObserver>,
    pub(crate) fault: Fault,
    pub(crate) files: Files,
    pub(crate) chain: Chain<File>,
}

/// The end of a chain, and the file that it grows in.
pub(crate) struct Chain<M> {
    pub(crate) head: Head,
    /// None before the first file, and between two.
    pub(crate) tail: Option<Tail<M>>,
    pub(crate) lost: Lost,
}

/// Records that could not be kept since the last batch that was.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    moments: Option<(SystemTime, SystemTime)>,
    counts: [u64; Outcome::ALL.len()],
}

impl Lost {
    fn add(&mut self, outcomes: &[Outcome], now: SystemTime) {
        let first = self.moments.map_or(now, |(first, _)| first);
        self.moments = Some((first, now));
        for outcome in outcomes {
            self.counts[*outcome as usize] += 1;
        }
    }

    fn notice(&self) -> Option<Notice<'static>> {
        let (from, to) = self.moments?;
        let count = |outcome: Outcome| self.counts[outcome as usize];
        Some(Notice::Lost {
            from: rfc3339(from),
            to: rfc3339(to),
            abandoned: count(Outcome::Abandoned),
            issued: count(Outcome::Issued),
            refused: count(Outcome::Refused),
        })
    }
}

impl<M: Medium> Chain<M> {
    /// Appends these JSON objects as one batch, after a notice of what was lost before; all of them
    /// or none.
    pub(crate) fn append(
        &mut self,
        bodies: &[&str],
        now: SystemTime,
        sync: bool,
    ) -> io::Result<()> {
        let (mut head, mut lines) = (self.head, Vec::new());
        let lost = self.lost.notice();
        if let Some(notice) = &lost {
            head = head.append(&timed(notice, now), &mut lines);
        }
        for body in bodies {
            head = head.append(body, &mut lines);
        }
        let tail = self.tail.as_mut();
        let tail = tail.ok_or_else(|| io::Error::other("there is no file"))?;
        tail.append(&lines, sync)?;
        self.head = head;
        self.lost = Lost::default();
        Ok(())
    }

    /// Remembers that these could not be kept.
    pub(crate) fn lose(&mut self, outcomes: &[Outcome], now: SystemTime) {
        self.lost.add(outcomes, now);
    }
}

impl Writer {
    /// Says that a server begins to write; whether it can is known afterwards.
    pub(crate) fn start(&mut self, torn: Option<Torn>) -> io::Result<()> {
        self.begin_file_if_needed()?;
        let notice = Notice::Started {
            version: env!("CARGO_PKG_VERSION"),
            sync: self.sync,
            torn,
        };
        let now = self.clock.now();
        self.chain.append(&[&timed(&notice, now)], now, true)
    }

    /// Writes until there is nobody left who could ask for it.
    pub(crate) fn run(mut self, tasks: &Receiver<Task>) {
        loop {
            let first = if self.is_at_fault() {
                tasks.recv_timeout(RETRY)
            } else {
                tasks.recv().map_err(|_gone| RecvTimeoutError::Disconnected)
            };
            let (mut batch, mut close) = (Vec::new(), None);
            match first {
                Ok(Task::Keep(record)) => batch.push(record),
                Ok(Task::Close(answer)) => close = Some(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    // What went wrong is in the log; nobody is left to be told.
                    let _stopped = self.stop_and_tell();
                    return;
                }
            }
            let mut bytes = 0;
            while close.is_none() && batch.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
                match tasks.try_recv() {
                    Ok(Task::Keep(record)) => {
                        bytes += record.body.len();
                        batch.push(record);
                    }
                    Ok(Task::Close(answer)) => close = Some(answer),
                    Err(_empty_or_gone) => break,
                }
            }
            if !batch.is_empty() || self.is_at_fault() {
                self.keep(batch);
            }
            if let Some(answer) = close {
                let stopped = self.stop_and_tell();
                // Who does not wait for it does not need it.
                let _sent = answer.send(stopped);
                return;
            }
        }
    }

    /// Keeps a batch, or not, and tells everybody. An empty one finds out whether it can be done again.
    fn keep(&mut self, batch: Vec<Pending>) {
        let now = self.clock.now();
        let bodies: Vec<_> = batch.iter().map(|record| record.body.as_str()).collect();
        let kept = self.try_keep(&bodies, now);
        let outcomes: Vec<_> = batch.iter().map(|record| record.outcome).collect();
        let result = self.note(kept, &outcomes, now);
        for record in batch {
            self.observer
                .recorded(record.outcome, result.as_ref().copied());
            if let Some(answer) = record.answer {
                // Who does not wait any more has been told that it was late.
                let _sent = answer.send(result.clone());
            }
        }
    }

    fn try_keep(&mut self, bodies: &[&str], now: SystemTime) -> io::Result<()> {
        self.begin_file_if_needed()?;
        self.chain.append(bodies, now, self.sync)
    }

    /// Notes what came of an attempt to write.
    fn note(
        &mut self,
        written: io::Result<()>,
        outcomes: &[Outcome],
        now: SystemTime,
    ) -> Result<(), WriteError> {
        match written {
            Ok(()) => {
                if self.set_fault(None).is_some() {
                    tracing::warn!("the audit log can be written again");
                }
                Ok(())
            }
            Err(error) => {
                let error = Arc::new(error);
                if self.set_fault(Some(Arc::clone(&error))).is_none() {
                    tracing::error!(
                        error = &*error as &dyn core::error::Error,
                        "the audit log cannot be written"
                    );
                }
                self.chain.lose(outcomes, now);
                Err(WriteError::Disk(error))
            }
        }
    }

    /// Puts a file away that is full, and begins one where there is none.
    fn begin_file_if_needed(&mut self) -> io::Result<()> {
        let is_full = |tail: &Tail<File>| tail.end() >= self.max_size;
        if self.chain.tail.as_ref().is_some_and(is_full) {
            if let Some(tail) = &mut self.chain.tail {
                tail.sync()?;
            }
            self.files.put_away()?;
            self.chain.tail = None;
        }
        if let Some(tail) = &self.chain.tail
            && !self.files.is_in_place(tail.medium())?
        {
            tracing::warn!(
                "the file of the audit log was moved away; the chain goes on in a new one"
            );
            self.chain.tail = None;
        }
        if self.chain.tail.is_none() {
            self.begin_file()?;
        }
        Ok(())
    }

    fn begin_file(&mut self) -> io::Result<()> {
        let mut tail = self.files.create()?;
        let now = self.clock.now();
        let notice = Notice::File {
            format: FORMAT,
            node: &self.node,
            file: self.files.former,
        };
        let mut line = Vec::new();
        let head = self.chain.head.append(&timed(&notice, now), &mut line);
        if let Err(error) = tail.append(&line, true) {
            drop(tail);
            self.files.discard()?;
            return Err(error);
        }
        self.chain.head = head;
        self.chain.tail = Some(tail);
        Ok(())
    }

    fn stop_and_tell(&mut self) -> Result<(), WriteError> {
        let now = self.clock.now();
        let notice = timed(&Notice::Stopped {}, now);
        let stopped = self
            .begin_file_if_needed()
            .and_then(|()| self.chain.append(&[&notice], now, true));
        self.note(stopped, &[], now)
    }

    fn is_at_fault(&self) -> bool {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.is_some()
    }

    /// Sets what is wrong, and gives what was.
    fn set_fault(&self, fault: Option<Arc<io::Error>>) -> Option<Arc<io::Error>> {
        self.observer.writable(fault.is_none());
        let mut current = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        mem::replace(&mut current, fault)
    }
}

fn timed(notice: &Notice<'_>, now: SystemTime) -> String {
    text(&Timed {
        time: rfc3339(now),
        notice,
    })
}

/// Records in one batch, and bytes in it.
const MAX_BATCH: usize = 1024;
const MAX_BATCH_BYTES: usize = 4 << 20;

/// How often it is tried whether the trail can be written again.
const RETRY: Duration = Duration::from_secs(1);
