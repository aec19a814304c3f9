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
pub(crate) struct Provider {
    idp: FakeIdp,
    rsa: FakeKey,
    ec: FakeKey,
    now: u64,
}

impl Provider {
    pub(crate) fn start() -> Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let rsa = FakeKey::generate(Algorithm::Rs256).named("rsa1");
        let ec = FakeKey::generate(Algorithm::Es256).named("ec1");
        let idp = FakeIdp::new(rsa.clone())
            .with_key(ec.clone())
            .issued_by(&format!("http://{}", socket.local_addr()?));
        let (discovery, keys) = (idp.discovery().to_string(), idp.jwks().to_string());
        thread::spawn(move || {
            for stream in socket.incoming() {
                // A server that goes away has to look for itself.
                drop(stream.and_then(|stream| answer(&stream, &discovery, &keys)));
            }
        });
        let now = SystemClock.now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(Self { idp, rsa, ec, now })
    }

    /// A token of `email`, good for a day.
    pub(crate) fn token(&self, email: &str, kind: TokenKind) -> String {
        let key = match kind {
            TokenKind::Es256 => &self.ec,
            TokenKind::Rs256 => &self.rsa,
        };
        let (algorithm, id) = match kind {
            TokenKind::Es256 => ("ES256", "ec1"),
            TokenKind::Rs256 => ("RS256", "rsa1"),
        };
        let draft = self.idp.draft().signed_by(key);
        draft
            .parameter("alg", algorithm)
            .parameter("kid", id)
            .claim("iat", self.now)
            .claim("exp", self.now + 24 * 60 * 60)
            .claim("sub", format!("sub-{email}"))
            .claim("email", email)
            .mint()
    }

    /// An issuer configuration that trusts it.
    pub(crate) fn config(&self) -> String {
        let issuer = self.idp.issuer();
        format!(
            "oidc-issuers:\n  {issuer}:\n    issuer-url: {issuer}\n    client-id: {}\n    \
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
