use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use fulcio_testkit::idp::{Draft, FakeIdp, FakeKey};

use crate::common::unix_now;

/// Identity providers on the loopback device, as many as are wanted, each below a path of its own.
#[derive(Debug)]
pub(crate) struct IdpHost {
    address: SocketAddr,
    documents: Arc<RwLock<HashMap<String, String>>>,
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    idp: FakeIdp,
}

impl IdpHost {
    pub(crate) fn start() -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let documents: Arc<RwLock<HashMap<String, String>>> = Arc::default();
        let stopped = Arc::new(AtomicBool::new(false));
        let (served, ended) = (Arc::clone(&documents), Arc::clone(&stopped));
        let listener = thread::spawn(move || {
            for stream in socket.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                // A verifier that goes away has to look for itself.
                drop(stream.and_then(|stream| answer(&stream, &served)));
            }
        });
        Self {
            address,
            documents,
            stopped,
            listener: Some(listener),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the documents of `idp` as those of the issuer `http://ADDRESS/name`.
    pub(crate) fn issuer(&self, name: &str, idp: FakeIdp) -> Issuer {
        let idp = idp.issued_by(&format!("http://{}/{name}", self.address));
        self.document(
            &format!("/{name}/.well-known/openid-configuration"),
            &idp.discovery().to_string(),
        );
        self.document(&format!("/{name}/keys"), &idp.jwks().to_string());
        Issuer { idp }
    }

    /// Serves `text` at `path` from now on.
    pub(crate) fn document(&self, path: &str, text: &str) {
        let mut documents = self
            .documents
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        documents.insert(path.to_owned(), text.to_owned());
    }
}

impl Issuer {
    pub(crate) fn url(&self) -> &str {
        self.idp.issuer()
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> &FakeKey {
        self.idp.key()
    }

    /// A good token that is still to be changed; it is good for ten minutes.
    pub(crate) fn draft(&self) -> Draft {
        let now = unix_now();
        self.idp.draft().claim("iat", now).claim("exp", now + 600)
    }

    /// What an issuer configuration says of it below `oidc-issuers:`.
    pub(crate) fn entry(&self, kind: &str) -> String {
        let url = self.url();
        format!("  {url}:\n    issuer-url: {url}\n    client-id: sigstore\n    type: {kind}\n")
    }
}

impl Drop for IdpHost {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The thread waits for a connection, and looks whether it has to stop then.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

fn answer(
    mut stream: &TcpStream,
    documents: &RwLock<HashMap<String, String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let found = {
        let documents = documents.read().unwrap_or_else(PoisonError::into_inner);
        let path = request.split(' ').nth(1).unwrap_or_default();
        documents.get(path).cloned()
    };
    let status = if found.is_some() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = found.unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
