use std::sync::Arc;

use fulcio_oidc_verify::ProviderObserver;

use crate::Error;

/// Is told of what happens at one configured issuer, or of the tokens of all that are not
/// configured: for metrics and logs.
///
/// It must neither wait nor fail: the request waits for it.
pub trait IssuerObserver: ProviderObserver {
    /// A token was accepted, or was not. This is called in the task that authenticates.
    fn judged(self: Arc<Self>, outcome: Result<(), &Error>);
}
