use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::{
    Limits,
    heads::{Heads, Unfinished},
};

/// How far one connection is, and until when it must have come further.
///
/// [`PacedStream`](crate::paced_stream::PacedStream) tells it what the client sends, and the listener of requests that
/// begin and answers that end.
#[derive(Clone, Debug)]
pub(crate) struct Pace(Arc<Shared>);

/// What a client did not do in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// The head of a request that it had begun is not complete.
    Head,
    /// It has not begun a request.
    Request,
    /// Nothing: in HTTP/1 all is answered and sent, and it has been silent for [`REST`].
    Rest,
    /// Nothing: the server stops, and the connection can end without the loss of a request.
    Stop,
}

#[derive(Debug)]
struct Shared {
    head: Duration,
    silence: Duration,
    state: Mutex<State>,
    changed: Notify,
    /// Whether all that was written has been sent.
    is_sent: AtomicBool,
    is_stopping: AtomicBool,
}

/// After what silence a client is found to rest. It is longer than busy ones take between two requests.
const REST: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct State {
    heads: Heads,
    /// When a head began that is not complete, and when something was read last.
    head: Option<(Instant, Instant)>,
    /// Requests without a complete answer.
    requests: usize,
    /// Since when there are none, and how long there may be none.
    idle: (Instant, Duration),
    /// Until when a request may begin, where the server stops.
    stopping: Option<Instant>,
    /// When [`Pace::overdue`] looks again by itself.
    awaited: Option<Instant>,
    may_rest: bool,
}

impl Pace {
    /// Of a connection that begins now.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Shared {
            head: limits.head,
            silence: limits.idle,
            state: Mutex::new(State {
                heads: Heads::default(),
                head: None,
                requests: 0,
                idle: (Instant::now(), limits.idle),
                stopping: None,
                awaited: None,
                may_rest: false,
            }),
            changed: Notify::new(),
            is_sent: AtomicBool::new(true),
            is_stopping: AtomicBool::new(false),
        }))
    }

    /// Notes that a request has begun, until what is returned is dropped.
    pub(crate) fn request(&self) -> PacedRequest {
        let mut state = self.state();
        state.requests += 1;
        if state.heads.end_with_request() {
            state.head = None;
        }
        self.changed(state);
        PacedRequest(self.clone())
    }

    /// Notes that the client was told that the connection ends, and grants it the time of one more head.
    pub(crate) fn closing(&self) {
        let mut state = self.state();
        state.idle = (Instant::now(), self.0.head);
        self.changed(state);
    }

    /// Notes that the server stops, and waits for a request that may be on its way.
    pub(crate) fn stopping(&self, linger: Duration) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
        let mut state = self.state();
        state.stopping = Instant::now().checked_add(linger);
        self.changed(state);
    }

    /// Notes that the connection was told that the server stops.
    pub(crate) fn stopped(&self) {
        self.state().stopping = None;
    }

    /// Whether [`overdue`](Self::overdue) tells of rest from now on.
    pub(crate) fn may_rest(&self, may_rest: bool) {
        let mut state = self.state();
        state.may_rest = may_rest;
        self.changed(state);
    }

    /// Notes whether all that was written has been sent.
    pub(crate) fn sent(&self, is_sent: bool) {
        self.0.is_sent.store(is_sent, Ordering::Relaxed);
    }

    /// Whether the client speaks HTTP/2, if that is known already.
    pub(crate) fn is_http2(&self) -> Option<bool> {
        match self.state().heads {
            Heads::Unknown(_) => None,
            Heads::Http1 => Some(false),
            Heads::Http2(_) => Some(true),
        }
    }

    /// Waits until the client is too late with something, or rests.
    pub(crate) async fn overdue(&self) -> Overdue {
        let mut expected = None;
        loop {
            let deadline = self.awaited();
            let changed = self.0.changed.notified();
            match deadline {
                None => changed.await,
                // Something may have been read on time that was only seen after it.
                Some((overdue, deadline))
                    if expected == Some(overdue) && deadline <= Instant::now() =>
                {
                    return overdue;
                }
                Some((overdue, deadline)) => {
                    expected = Some(overdue);
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(deadline) => {}
                    }
                }
            }
        }
    }

    /// What the client may be late with next, and when, which is when it is looked at again.
    fn awaited(&self) -> Option<(Overdue, Instant)> {
        let mut state = self.state();
        let next = self.deadline(&state);
        state.awaited = next.map(|(_, deadline)| deadline);
        next
    }

    /// Wakes [`overdue`](Self::overdue) where it would look too late. Mostly it would not: what is due sooner than
    /// before has been put off again before it comes to that.
    fn changed(&self, state: MutexGuard<'_, State>) {
        let is_sooner = match (self.deadline(&state), state.awaited) {
            (Some((_, deadline)), Some(awaited)) => deadline < awaited,
            (Some(_), None) => true,
            (None, _) => false,
        };
        drop(state);
        if is_sooner {
            self.0.changed.notify_one();
        }
    }

    fn deadline(&self, state: &State) -> Option<(Overdue, Instant)> {
        if let Some(until) = state.stopping {
            // HTTP/2 tells the client which of its requests will be answered.
            if state.requests > 0 || matches!(state.heads, Heads::Http2(_)) {
                return Some((Overdue::Stop, Instant::now()));
            }
            if state.head.is_none() {
                return Some((Overdue::Stop, until));
            }
        }
        let (overdue, deadlines) = match (state.head, state.idle) {
            (Some((begun, read)), _) => (
                Overdue::Head,
                [(begun, self.0.head), (read, self.0.silence)],
            ),
            (None, _idle) if state.requests > 0 => return None,
            (None, (since, limit))
                if state.may_rest
                    && limit > REST
                    && matches!(state.heads, Heads::Http1)
                    && self.0.is_sent.load(Ordering::Relaxed)
                    && !self.0.is_stopping.load(Ordering::Relaxed) =>
            {
                (Overdue::Rest, [(since, REST), (since, limit)])
            }
            (None, idle) => (Overdue::Request, [idle, idle]),
        };
        // A limit beyond what the clock can hold is none.
        let deadlines = deadlines
            .into_iter()
            .filter_map(|(since, limit)| since.checked_add(limit));
        Some((overdue, deadlines.min()?))
    }

    /// Notes what the client has sent.
    pub(crate) fn read(&self, bytes: &[u8]) {
        let mut state = self.state();
        let requests = state.requests;
        let heads = state.heads.read(bytes, requests > 0);
        let now = Instant::now();
        let before = state.head;
        state.head = match (heads, before) {
            (Unfinished::Nothing, _) => None,
            (Unfinished::Same, Some((begun, _))) => Some((begun, now)),
            _ => Some((now, now)),
        };
        if state.head != before {
            self.changed(state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held cannot leave it half changed.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request whose answer is not complete.
#[derive(Debug)]
pub(crate) struct PacedRequest(Pace);

impl PacedRequest {
    /// Whether the server stops, so that the client has to be told that nothing more is read after this.
    pub(crate) fn is_last(&self) -> bool {
        self.0.0.is_stopping.load(Ordering::Relaxed)
    }
}

impl Drop for PacedRequest {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        if state.requests == 0 {
            state.idle.0 = Instant::now();
        }
        self.0.changed(state);
    }
}
