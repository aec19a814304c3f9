use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::journal::Frame;

/// Batches that are durable and not published yet; bounded, so that a slow disk slows
/// submissions down and does not fill the memory.
#[derive(Debug)]
pub(crate) struct Backlog {
    queue: Mutex<Queue>,
    changed: Condvar,
    limit: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    weight: usize,
    closed: bool,
}

impl Backlog {
    /// Takes on about `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            queue: Mutex::default(),
            changed: Condvar::new(),
            limit,
        }
    }

    /// Adds a batch; waits while there are too many. False when nobody takes any more.
    pub(crate) fn push(&self, frame: Frame) -> bool {
        let mut queue = self.lock();
        while queue.weight > self.limit && !queue.closed {
            queue = self.wait(queue, None);
        }
        if queue.closed {
            return false;
        }
        queue.weight += frame.weight();
        queue.frames.push_back(frame);
        self.changed.notify_all();
        true
    }

    /// Nothing more will come, or nobody takes any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes the oldest batch, waiting for one until `deadline`.
    pub(crate) fn take(&self, deadline: Instant) -> Taken {
        let mut queue = self.lock();
        loop {
            if let Some(frame) = queue.frames.pop_front() {
                queue.weight -= frame.weight();
                self.changed.notify_all();
                return Taken::Frame(frame);
            }
            if queue.closed {
                return Taken::Closed;
            }
            if Instant::now() >= deadline {
                return Taken::Nothing;
            }
            queue = self.wait(queue, Some(deadline));
        }
    }

    fn wait<'a>(
        &self,
        queue: MutexGuard<'a, Queue>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, Queue> {
        match deadline {
            None => self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let rest = deadline.saturating_duration_since(Instant::now());
                self.changed
                    .wait_timeout(queue, rest)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`Backlog::take`] got.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A batch.
    Frame(Frame),
    /// None yet.
    Nothing,
    /// None, and none will come.
    Closed,
}
