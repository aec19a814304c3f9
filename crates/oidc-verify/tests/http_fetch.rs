//! Fetching from a real server on loopback, over HTTP and HTTPS.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    num::NonZeroUsize,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fulcio_oidc_verify::{
    Algorithm, Fetch, FetchError, HttpFetch, HttpOptions, HttpOptionsError, Provider,
    UnverifiedToken,
};
use fulcio_testkit::idp::{FakeIdp, FakeKey};
use pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs};

/// What to write for a path, as a whole HTTP answer.
type Page = Box<dyn Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync>;

/// A server that answers each connection once; its threads end with the test.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn http(
        page: impl Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(None, Box::new(page))
    }

    fn https(
        config: Arc<ServerConfig>,
        page: impl Fn(&str, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(config), Box::new(page))
    }

    fn start(tls: Option<Arc<ServerConfig>>, page: Page) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (page, counter) = (Arc::new(page), Arc::clone(&asked));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (page, counter, tls) = (Arc::clone(&page), Arc::clone(&counter), tls.clone());
                thread::spawn(move || {
                    let connection = connection.unwrap();
                    let served = match tls {
                        None => serve(connection, &counter, &page),
                        Some(config) => {
                            let tls = ServerConnection::new(config).unwrap();
                            serve(StreamOwned::new(tls, connection), &counter, &page)
                        }
                    };
                    drop(served);
                });
            }
        });
        Self { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(stream: impl Read + Write, asked: &AtomicUsize, page: &Page) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    stream.read_line(&mut request)?;
    let mut line = String::new();
    while stream.read_line(&mut line)? > 2 {
        line.clear();
    }
    asked.fetch_add(1, Ordering::SeqCst);
    let path = request.split(' ').nth(1).unwrap_or_default();
    page(path, stream.get_mut())?;
    stream.get_mut().flush()
}

fn answer(out: &mut dyn Write, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    write!(
        out,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )?;
    out.write_all(body)
}

fn options() -> HttpOptions {
    HttpOptions::new(Vec::new())
}

async fn fetch(options: &HttpOptions, url: &str) -> Result<Vec<u8>, FetchError> {
    HttpFetch::new(options).unwrap().fetch(url).await
}

#[tokio::test]
async fn answers_the_body_of_a_200() {
    let server = Server::http(|path, out| answer(out, "200 OK", "", path.as_bytes()));
    let body = fetch(&options(), &server.url("/a?b=c")).await.unwrap();
    assert_eq!(body, b"/a?b=c");
}

