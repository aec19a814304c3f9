use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
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
    answers: Arc<Mutex<Answers>>,
    listener: Option<JoinHandle<()>>,
}

/// What a provider does instead of telling its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IdpFault {
    /// Answers 200 with what is no document.
    Garbage,
    /// Answers 500.
    InternalError,
    /// Takes the connection and says nothing.
    Silent,
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
        let answers = Arc::new(Mutex::new(Answers {
            keys: idp.jwks().to_string(),
            fault: None,
        }));
        let documents = Documents {
            discovery: idp.discovery().to_string(),
            answers: Arc::clone(&answers),
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
            answers,
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

    /// Does this instead of what is right, or what is right again.
    pub(crate) fn fails(&self, fault: Option<IdpFault>) {
        self.answers.lock().unwrap().fault = fault;
    }

    /// Publishes one new key in place of all that it had; that key signs what it is asked to.
    pub(crate) fn rotate(&self) -> FakeKey {
        let key = FakeKey::generate(Algorithm::Es256).named("ec2");
        let rotated = self.idp.clone().rotated_to(key.clone());
        self.answers.lock().unwrap().keys = rotated.jwks().to_string();
        key
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

#[derive(Debug)]
struct Answers {
    keys: String,
    fault: Option<IdpFault>,
}

struct Documents {
    discovery: String,
    answers: Arc<Mutex<Answers>>,
    requests: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Documents {
    fn serve(&self, listener: &TcpListener) {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let answers = self.answers.lock().unwrap();
            let (keys, fault) = (answers.keys.clone(), answers.fault);
            drop(answers);
            // A verifier that goes away has to look for itself.
            drop(match fault {
                None => stream.and_then(|stream| self.answer(&stream, &keys)),
                Some(IdpFault::Garbage) => {
                    stream.and_then(|stream| say(&stream, "200 OK", "<html>It works!</html>"))
                }
                Some(IdpFault::InternalError) => {
                    stream.and_then(|stream| say(&stream, "500 Internal Server Error", ""))
                }
                Some(IdpFault::Silent) => stream.map(|stream| silent.push(stream)),
            });
        }
    }

    fn answer(&self, stream: &TcpStream, keys: &str) -> std::io::Result<()> {
        let request = read_head(stream)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (status, body) = match request.split(' ').nth(1) {
            Some("/.well-known/openid-configuration") => ("200 OK", self.discovery.as_str()),
            Some("/keys") => ("200 OK", keys),
            _ => ("404 Not Found", ""),
        };
        write_answer(stream, status, body)
    }
}

/// The first line of a request, all of which is read.
fn read_head(stream: &TcpStream) -> std::io::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(request)
}

fn say(stream: &TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    read_head(stream)?;
    write_answer(stream, status, body)
}

fn write_answer(mut stream: &TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
