//! The counters of the issuer that the token of a request was of. The one who learns it, deep within
//! the pipeline, and the one who counts how the request ended share no argument that could carry
//! them; both run in the task of the request.

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
fn current() -> Option<Arc<IssuerMetrics>> {
    VOUCHER
        .try_with(|voucher| voucher.get().cloned())
        .ok()
        .flatten()
}
