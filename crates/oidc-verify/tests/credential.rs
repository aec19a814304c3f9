//! The token that an issuer's own host wants to see.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use fulcio_oidc_verify::{Bearer, Credential, Fetch, FetchError, HttpFetch, HttpOptions};
use zeroize::Zeroizing;

/// Counts how often it is asked, and each time has another token.
#[derive(Debug, Default)]
struct Rotating(AtomicUsize);

type Cause = Box<dyn core::error::Error + Send + Sync>;

impl Credential for Rotating {
    fn token(&self) -> Result<Option<Zeroizing<String>>, Cause> {
        let times = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Zeroizing::new(format!("token-{times}\n"))))
    }
}

/// Answers with the request's line and its headers, or leads from `/away` to `to`.
fn echo(to: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut request = String::new();
            while connection.read_line(&mut request).unwrap() > 2 {}
            let length = request.len();
            let head = match &to {
                Some(to) if request.starts_with("GET /away ") => {
                    format!("302 Found\r\nLocation: {to}")
                }
                _ => "200 OK".to_owned(),
            };
            let answer = format!(
                "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{request}"
            );
            connection.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://127.0.0.1:{port}")
}

async fn fetch(bearer: Bearer, url: &str) -> Result<String, FetchError> {
    let mut options = HttpOptions::new(Vec::new());
    options.bearer = Some(bearer);
    let body = HttpFetch::new(&options).unwrap().fetch(url).await?;
    Ok(String::from_utf8(body).unwrap().to_lowercase())
}

#[tokio::test]
async fn the_issuers_host_sees_the_token_of_that_moment() {
    let server = echo(None);
    let credential = Arc::new(Rotating::default());
    let bearer = Bearer::new(format!("{server}/path"), credential.clone());
    for n in 0..2 {
        let seen = fetch(bearer.clone(), &format!("{server}/keys"))
            .await
            .unwrap();
        assert!(
            seen.contains(&format!("\r\nauthorization: bearer token-{n}\r\n")),
            "{seen}"
        );
    }
    assert_eq!(credential.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_token_follows_a_redirect_on_the_same_host() {
    let server = echo(Some("/there".into()));
    let bearer = Bearer::new(server.as_str(), Arc::new(Rotating::default()));
    let seen = fetch(bearer, &format!("{server}/away")).await.unwrap();
    assert!(
        seen.starts_with("get /there ") && seen.contains("token-1"),
        "{seen}"
    );
}

#[tokio::test]
async fn no_other_host_or_port_sees_the_token() {
    let server = echo(None);
    let port = server.rsplit(':').next().unwrap();
    for issuer in [
        echo(None),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        "http://127.0.0.1".to_owned(),
    ] {
        let credential = Arc::new(Rotating::default());
        let bearer = Bearer::new(issuer.as_str(), credential.clone());
        let refused = fetch(bearer, &format!("{server}/keys")).await;
        assert!(
            matches!(refused, Err(FetchError::OtherHost)),
            "{issuer}: {refused:?}"
        );
    }
}

/// Whether there is a token at all, or it cannot be read.
#[derive(Debug)]
struct Fixed(Option<&'static str>);

impl Credential for Fixed {
    fn token(&self) -> Result<Option<Zeroizing<String>>, Cause> {
        match self.0 {
            Some("unreadable") => Err("no such file".into()),
            token => Ok(token.map(|token| Zeroizing::new(token.to_owned()))),
        }
    }
}

#[tokio::test]
async fn without_a_token_none_is_sent_and_one_that_cannot_be_read_fails_the_fetch() {
    let server = echo(None);
    let bearer = |token| Bearer::new(server.as_str(), Arc::new(Fixed(token)));
    let seen = fetch(bearer(None), &server).await.unwrap();
    assert!(!seen.contains("authorization"), "{seen}");
    for token in ["unreadable", "two\r\nlines: x"] {
        let error = fetch(bearer(Some(token)), &server).await.unwrap_err();
        assert!(matches!(error, FetchError::Credential(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("lines"), "{error:?}");
    }
}
