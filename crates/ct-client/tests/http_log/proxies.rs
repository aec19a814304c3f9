use core::time::Duration;
use std::time::Instant;

use fulcio_ct_client::{Error, Failure, HttpLog, HttpLogConfig, HttpLogError, Proxy};
use fulcio_testkit::log::FakeLog;
use pki_types::CertificateDer;

use crate::{
    AMPLE, config,
    fake_proxy::{FakeProxy, Manner},
    promise,
    server::{Answer, Server},
    submit,
    tls::{identity, secure},
};

/// `user:pass word`, as RFC 7617 writes it.
const AUTHORIZATION: &str = "proxy-authorization: Basic dXNlcjpwYXNzIHdvcmQ=";
const CREDENTIALS: &str = "user:pass%20word@";

fn through(proxy: &str, log: &str, fake: &FakeLog) -> HttpLogConfig {
    HttpLogConfig {
        proxy: Some(Proxy::from_url(proxy).unwrap()),
        ..config(log.to_owned(), fake, AMPLE)
    }
}

/// A log that is reached by `CONNECT`.
fn tunnelled(
    proxy: &FakeProxy,
    port: u16,
    root: CertificateDer<'static>,
    fake: &FakeLog,
) -> HttpLog {
    HttpLog::new(&HttpLogConfig {
        roots: vec![root],
        ..through(
            &proxy.url(CREDENTIALS),
            &format!("https://127.0.0.1:{port}/test"),
            fake,
        )
    })
    .unwrap()
}

/// The lines of a head after the first, in small letters where they are names.
fn has_header(head: &str, header: &str) -> bool {
    head.lines().any(|line| {
        let Some((name, value)) = line.split_once(": ") else {
            return false;
        };
        format!("{}: {value}", name.to_lowercase()) == header
    })
}

