use core::time::Duration;

use tokio::time::{Instant, timeout_at};

/// What `call` gives, unless it takes longer than `time`. An answer that comes too late is none,
/// however short the time is.
pub(crate) async fn within<T>(time: Duration, call: impl Future<Output = T>) -> Option<T> {
    let Some(deadline) = Instant::now().checked_add(time) else {
        return Some(call.await);
    };
    let answer = timeout_at(deadline, call).await.ok()?;
    (Instant::now() < deadline).then_some(answer)
}
