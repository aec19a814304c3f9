use core::pin::Pin;
use std::sync::Arc;

use crate::{AcceptedRoots, Error, TransparencyLog};

/// A log elsewhere, which can be asked something without being given anything.
pub trait RemoteLog: TransparencyLog {
    /// Asks once, and answers within a bounded time, which roots the log accepts (`get-roots`,
    /// RFC 6962 section 4.7); `None` where the log does not tell.
    ///
    /// The failure of the error is [`Unavailable`](crate::Failure::Unavailable) just where the log
    /// is not there, or wants to be left alone.
    fn roots(&self) -> FetchingRoots<'_>;
}

impl<L: RemoteLog + ?Sized> RemoteLog for Arc<L> {
    fn roots(&self) -> FetchingRoots<'_> {
        (**self).roots()
    }
}

/// The answer that [`RemoteLog::roots`] promises.
pub type FetchingRoots<'a> =
    Pin<Box<dyn Future<Output = Result<Option<AcceptedRoots>, Error>> + Send + 'a>>;