#[tokio::test]
async fn no_other_status_will_do() {
    for status in [201, 204, 206, 304, 400, 401, 404, 429, 500, 503] {
        let server = Server::http(move |_, out| answer(out, &format!("{status} X"), "", b""));
        match fetch(&options(), &server.url("/")).await {
            Err(FetchError::Status(found)) => assert_eq!(found, status),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn follows_redirects_on_the_same_host() {
    let server = Server::http(|path, out| match path {
        "/1" => answer(out, "301 Moved", "Location: /2\r\n", b"gone"),
        "/2" => answer(out, "302 Found", "Location: 3\r\n", b""),
        "/3" => answer(out, "308 Permanent", "Location: ?x\r\n", b""),
        _ => answer(out, "200 OK", "", path.as_bytes()),
    });
    assert_eq!(fetch(&options(), &server.url("/1")).await.unwrap(), b"/3?x");
}

#[tokio::test]
async fn follows_no_redirect_to_another_host_port_or_scheme() {
    let other = Server::http(|_, out| answer(out, "200 OK", "", b"secret"));
    for location in [
        other.url("/"),
        format!("//127.0.0.1:{}/", other.port),
        format!("http://localhost:{}/", other.port),
        "file:///etc/passwd".to_owned(),
        "http://".to_owned(),
        String::new(),
    ] {
        let header = format!("Location: {location}\r\n");
        let server = Server::http(move |_, out| answer(out, "302 Found", &header, b""));
        let refused = fetch(&options(), &server.url("/")).await;
        assert!(
            matches!(refused, Err(FetchError::Redirect)),
            "{location}: {refused:?}"
        );
    }
    assert_eq!(other.asked(), 0);
}

#[tokio::test]
async fn a_redirect_without_an_end_ends() {
    let server = Server::http(|_, out| answer(out, "307 Again", "Location: /\r\n", b""));
    let refused = fetch(&options(), &server.url("/")).await;
    assert!(matches!(refused, Err(FetchError::Redirect)));
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let server = Server::http(|path, out| {
        answer(out, "200 OK", "", &vec![b'x'; path[1..].parse().unwrap()])
    });
    let limit = usize::try_from(options().limit).unwrap();
    let body = fetch(&options(), &server.url(&format!("/{limit}")))
        .await
        .unwrap();
    assert_eq!(body.len(), limit);
    let refused = fetch(&options(), &server.url(&format!("/{}", limit + 1))).await;
    assert!(matches!(
        refused,
        Err(FetchError::TooLarge { limit: 1_048_576 })
    ));
}

#[tokio::test]
async fn a_body_without_an_end_is_refused() {
    let server = Server::http(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        loop {
            out.write_all(&[b'x'; 4096])?;
        }
    });
    let refused = fetch(&options(), &server.url("/")).await;
    assert!(
        matches!(refused, Err(FetchError::TooLarge { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_huge_one_is_refused() {
    // 2 MiB of zeros, gzipped with `gzip -9n`.
    let packed = include_bytes!("data/zeros_2_mib.gz");
    let server = Server::http(|_, out| answer(out, "200 OK", "Content-Encoding: gzip\r\n", packed));
    let refused = fetch(&options(), &server.url("/")).await;
    assert!(
        matches!(refused, Err(FetchError::TooLarge { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let server =
        Server::http(|_, out| write!(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    let refused = fetch(&options(), &server.url("/")).await;
    assert!(
        matches!(refused, Err(FetchError::Transport(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_in_time() {
    let server = Server::http(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
        loop {
            out.write_all(b"x")?;
            out.flush()?;
            thread::sleep(Duration::from_millis(20));
        }
    });
    let mut options = options();
    options.timeout = Duration::from_millis(300);
    let begin = Instant::now();
    let refused = fetch(&options, &server.url("/")).await;
    assert!(
        matches!(refused, Err(FetchError::Transport(_))),
        "{refused:?}"
    );
    let took = begin.elapsed();
    assert!(
        took >= options.timeout && took < Duration::from_secs(5),
        "{took:?}"
    );
}

#[tokio::test]
async fn the_time_is_for_all_redirects_together() {
    let server = Server::http(|_, out| {
        thread::sleep(Duration::from_millis(150));
        answer(out, "307 Again", "Location: /\r\n", b"")
    });
    let mut options = options();
    options.timeout = Duration::from_millis(400);
    let refused = fetch(&options, &server.url("/")).await;
    assert!(
        matches!(refused, Err(FetchError::Transport(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_closed_port_is_a_failed_transfer() {
    // The port of tcpmux, which nobody runs.
    let refused = fetch(&options(), "http://127.0.0.1:1/").await;
    assert!(
        matches!(refused, Err(FetchError::Transport(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn refuses_other_schemes() {
    for url in [
        "",
        "x",
        "/keys",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://",
    ] {
        let refused = fetch(&options(), url).await;
        assert!(
            matches!(refused, Err(FetchError::Url)),
            "{url}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn no_more_fetches_at_once_than_there_are_places() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inside, peak) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::http(move |_, out| {
        peak.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(50));
        inside.fetch_sub(1, Ordering::SeqCst);
        answer(out, "200 OK", "", b"")
    });
    let mut options = options();
    options.concurrency = NonZeroUsize::new(2).unwrap();
    let fetcher = HttpFetch::new(&options).unwrap();
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (fetcher, url) = (fetcher.clone(), server.url("/"));
            tokio::spawn(async move { fetcher.fetch(&url).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

/// A private authority, and a server's configuration under it for `localhost`.
fn private_ca(
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let root = ca.der().clone();
    let issuer = rcgen::Issuer::new(params, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (root, Arc::new(config))
}

#[tokio::test]
async fn trusts_a_private_authority_that_it_was_given() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (root, config) = private_ca(&[version]);
        let server = Server::https(config, |_, out| answer(out, "200 OK", "", b"hello"));
        let url = server.https_url("/");
        assert_eq!(
            fetch(&HttpOptions::new(vec![root]), &url).await.unwrap(),
            b"hello"
        );
    }
}

#[tokio::test]
async fn trusts_no_other_authority() {
    let (_, config) = private_ca(rustls::ALL_VERSIONS);
    let (other, _) = private_ca(rustls::ALL_VERSIONS);
    let server = Server::https(config, |_, out| answer(out, "200 OK", "", b"hello"));
    let url = server.https_url("/");
    for roots in [vec![], vec![other]] {
        let refused = fetch(&HttpOptions::new(roots), &url).await;
        assert!(
            matches!(refused, Err(FetchError::Transport(_))),
            "{refused:?}"
        );
    }
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn a_certificate_must_be_for_the_host() {
    let (root, config) = private_ca(rustls::ALL_VERSIONS);
    let server = Server::https(config, |_, out| answer(out, "200 OK", "", b"hello"));
    let url = format!("https://127.0.0.1:{}/", server.port);
    let refused = fetch(&HttpOptions::new(vec![root]), &url).await;
    assert!(
        matches!(refused, Err(FetchError::Transport(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn follows_no_redirect_from_https_to_http() {
    let (root, config) = private_ca(rustls::ALL_VERSIONS);
    let plain = Server::http(|_, out| answer(out, "200 OK", "", b"secret"));
    let location = format!("Location: http://localhost:{}/\r\n", plain.port);
    let server = Server::https(config, move |_, out| {
        answer(out, "302 Found", &location, b"")
    });
    let url = server.https_url("/");
    let refused = fetch(&HttpOptions::new(vec![root]), &url).await;
    assert!(matches!(refused, Err(FetchError::Redirect)), "{refused:?}");
    assert_eq!(plain.asked(), 0);
}

#[test]
fn roots_must_be_certificates_unless_there_are_others() {
    let broken = CertificateDer::from(vec![1, 2, 3]);
    let refused = HttpFetch::new(&HttpOptions::new(vec![broken.clone()]));
    assert!(matches!(refused, Err(HttpOptionsError::Roots(_))));
    let (root, _) = private_ca(rustls::ALL_VERSIONS);
    assert!(HttpFetch::new(&HttpOptions::new(vec![broken, root])).is_ok());
}

#[test]
fn a_proxy_must_be_a_url() {
    let mut options = options();
    options.proxy = Some("http://".to_owned());
    assert!(matches!(
        HttpFetch::new(&options),
        Err(HttpOptionsError::Proxy(_))
    ));
}

#[tokio::test]
async fn goes_through_the_proxy_but_for_the_exceptions() {
    let proxy = Server::http(|_, out| answer(out, "407 Not you", "", b""));
    let server = Server::http(|_, out| answer(out, "200 OK", "", b"hello"));
    let mut options = options();
    options.proxy = Some(proxy.url(""));
    assert!(fetch(&options, &server.url("/")).await.is_err());
    assert_eq!((proxy.asked(), server.asked()), (1, 0));
    options.no_proxy = vec!["127.0.0.1".to_owned()];
    assert_eq!(fetch(&options, &server.url("/")).await.unwrap(), b"hello");
    assert_eq!((proxy.asked(), server.asked()), (1, 1));
}

#[tokio::test]
async fn a_provider_verifies_tokens_of_an_issuer_over_https() {
    let (root, config) = private_ca(rustls::ALL_VERSIONS);
    let key = FakeKey::generate(Algorithm::Es256).named("k");
    let pages = key.clone();
    // The server's port, which the pages name, is not known before it runs.
    let port = Arc::new(OnceLock::new());
    let known = Arc::clone(&port);
    let server = Server::https(config, move |path, out| {
        let idp =
            FakeIdp::new(pages.clone()).issued_by(&format!("https://localhost:{}", known.wait()));
        let document = if path == "/keys" {
            idp.jwks()
        } else {
            idp.discovery()
        };
        answer(out, "200 OK", "", document.to_string().as_bytes())
    });
    port.set(server.port).unwrap();
    let idp = FakeIdp::new(key).issued_by(&format!("https://localhost:{}", server.port));
    let fetch = HttpFetch::new(&HttpOptions::new(vec![root])).unwrap();
    let provider = Provider::new(idp.issuer(), idp.audience(), Arc::new(fetch));
    let raw = idp.token();
    let token = UnverifiedToken::parse(&raw).unwrap();
    let token = provider.verify(token, FakeIdp::now()).await.unwrap();
    assert_eq!(token.subject(), "1234");
}
