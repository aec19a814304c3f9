//! Which configured issuer the token of a request was of. The one who learns it, deep within the
//! pipeline, and those who tell it, the journal and the counters, share no argument that could
//! carry it; all run in the task of the request.

use std::{cell::OnceCell, sync::Arc};

use super::IssuerMetrics;

tokio::task_local! {
    static VOUCHER: OnceCell<Arc<IssuerMetrics>>;
}

/// Does `work`, a request, and tells the issuer as well where `work` has [noted](note) one.
pub(crate) async fn noting<T>(work: impl Future<Output = T>) -> (T, Option<Arc<IssuerMetrics>>) {
    let work = async {
        let answer = work.await;
        (answer, current())
    };
    VOUCHER.scope(OnceCell::new(), work).await
}

/// Notes the issuer of the request that this is called in.
pub(super) fn note(issuer: Arc<IssuerMetrics>) {
    // Outside of a request, and for a second token of one, there is nothing to note.
    let _noted = VOUCHER.try_with(|voucher| voucher.set(issuer));
}

/// The issuer of the request that this is called in, where it has been noted.
pub(crate) fn current() -> Option<Arc<IssuerMetrics>> {
    VOUCHER
        .try_with(|voucher| voucher.get().cloned())
        .ok()
        .flatten()
}
