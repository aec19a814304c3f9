use core::{fmt, time::Duration};

use crate::Error;

/// Is told of what a [`Provider`](crate::Provider) asks its issuer for: for metrics.
///
/// It must neither wait nor fail: tokens wait for what it is told of.
pub trait ProviderObserver: fmt::Debug + Send + Sync {
    /// A fetch of the key set, and of the discovery document where that was due, has ended after
    /// this time.
    fn fetched(&self, outcome: Result<(), &Error>, after: Duration);
}