#[tokio::test]
async fn asks_a_proxy_for_the_whole_url_of_an_http_log() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let proxy = FakeProxy::start(Manner::Lead(server.address)).await;
    let log = through(&proxy.url(CREDENTIALS), "http://log.invalid/test", &fake);
    let log = HttpLog::new(&log).unwrap();
    for _ in 0..3 {
        submit(&log).await.unwrap();
    }

    let [head] = &proxy.heads()[..] else {
        panic!("one connection");
    };
    let first = "POST http://log.invalid/test/ct/v1/add-pre-chain HTTP/1.1";
    assert_eq!(head.lines().next(), Some(first));
    assert!(has_header(head, "host: log.invalid"), "{head}");
    assert!(has_header(head, AUTHORIZATION), "{head}");
    for seen in server.seen() {
        assert_eq!(seen.headers["host"], "log.invalid");
        assert!(seen.headers.contains_key("proxy-authorization"));
    }
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn asks_a_proxy_for_the_origin_because_it_looks_at_nothing_else() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let proxy = FakeProxy::start(Manner::Lead(server.address)).await;
    let config = HttpLogConfig {
        origin: Some("log.example.com".to_owned()),
        ..through(&proxy.url(""), "http://balancer.invalid:81/test", &fake)
    };
    submit(&HttpLog::new(&config).unwrap()).await.unwrap();
    let head = &proxy.heads()[0];
    let first = "POST http://log.example.com/test/ct/v1/add-pre-chain HTTP/1.1";
    assert_eq!(head.lines().next(), Some(first));
    assert!(has_header(head, "host: log.example.com"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");

    for origin in ["not a host", "user@log.example.com", "log.example.com:port"] {
        let no_host = HttpLogConfig {
            origin: Some(origin.to_owned()),
            ..config.clone()
        };
        let error = HttpLog::new(&no_host).unwrap_err();
        assert!(
            matches!(error, HttpLogError::OriginHost { .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn names_the_port_of_a_log_where_it_is_not_the_usual_one() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let proxy = FakeProxy::start(Manner::Lead(server.address)).await;
    for (log, host) in [
        ("http://log.invalid:81", "log.invalid:81"),
        ("http://log.invalid:80", "log.invalid"),
        ("http://log.invalid:443", "log.invalid:443"),
        ("http://[::2]:81", "[::2]:81"),
        ("http://[::2]", "[::2]"),
    ] {
        let config = through(&proxy.url(""), log, &fake);
        submit(&HttpLog::new(&config).unwrap()).await.unwrap();
        let head = proxy.heads().pop().unwrap();
        let first = format!("POST {log}/ct/v1/add-pre-chain HTTP/1.1");
        assert_eq!(head.lines().next(), Some(first.as_str()));
        assert!(has_header(&head, &format!("host: {host}")), "{head}");
    }
}

#[tokio::test]
async fn reaches_an_https_log_through_a_tunnel() {
    let fake = FakeLog::new();
    let (server, root) = secure(&fake).await;
    let proxy = FakeProxy::start(Manner::Lead(server.address)).await;
    let port = server.address.port();
    let log = tunnelled(&proxy, port, root, &fake);
    for _ in 0..3 {
        submit(&log).await.unwrap();
    }

    let [head] = &proxy.heads()[..] else {
        panic!("one connection");
    };
    let first = format!("CONNECT 127.0.0.1:{port} HTTP/1.1");
    assert_eq!(head.lines().next(), Some(first.as_str()));
    assert!(has_header(head, &format!("host: 127.0.0.1:{port}")));
    assert!(has_header(head, AUTHORIZATION), "{head}");
    for seen in server.seen() {
        assert!(!seen.headers.contains_key("proxy-authorization"));
        assert_eq!(seen.path, "/test/ct/v1/add-pre-chain");
    }
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn names_the_port_of_a_tunnel_even_where_the_url_does_not() {
    let fake = FakeLog::new();
    let (root, _acceptor) = identity();
    let proxy = FakeProxy::start(Manner::Say("HTTP/1.1 403 No\r\n\r\n")).await;
    for (log, asked) in [
        ("https://log.invalid/test", "log.invalid:443"),
        ("https://[::2]/test", "[::2]:443"),
        ("https://log.invalid:81", "log.invalid:81"),
    ] {
        let config = HttpLogConfig {
            roots: vec![root.clone()],
            ..through(&proxy.url(""), log, &fake)
        };
        submit(&HttpLog::new(&config).unwrap()).await.unwrap_err();
        let head = proxy.heads().pop().unwrap();
        assert!(head.starts_with(&format!("CONNECT {asked} ")), "{head}");
    }
}

#[tokio::test]
async fn trusts_a_proxy_by_the_same_roots() {
    let fake = FakeLog::new();
    let (root, tls) = identity();
    let plain = Server::start([promise(&fake)]).await;
    let proxy = FakeProxy::secure(Manner::Lead(plain.address), Some(tls.clone())).await;
    let url = proxy.url("").replace("http:", "https:");
    let config = HttpLogConfig {
        roots: vec![root.clone()],
        ..through(&url, "http://log.invalid", &fake)
    };
    submit(&HttpLog::new(&config).unwrap()).await.unwrap();

    let (server, log_root) = secure(&fake).await;
    let proxy = FakeProxy::secure(Manner::Lead(server.address), Some(tls)).await;
    let url = proxy.url("").replace("http:", "https:");
    let config = HttpLogConfig {
        roots: vec![root, log_root.clone()],
        ..through(&url, &server.url().replace("http:", "https:"), &fake)
    };
    submit(&HttpLog::new(&config).unwrap()).await.unwrap();

    let without_its_root = HttpLogConfig {
        roots: vec![log_root],
        ..config
    };
    let error = submit(&HttpLog::new(&without_its_root).unwrap()).await;
    assert!(matches!(error, Err(Error::Untrusted(_))), "{error:?}");
    let without_roots = HttpLogConfig {
        roots: Vec::new(),
        ..through(&url, "http://log.invalid", &fake)
    };
    let error = HttpLog::new(&without_roots).unwrap_err();
    assert!(matches!(error, HttpLogError::NoRoots { .. }), "{error:?}");
}

#[tokio::test]
async fn trusts_no_log_more_because_of_a_proxy() {
    let fake = FakeLog::new();
    let (server, _its_root) = secure(&fake).await;
    let (another_root, _acceptor) = identity();
    let proxy = FakeProxy::start(Manner::Lead(server.address)).await;
    let log = tunnelled(&proxy, server.address.port(), another_root, &fake);
    let error = submit(&log).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn gives_up_at_once_on_a_proxy_that_refuses() {
    let fake = FakeLog::new();
    let (root, _acceptor) = identity();
    for (answer, refused) in [
        ("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", 407),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", 302),
    ] {
        let proxy = FakeProxy::start(Manner::Say(answer)).await;
        let log = tunnelled(&proxy, 1, root.clone(), &fake);
        let error = submit(&log).await.unwrap_err();
        assert!(
            matches!(error, Error::Proxy { status, .. } if status == refused),
            "{error:?}"
        );
        assert_eq!(error.failure(), Failure::Refused);
        assert_eq!(proxy.heads().len(), 1);
        assert!(!format!("{error:?} {log:?}").contains("pass"));
    }
    let asks = "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n";
    let proxy = FakeProxy::start(Manner::Say(asks)).await;
    let log = through(&proxy.url(CREDENTIALS), "http://log.invalid", &fake);
    let error = submit(&HttpLog::new(&log).unwrap()).await.unwrap_err();
    assert!(
        matches!(error, Error::Proxy { status: 407, .. }),
        "{error:?}"
    );
    assert_eq!(proxy.heads().len(), 1);
    assert!(!format!("{error:?} {log:?}").contains("pass"));
}

#[tokio::test]
async fn asks_a_proxy_again_that_is_busy_or_did_not_reach_the_log() {
    let fake = FakeLog::new();
    let (root, _acceptor) = identity();
    for answer in [
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 504 Too slow\r\nContent-Length: 0\r\n\r\n",
        "this is no proxy\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nWelcome",
    ] {
        let proxy = FakeProxy::start(Manner::Say(answer)).await;
        let log = HttpLog::new(&HttpLogConfig {
            timeout: Duration::from_millis(500),
            roots: vec![root.clone()],
            ..through(&proxy.url(""), "https://log.invalid", &fake)
        });
        let error = submit(&log.unwrap()).await.unwrap_err();
        assert_eq!(error.failure(), Failure::Unavailable, "{answer}");
        assert!(
            matches!(error, Error::Deadline { last: Some(_), .. }),
            "{answer}: {error:?}"
        );
        assert!(proxy.heads().len() >= 2, "{answer}");
    }
    let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n";
    let proxy = FakeProxy::start(Manner::Say(busy)).await;
    let error = submit(&tunnelled(&proxy, 1, root, &fake))
        .await
        .unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(proxy.heads().len(), 1);
}

#[tokio::test]
async fn gives_up_in_time_on_a_proxy_that_never_answers() {
    let fake = FakeLog::new();
    let (root, _acceptor) = identity();
    let timeout = Duration::from_millis(300);
    for log in ["http://log.invalid", "https://log.invalid"] {
        let proxy = FakeProxy::start(Manner::Hang).await;
        let log = HttpLog::new(&HttpLogConfig {
            timeout,
            roots: vec![root.clone()],
            ..through(&proxy.url(""), log, &fake)
        });
        let begun = Instant::now();
        let error = submit(&log.unwrap()).await.unwrap_err();
        assert!((timeout..AMPLE).contains(&begun.elapsed()));
        assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
        assert_eq!(error.failure(), Failure::Unavailable);
        assert_eq!(proxy.heads().len(), 1);
    }
}

#[tokio::test]
async fn gives_up_on_a_proxy_that_is_not_there_and_goes_no_other_way() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::status(500)]).await;
    // The port of tcpmux, which nobody runs.
    let config = HttpLogConfig {
        timeout: Duration::from_millis(300),
        ..through("http://user:secret@127.0.0.1:1", &server.url(), &fake)
    };
    let error = submit(&HttpLog::new(&config).unwrap()).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
    let shown = format!("{error:?}");
    assert!(shown.contains("ProxyUnreached"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
    assert_eq!(server.connections(), 0);
}
