//! Clients that are slow, silent, or speak something else.

use std::{
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use fulcio_server_core::{Limits, TlsPolicy};
use http::Version;

use crate::{
    certificates::Authority,
    server::{Client, start},
};

#[test]
fn a_client_that_does_not_shake_hands_holds_nobody_up_and_is_let_go() {
    let authority = Authority::new();
    let limits = Limits {
        handshake: Duration::from_secs(4),
        ..Limits::default()
    };
    let server = start(&authority.issue("one"), TlsPolicy::default(), limits);
    let begun = Instant::now();
    let silent: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let mut half = server.connect();
    half.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();

    let client = Client::new(&authority, &server);
    let answer = server.runtime.block_on(async {
        let mut connected = client.connect(Version::HTTP_2).await;
        connected.get("/").await
    });
    assert_eq!(answer, "HTTP/2.0");
    assert!(begun.elapsed() < limits.handshake, "it waited for others");
    for mut stream in silent.into_iter().chain([half]) {
        // Nothing but an end, or an alert and an end.
        drop(stream.read_to_end(&mut Vec::new()));
    }
    assert!(begun.elapsed() >= limits.handshake);
    assert!(begun.elapsed() < Duration::from_secs(20));
    server.stop();
}

#[test]
fn a_client_without_tls_is_let_go_at_once() {
    let authority = Authority::new();
    let limits = Limits {
        handshake: Duration::from_secs(60),
        ..Limits::default()
    };
    let server = start(&authority.issue("one"), TlsPolicy::default(), limits);
    for plain in [
        &b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let begun = Instant::now();
        let mut stream = server.connect();
        stream.write_all(plain).unwrap();
        let mut said = Vec::new();
        // It may be reset, because not all that it sent was read.
        drop(stream.read_to_end(&mut said));
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert!(!said.starts_with(b"HTTP/"));
    }
    server.stop();
}
