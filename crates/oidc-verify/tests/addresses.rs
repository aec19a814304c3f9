//! Where a fetch may connect to when a caller has chosen the host.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{IpAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use fulcio_oidc_verify::{Addresses, Fetch as _, FetchError, HttpFetch, HttpOptions, Lookup};

/// Says one thing after the other, and the last of them for ever.
#[derive(Debug)]
struct Answers(Mutex<VecDeque<Vec<IpAddr>>>);

impl Lookup for Answers {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(host, "issuer.example");
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 {
            return Ok(answers.pop_front().unwrap());
        }
        Ok(answers.front().cloned().unwrap_or_default())
    }
}

fn fetch(addresses: Addresses, answers: &[&[&str]]) -> HttpFetch {
    let parse = |addresses: &&[&str]| addresses.iter().map(|text| text.parse().unwrap()).collect();
    let answers = answers.iter().map(parse).collect();
    let mut options = HttpOptions::new(Vec::new());
    options.addresses = addresses;
    options.lookup = Some(Arc::new(Answers(Mutex::new(answers))));
    options.timeout = Duration::from_secs(10);
    HttpFetch::new(&options).unwrap()
}

/// Answers every connection once, `/away` with a redirect to `/` and all else with `here`.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut first = String::new();
                stream.read_line(&mut first).unwrap();
                let mut line = String::new();
                while stream.read_line(&mut line).unwrap() > 2 {
                    line.clear();
                }
                counter.fetch_add(1, Ordering::SeqCst);
                let (status, header) = match first.starts_with("GET /away ") {
                    true => ("302 Found", "Location: /\r\n"),
                    false => ("200 OK", ""),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\n{header}Connection: close\r\nContent-Length: 4\r\n\r\nhere"
                );
                stream.get_mut().write_all(head.as_bytes()).unwrap();
            }
        });
        Self { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://issuer.example:{}{path}", self.port)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_private_address_is_not_connected_to_whatever_its_form() {
    for address in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::",
        "fd00:ec2::254",
        "fe80::1",
        "64:ff9b::a9fe:a9fe",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://issuer.example/keys");
            let error = fetch(Addresses::Public, &[&[address]])
                .fetch(&url)
                .await
                .unwrap_err();
            let FetchError::Address(refused) = error else {
                panic!("{address}: {error:?}");
            };
            assert_eq!(refused, address.parse::<IpAddr>().unwrap());
        }
    }
}

#[tokio::test]
async fn an_address_in_the_url_itself_is_judged_too() {
    let mut options = HttpOptions::new(Vec::new());
    options.addresses = Addresses::Public;
    let fetch = HttpFetch::new(&options).unwrap();
    for host in [
        "10.0.0.1",
        "0x0a000001",
        "167772161",
        "[::ffff:10.0.0.1]",
        "[fd00::1]",
    ] {
        let error = fetch
            .fetch(&format!("http://{host}/keys"))
            .await
            .unwrap_err();
        assert!(matches!(error, FetchError::Address(_)), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn loopback_may_be_asked_and_a_name_with_a_private_address_as_well_is_asked_at_the_other() {
    let server = Server::start("127.0.0.2");
    let answers: &[&str] = &["10.0.0.1", "127.0.0.2"];
    let fetch = fetch(Addresses::Public, &[answers]);
    assert_eq!(fetch.fetch(&server.url("/")).await.unwrap(), b"here");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_name_that_means_another_machine_the_second_time_gains_nothing() {
    let server = Server::start("127.0.0.2");
    let fetch = fetch(Addresses::Public, &[&["127.0.0.2"], &["10.0.0.1"]]);
    assert_eq!(fetch.fetch(&server.url("/")).await.unwrap(), b"here");
    let error = fetch.fetch(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Address(_)), "{error:?}");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn each_redirect_is_judged_by_where_it_leads_to() {
    let server = Server::start("127.0.0.2");
    let to_private = fetch(Addresses::Public, &[&["127.0.0.2"], &["169.254.169.254"]]);
    let error = to_private.fetch(&server.url("/away")).await.unwrap_err();
    assert!(matches!(error, FetchError::Address(_)), "{error:?}");
    let to_itself = fetch(Addresses::Public, &[&["127.0.0.2"]]);
    assert_eq!(
        to_itself.fetch(&server.url("/away")).await.unwrap(),
        b"here"
    );
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn a_url_of_the_configuration_may_lead_anywhere() {
    // Nothing answers there, and that is what is found out.
    let mut options = HttpOptions::new(Vec::new());
    options.timeout = Duration::from_millis(300);
    let error = HttpFetch::new(&options)
        .unwrap()
        .fetch("http://0.0.0.0:1/keys")
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Transport(_)), "{error:?}");
}

#[tokio::test]
async fn the_proxy_may_be_anywhere_and_is_told_the_name() {
    let proxy = Server::start("127.0.0.3");
    let mut options = HttpOptions::new(Vec::new());
    options.addresses = Addresses::Public;
    options.proxy = Some(format!("http://127.0.0.3:{}", proxy.port));
    let fetched = HttpFetch::new(&options)
        .unwrap()
        .fetch("http://issuer.example/")
        .await;
    assert!(
        !matches!(fetched, Err(FetchError::Address(_))),
        "{fetched:?}"
    );
    assert_eq!(proxy.asked(), 1);
}
