use core::{future::poll_fn, pin::pin, task::Poll};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// That something panicked. What it said stays here: it may hold anything.
#[derive(Debug)]
pub(crate) struct Panicked;

/// Runs `future`, and stops it where it panics.
pub(crate) async fn contained<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_payload) => Poll::Ready(Err(Panicked)),
        },
    )
    .await
}
