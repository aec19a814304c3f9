use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::UNIX_EPOCH,
};

use anyhow::Result;
use fulcio_issuance::{Clock as _, SystemClock};
use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{FakeIdp, FakeKey};

use crate::case::TokenKind;

/// An identity provider on the loopback device, which both servers trust. It lives as long as this
/// process.
#[derive(Debug)]
pub(crate) struct Provider(Issuer);

impl Provider {
    pub(crate) fn start() -> Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let issuer = Issuer::new(&format!("http://{}", socket.local_addr()?), "1")?;
        let (discovery, keys) = (issuer.discovery(), issuer.keys());
        thread::spawn(move || {
            for stream in socket.incoming() {
                // A server that goes away has to look for itself.
                drop(stream.and_then(|stream| answer(&stream, &discovery, &keys)));
            }
        });
        Ok(Self(issuer))
    }

    /// A token of `email`, good for a day.
    pub(crate) fn token(&self, email: &str, kind: TokenKind) -> String {
        self.0.token(email, kind)
    }

    /// An issuer configuration that trusts it.
    pub(crate) fn config(&self) -> String {
        format!("oidc-issuers:\n{}", self.0.entry())
    }
}

/// What an identity provider is without a server: its name, and its keys of one time.
#[derive(Debug)]
pub(crate) struct Issuer {
    idp: FakeIdp,
    rsa: (String, FakeKey),
    ec: (String, FakeKey),
    now: u64,
}

impl Issuer {
    /// Fresh keys, whose names end in `generation`.
    pub(crate) fn new(url: &str, generation: &str) -> Result<Self> {
        let key = |kind: &str, algorithm| {
            let name = format!("{kind}{generation}");
            let key = FakeKey::generate(algorithm).named(&name);
            (name, key)
        };
        let (rsa, ec) = (key("rsa", Algorithm::Rs256), key("ec", Algorithm::Es256));
        let idp = FakeIdp::new(rsa.1.clone()).with_key(ec.1.clone());
        Ok(Self {
            idp: idp.issued_by(url),
            rsa,
            ec,
            now: SystemClock.now().duration_since(UNIX_EPOCH)?.as_secs(),
        })
    }

    /// The discovery document.
    pub(crate) fn discovery(&self) -> String {
        self.idp.discovery().to_string()
    }

    /// The key set.
    pub(crate) fn keys(&self) -> String {
        self.idp.jwks().to_string()
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        self.idp.issuer()
    }

    /// A token of `email`, good for a day.
    pub(crate) fn token(&self, email: &str, kind: TokenKind) -> String {
        let (algorithm, (name, key)) = match kind {
            TokenKind::Es256 => ("ES256", &self.ec),
            TokenKind::Rs256 => ("RS256", &self.rsa),
        };
        let draft = self.idp.draft().signed_by(key);
        draft
            .parameter("alg", algorithm)
            .parameter("kid", &**name)
            .claim("iat", self.now)
            .claim("exp", self.now + 24 * 60 * 60)
            .claim("sub", format!("sub-{email}"))
            .claim("email", email)
            .mint()
    }

    /// The entry of an issuer configuration that trusts it.
    pub(crate) fn entry(&self) -> String {
        let issuer = self.idp.issuer();
        format!(
            "  {issuer}:\n    issuer-url: {issuer}\n    client-id: {}\n    \
             type: email\n",
            self.idp.audience()
        )
    }
}

fn answer(mut stream: &TcpStream, discovery: &str, keys: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, body) = match request.split(' ').nth(1) {
        Some("/.well-known/openid-configuration") => ("200 OK", discovery),
        Some("/keys") => ("200 OK", keys),
        _ => ("404 Not Found", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}
