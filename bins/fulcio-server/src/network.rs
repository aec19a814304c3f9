use std::{
    env,
    sync::{Arc, LazyLock},
};

use pki_types::CertificateDer;

use crate::proxy::Proxies;

/// How this machine reaches others.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) proxies: Arc<Proxies>,
    /// Whose TLS certificates are trusted, unless a flag or a variable says other roots.
    pub(crate) roots: SystemRoots,
}

/// The certificates that this system trusts for TLS, read when they are first looked at.
pub(crate) type SystemRoots = Arc<LazyLock<Vec<CertificateDer<'static>>>>;

impl Network {
    /// As the environment of this process and the system say.
    pub(crate) fn of_this_process() -> Self {
        Self {
            proxies: Arc::new(Proxies::of_this_process()),
            roots: Arc::new(LazyLock::new(system_roots)),
        }
    }
}

fn system_roots() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!("the system's trusted certificates cannot all be read: {error}");
    }
    found.certs
}

/// A variable of the environment of this process.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary, which hands it to the libraries"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
