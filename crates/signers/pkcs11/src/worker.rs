use core::{convert::Infallible, time::Duration};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel},
    },
    thread,
};

use cryptoki::object::ObjectHandle;
use fulcio_remote_key::PublicKey;
use tokio::sync::oneshot;

use crate::{Error, KeyReference, scheme, session::LoggedIn, token::Shared};

/// The threads that sign with one key, each in a session of its own.
///
/// They end when this is dropped, which waits for them a moment: a process that ends while one is
/// inside the module may crash in there.
#[derive(Debug)]
pub(crate) struct Workers {
    jobs: Option<SyncSender<Job>>,
    /// Nothing is ever sent: it closes when the last thread has ended.
    ended: Mutex<Receiver<Infallible>>,
}

#[derive(Debug)]
struct Job {
    message: Vec<u8>,
    answer: oneshot::Sender<Result<Vec<u8>, Error>>,
}

impl Workers {
    pub(crate) fn start(
        token: &Arc<Shared>,
        key: &KeyReference,
        public: &Arc<PublicKey>,
        threads: usize,
    ) -> Result<Self, Error> {
        let (jobs, queue) = sync_channel(MAX_WAITING);
        let queue = Arc::new(Mutex::new(queue));
        let (ending, ended) = channel();
        for _ in 0..threads {
            let (queue, ending) = (Arc::clone(&queue), Sender::clone(&ending));
            let mut worker = Worker {
                token: Arc::clone(token),
                key: key.clone(),
                public: Arc::clone(public),
                session: None,
            };
            thread::Builder::new()
                .name("pkcs11-sign".to_owned())
                .spawn(move || {
                    worker.run(&queue);
                    drop(worker);
                    drop(ending);
                })
                .map_err(Error::Thread)?;
        }
        Ok(Self {
            jobs: Some(jobs),
            ended: Mutex::new(ended),
        })
    }

    /// Has a message signed; whoever waits no longer drops the receiver, and it is not signed
    /// unless that has begun.
    pub(crate) fn sign(
        &self,
        message: &[u8],
    ) -> Result<oneshot::Receiver<Result<Vec<u8>, Error>>, Error> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            message: message.to_vec(),
            answer,
        };
        let jobs = self.jobs.as_ref().ok_or(Error::ThreadEnded)?;
        match jobs.try_send(job) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_job)) => Err(Error::Busy {
                waiting: MAX_WAITING,
            }),
            Err(TrySendError::Disconnected(_job)) => Err(Error::ThreadEnded),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Those that hang in the module cannot be waited for.
        let _ended_or_not = ended.recv_timeout(AT_THE_END);
    }
}

struct Worker {
    token: Arc<Shared>,
    key: KeyReference,
    public: Arc<PublicKey>,
    session: Option<(LoggedIn, ObjectHandle)>,
}

impl Worker {
    fn run(&mut self, queue: &Mutex<Receiver<Job>>) {
        // The first signature need not wait for a session. What fails here will be told to it.
        drop(self.opened());
        loop {
            let next = {
                let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.recv()
            };
            let Ok(job) = next else { return };
            if job.answer.is_closed() {
                continue;
            }
            let signature = self.sign(&job.message);
            drop(job.answer.send(signature));
        }
    }

    /// Signs, and once more in a new session when the one there was is lost.
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let had_session = self.session.is_some();
        match self.attempt(message) {
            Err(error) if error.is_lost() => {
                self.session = None;
                if had_session {
                    self.attempt(message)
                        .inspect_err(|_error| self.session = None)
                } else {
                    Err(error)
                }
            }
            answer => answer,
        }
    }

    fn attempt(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let algorithm = self.public.algorithm();
        let (session, key) = self.opened()?;
        let signature = session.work(|session| scheme::sign(session, *key, algorithm, message));
        let signature = signature.unwrap_or_else(|| Err(self.token.gone()))?;
        match self.public.verify(message, &signature) {
            Ok(()) => Ok(signature),
            Err(cause) => Err(Error::Signature(cause)),
        }
    }

    fn opened(&mut self) -> Result<&(LoggedIn, ObjectHandle), Error> {
        if self.session.is_none() {
            let opened = LoggedIn::open_again(&self.token.module, &self.token.config, false)?;
            let key = opened.work(|session| self.key.find(session));
            let key = key.unwrap_or_else(|| Err(self.token.gone()))?;
            self.session = Some((opened, key));
        }
        self.session.as_ref().ok_or_else(|| self.token.gone())
    }
}

/// More wait only where nothing moves, and then nobody should.
const MAX_WAITING: usize = 1024;
const AT_THE_END: Duration = Duration::from_secs(1);
