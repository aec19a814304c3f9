use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::UNIX_EPOCH,
};

use fulcio_issuance::{Clock as _, SystemClock};
use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{Draft, FakeIdp, FakeKey};

/// An identity provider on the loopback device: type `email`, client id `sigstore`, with the keys
/// `rsa1` (RS256) and `ec1` (ES256).
#[derive(Debug)]
pub(crate) struct IdpServer {
    idp: FakeIdp,
    rsa: FakeKey,
    ec: FakeKey,
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

/// The seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    let now = SystemClock.now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

impl IdpServer {
    pub(crate) fn start() -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let rsa = FakeKey::generate(Algorithm::Rs256).named("rsa1");
        let ec = FakeKey::generate(Algorithm::Es256).named("ec1");
        let idp = FakeIdp::new(rsa.clone())
            .with_key(ec.clone())
            .issued_by(&format!("http://{address}"));
        let (requests, stopped) = (Arc::default(), Arc::default());
        let documents = Documents {
            discovery: idp.discovery().to_string(),
            keys: idp.jwks().to_string(),
            requests: Arc::clone(&requests),
            stopped: Arc::clone(&stopped),
        };
        Self {
            idp,
            rsa,
            ec,
            address,
            requests,
            stopped,
            listener: Some(thread::spawn(move || documents.serve(&socket))),
        }
    }

    /// The issuer URL.
    pub(crate) fn issuer(&self) -> &str {
        self.idp.issuer()
    }

    /// The key that is called `name`.
    pub(crate) fn key(&self, name: &str) -> &FakeKey {
        match name {
            "rsa1" => &self.rsa,
            "ec1" => &self.ec,
            other => panic!("there is no key {other}"),
        }
    }

    /// How many documents were fetched.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// A good token of `email` that is still to be changed; it is good for ten minutes.
    pub(crate) fn draft(&self, email: &str) -> Draft {
        let now = unix_now();
        self.idp
            .draft()
            .claim("iat", now)
            .claim("exp", now + 600)
            .claim("sub", format!("sub-{email}"))
            .claim("email", email)
    }

    /// A good token of `email`.
    pub(crate) fn token(&self, email: &str) -> String {
        self.draft(email).mint()
    }

    /// Writes an issuer configuration that trusts this provider, and tells where it is.
    pub(crate) fn write_config(&self, folder: &Path) -> String {
        let path = folder.join("config.yaml");
        std::fs::write(&path, self.config()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// An issuer configuration that trusts this provider.
    pub(crate) fn config(&self) -> String {
        let issuer = self.issuer();
        format!(
            "oidc-issuers:\n  {issuer}:\n    issuer-url: {issuer}\n    \
             client-id: sigstore\n    type: email\n"
        )
    }
}

impl Drop for IdpServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The thread waits for a connection, and looks whether it has to stop then.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

struct Documents {
    discovery: String,
    keys: String,
    requests: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Documents {
    fn serve(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            // A verifier that goes away has to look for itself.
            drop(stream.and_then(|stream| self.answer(&stream)));
        }
    }

    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        for line in lines {
            if line?.is_empty() {
                break;
            }
        }
        let (status, body) = match request.split(' ').nth(1) {
            Some("/.well-known/openid-configuration") => ("200 OK", self.discovery.as_str()),
            Some("/keys") => ("200 OK", self.keys.as_str()),
            _ => ("404 Not Found", ""),
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    }
}
