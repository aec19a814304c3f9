use core::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use fulcio_issuance::Refusal;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};

use crate::Gate;

/// A request body that must have arrived by a moment.
#[derive(Debug)]
pub struct TimedBody {
    body: Incoming,
    deadline: Option<Instant>,
    /// Until the deadline; most bodies are there before anybody has to wait.
    waiting: Option<Pin<Box<Sleep>>>,
    allowance: Option<Allowance>,
    length: usize,
}

/// Why a request body did not arrive.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The connection broke.
    Connection(hyper::Error),
    /// It is a large one, and there are too many of these at once.
    Crowded,
    /// The sender was too slow.
    Slow,
}

/// The places for bodies that are large, so that what is kept of requests at once is bounded.
#[derive(Clone, Debug)]
pub(crate) struct LargeBodies(Arc<Semaphore>);

/// What one body may take up. It keeps its place until the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    places: LargeBodies,
    state: Arc<Mutex<Size>>,
}

#[derive(Debug)]
enum Size {
    Small,
    Large { _place: OwnedSemaphorePermit },
    Outgrown,
}

impl LargeBodies {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Bounds a body that may turn out to be large.
    ///
    /// # Errors
    /// It says that it is large, and there is no place.
    pub(crate) fn allow(&self, body: &mut TimedBody) -> Result<Option<Allowance>, Refusal> {
        let length = body.size_hint();
        if length
            .upper()
            .is_some_and(|most| most <= Gate::SMALL_BODY as u64)
        {
            return Ok(None);
        }
        let allowance = Allowance {
            places: self.clone(),
            state: Arc::new(Mutex::new(Size::Small)),
        };
        if length.lower() > Gate::SMALL_BODY as u64 && !allowance.grow() {
            let retry_after = Duration::from_secs(1);
            return Err(Refusal::Overloaded { retry_after });
        }
        body.allowance = Some(allowance.clone());
        Ok(Some(allowance))
    }
}

impl Allowance {
    /// Takes a place among the large ones, unless it has one; false where there is none.
    fn grow(&self) -> bool {
        let mut state = self.state();
        if matches!(*state, Size::Small) {
            *state = match Arc::clone(&self.places.0).try_acquire_owned() {
                Ok(place) => Size::Large { _place: place },
                Err(_none) => Size::Outgrown,
            };
        }
        matches!(*state, Size::Large { .. })
    }

    pub(crate) fn is_outgrown(&self) -> bool {
        matches!(*self.state(), Size::Outgrown)
    }

    fn state(&self) -> MutexGuard<'_, Size> {
        // A panic while it was held cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TimedBody {
    pub(crate) fn new(body: Incoming, time: Duration) -> Self {
        // One beyond what the clock can hold is none.
        let deadline = Instant::now().checked_add(time);
        Self {
            deadline: deadline.filter(|_| !body.is_end_stream()),
            body,
            waiting: None,
            allowance: None,
            length: 0,
        }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let length = match &frame {
                Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
                _ => 0,
            };
            self.length = self.length.saturating_add(length);
            if self.length > Gate::SMALL_BODY
                && self
                    .allowance
                    .as_ref()
                    .is_some_and(|allowance| !allowance.grow())
            {
                return Poll::Ready(Some(Err(BodyError::Crowded)));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Connection)));
        }
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let waiting = &mut self.waiting;
        let waiting = waiting.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        let late = waiting.as_mut().poll(context);
        late.map(|()| Some(Err(BodyError::Slow)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection(_) => "the connection broke before the body had arrived",
            Self::Crowded => "there are too many large bodies at once",
            Self::Slow => "the body did not arrive in time",
        })
    }
}

impl StdError for BodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connection(error) => Some(error),
            Self::Crowded | Self::Slow => None,
        }
    }
}
