use std::{env, sync::Arc};

use pki_types::CertificateDer;

use crate::{identity_issuers::system_roots, proxy::Proxies};

/// How this machine reaches others.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) proxies: Arc<Proxies>,
    /// Whose TLS certificates are trusted, unless a flag or a variable says other roots.
    pub(crate) roots: Vec<CertificateDer<'static>>,
}

impl Network {
    /// As the environment of this process and the system say.
    pub(crate) fn of_this_process() -> Self {
        Self {
            proxies: Arc::new(Proxies::of_this_process()),
            roots: system_roots(),
        }
    }
}

/// A variable of the environment of this process.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary, which hands it to the libraries"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
