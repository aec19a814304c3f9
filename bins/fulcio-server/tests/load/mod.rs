//! Clients that ask for certificates all the time, and verify every one by the trust bundle that they
//! had fetched before they asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use fulcio_client::{Client, ClientKey, Expected, Trust};
use fulcio_ct_client::LogKey;
use pki_types::CertificateDer;

use super::common::{IdpServer, wait_until};

/// So many clients, until they are told to stop.
pub(crate) struct Load {
    stopped: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Roots>>,
}

/// How many certificates were issued under each first certificate of a chain.
pub(crate) type Roots = BTreeMap<Vec<u8>, usize>;

impl Load {
    const CLIENTS: usize = 2;

    /// Asks the server at `url`, which has the embedded log `log`, for certificates of this
    /// provider's identities. Whatever is not as it should be fails the test when it [ends](Self::end).
    pub(crate) fn start(url: &str, log: &Path, idp: &IdpServer) -> Self {
        Self::with_keys(url, &[log.join("public-key.pem")], idp)
    }

    /// The same of a server that may use any log with one of these keys.
    pub(crate) fn with_keys(url: &str, keys: &[PathBuf], idp: &IdpServer) -> Self {
        let keys = keys.iter().map(|key| {
            let pem = std::fs::read(key).unwrap();
            LogKey::from_pem(&pem).unwrap()
        });
        let keys: Vec<_> = keys.collect();
        let (stopped, served) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let clients = (0..Self::CLIENTS).map(|number| {
            let (stopped, served) = (Arc::clone(&stopped), Arc::clone(&served));
            let email = format!("client-{number}@example.com");
            let client = OneClient {
                client: Client::new(url, &[], Duration::from_secs(60)),
                logs: keys.clone(),
                token: idp.token(&email),
                expected: Expected {
                    identity: Some(email),
                    issuer: Some(idp.issuer().to_owned()),
                },
            };
            thread::spawn(move || {
                let mut roots = Roots::new();
                while !stopped.load(Ordering::Relaxed) {
                    *roots.entry(client.certificate()).or_default() += 1;
                    served.fetch_add(1, Ordering::Relaxed);
                }
                roots
            })
        });
        Self {
            clients: clients.collect(),
            stopped,
            served,
        }
    }

    /// Waits until some more certificates have been issued.
    #[track_caller]
    pub(crate) fn goes_on(&self) {
        let before = self.served.load(Ordering::Relaxed);
        wait_until("more certificates", || {
            let ended = self.clients.iter().any(JoinHandle::is_finished);
            let now = self.served.load(Ordering::Relaxed);
            (ended || now >= before + 3 * Self::CLIENTS).then_some(())
        });
    }

    /// Stops, and tells how many certificates there were; all requests were answered, and well.
    #[track_caller]
    pub(crate) fn end(self) -> Roots {
        self.stopped.store(true, Ordering::Relaxed);
        let mut all = Roots::new();
        for client in self.clients {
            for (root, count) in client.join().expect("every request is served") {
                *all.entry(root).or_default() += count;
            }
        }
        all
    }
}

struct OneClient {
    client: Client,
    logs: Vec<LogKey>,
    token: String,
    expected: Expected,
}

impl OneClient {
    /// Gets a certificate and verifies it; tells the certificate of its issuer.
    fn certificate(&self) -> Vec<u8> {
        let bundle = self.client.trust_bundle().unwrap();
        let key = ClientKey::generate().unwrap();
        let chain = self.client.certificate(&self.token, &key).unwrap();
        let [leaf, above @ ..] = &chain[..] else {
            panic!("an empty chain");
        };
        // The chain as a whole: one that is put together from two would not be there.
        let announced = bundle.iter().any(|chain| chain == above);
        assert!(announced, "a chain that was not announced");
        let above: Vec<CertificateDer<'static>> = above.to_vec();
        let issuer = above[0].to_vec();
        let trust = Trust::new(vec![above], self.logs.clone());
        trust.verify(leaf, &self.expected).unwrap();
        issuer
    }
}
