//! Certificates that are replaced while the server runs.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use fulcio_server_core::{Limits, TlsFiles, TlsPolicy};
use http::Version;

use crate::{
    certificates::Authority,
    server::{Client, Running, start},
};

/// Puts what is in `new` where `used` is, the certificate some time before the key.
fn replace(used: &TlsFiles, new: &TlsFiles) {
    for (used, new) in [(&used.certificate, &new.certificate), (&used.key, &new.key)] {
        let beside = used.with_extension("new");
        fs::copy(new, &beside).unwrap();
        fs::rename(beside, used).unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }
}

/// Whom the certificate names that a new connection gets.
fn named(server: &Running, client: &Client) -> String {
    let connected = client.connect(Version::HTTP_2);
    server.runtime.block_on(connected).subject
}

fn wait_for(server: &Running, client: &Client, subject: &str) {
    let begun = Instant::now();
    while named(server, client) != subject {
        assert!(begun.elapsed() < Duration::from_secs(20), "no {subject}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn new_connections_get_the_new_certificate_and_old_ones_live_on() {
    let authority = Authority::new();
    let used = authority.issue("one");
    let two = authority.issue("two");
    let server = start(&used, TlsPolicy::default(), Limits::default());
    let client = Client::new(&authority, &server);
    let mut first = server.runtime.block_on(client.connect(Version::HTTP_2));
    assert_eq!(first.subject, "CN=one");

    replace(&used, &two);
    wait_for(&server, &client, "CN=two");
    assert_eq!(server.runtime.block_on(first.get("/")), "HTTP/2.0");
    server.stop();
}

#[test]
fn a_new_key_alone_is_seen_when_it_comes_last() {
    let authority = Authority::new();
    let used = authority.issue("one");
    let two = authority.issue("two");
    let server = start(&used, TlsPolicy::default(), Limits::default());
    let client = Client::new(&authority, &server);
    fs::copy(&two.certificate, &used.certificate).unwrap();
    // Time enough to see that the pair does not match.
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(named(&server, &client), "CN=one");
    fs::copy(&two.key, &used.key).unwrap();
    wait_for(&server, &client, "CN=two");
    server.stop();
}

#[test]
fn a_pair_that_cannot_be_used_changes_nothing() {
    let authority = Authority::new();
    let used = authority.issue("one");
    let two = authority.issue("two");
    let server = start(&used, TlsPolicy::default(), Limits::default());
    let client = Client::new(&authority, &server);
    for damage in ["", "-----BEGIN CERTIFICATE-----\n!"] {
        fs::write(&used.certificate, damage).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(named(&server, &client), "CN=one");
    }
    fs::remove_file(&used.certificate).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(named(&server, &client), "CN=one");

    replace(&used, &two);
    wait_for(&server, &client, "CN=two");
    server.stop();
}

#[test]
fn no_request_is_lost_while_certificates_change() {
    let authority = Authority::new();
    let used = authority.issue("used");
    let pairs = [authority.issue("one"), authority.issue("two")];
    let server = start(&used, TlsPolicy::default(), Limits::default());
    let client = Client::new(&authority, &server);
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = [Version::HTTP_2, Version::HTTP_11]
        .into_iter()
        .flat_map(|version| [(version, true), (version, false)])
        .map(|(version, lasting)| {
            let (client, stop, answered) = (client.clone(), stop.clone(), answered.clone());
            server.runtime.spawn(async move {
                let mut connected = client.connect(version).await;
                while !stop.load(Ordering::Relaxed) {
                    if !lasting {
                        connected = client.connect(version).await;
                    }
                    // It panics when there is no answer.
                    assert_eq!(connected.get("/1").await, format!("{version:?}"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 0..6 {
        let pair = &pairs[round % 2];
        replace(&used, pair);
        wait_for(&server, &client, ["CN=one", "CN=two"][round % 2]);
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        server.runtime.block_on(worker).unwrap();
    }
    let answered = answered.load(Ordering::Relaxed);
    println!("{answered} requests were answered during six changes");
    assert!(answered > 20, "{answered}");
    server.stop();
}
