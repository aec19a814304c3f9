use core::{
    error::Error as StdError,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};

/// A request body that must have arrived by a moment.
#[derive(Debug)]
pub struct TimedBody {
    body: Incoming,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Why a request body did not arrive.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The connection broke.
    Connection(hyper::Error),
    /// The sender was too slow.
    Slow,
}

impl TimedBody {
    pub(crate) fn new(body: Incoming, time: Duration) -> Self {
        let deadline = (!body.is_end_stream()).then(|| Box::pin(sleep(time)));
        Self { body, deadline }
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
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Connection)));
        }
        match &mut self.deadline {
            Some(deadline) => deadline
                .as_mut()
                .poll(context)
                .map(|()| Some(Err(BodyError::Slow))),
            None => Poll::Pending,
        }
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
            Self::Slow => "the body did not arrive in time",
        })
    }
}

impl StdError for BodyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connection(error) => Some(error),
            Self::Slow => None,
        }
    }
}
