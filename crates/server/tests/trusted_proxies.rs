//! Who sent a request that came through proxies.

#![allow(clippy::unwrap_used, reason = "tests may")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use fulcio_server_core::TrustedProxies;
use http::{HeaderMap, HeaderValue};
use proptest::{collection::vec, prelude::*};

const PEER: &str = "10.0.0.1:443";

fn client(trusted: &str, peer: &str, lines: &[&[u8]]) -> SocketAddr {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
    }
    let networks = trusted.split(',').filter(|network| !network.is_empty());
    let proxies = TrustedProxies::parse(networks).unwrap();
    proxies.client(peer.parse().unwrap(), &headers)
}

#[track_caller]
fn check(trusted: &str, peer: &str, lines: &[&str], expected: &str) {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    assert_eq!(client(trusted, peer, &lines), expected.parse().unwrap());
}

#[test]
fn the_word_of_a_stranger_does_not_count() {
    check("", PEER, &["192.0.2.1"], PEER);
    check("10.0.0.0/8", "192.0.2.9:1", &["192.0.2.1"], "192.0.2.9:1");
    check("10.0.0.0/8", PEER, &[], PEER);
}

#[test]
fn the_client_is_the_last_one_that_is_no_trusted_proxy() {
    let nets = "10.0.0.0/8,2001:db8::1,192.168.1.1";
    check(nets, PEER, &["192.0.2.1"], "192.0.2.1:0");
    check(nets, PEER, &["6.6.6.6, 192.0.2.1"], "192.0.2.1:0");
    check(
        nets,
        PEER,
        &["6.6.6.6, 192.0.2.1, 10.9.9.9,192.168.1.1"],
        "192.0.2.1:0",
    );
    check(
        nets,
        PEER,
        &["6.6.6.6", "192.0.2.1", "10.9.9.9"],
        "192.0.2.1:0",
    );
    check(nets, "[2001:db8::1]:9", &["192.0.2.1"], "192.0.2.1:0");
    check(nets, "[2001:db8::2]:9", &["192.0.2.1"], "[2001:db8::2]:9");
    check(
        nets,
        "[::ffff:10.0.0.1]:9",
        &["::ffff:192.0.2.1"],
        "192.0.2.1:0",
    );
    // All are proxies: the first of them asks for itself.
    check(nets, PEER, &["10.0.0.3, 10.0.0.2"], "10.0.0.3:0");
}

#[test]
fn addresses_are_read_as_proxies_write_them() {
    for (text, expected) in [
        ("192.0.2.1:4711", "192.0.2.1:4711"),
        ("\t192.0.2.1 ", "192.0.2.1:0"),
        ("2001:db8::7", "[2001:db8::7]:0"),
        ("[2001:db8::7]", "[2001:db8::7]:0"),
        ("[2001:db8::7]:4711", "[2001:db8::7]:4711"),
    ] {
        check("10.0.0.0/8", PEER, &[text], expected);
    }
}

#[test]
fn what_is_no_address_ends_the_reading() {
    for text in [
        "",
        "unknown",
        "192.0.2",
        "192.0.2.1x",
        "192.0.2.1:99999",
        "[192.0.2.1]",
        "fe80::1%eth0",
        "\u{e9}",
        "_hidden",
        "for=192.0.2.1",
        "192.0.2.1;10.0.0.2",
    ] {
        check("10.0.0.0/8", PEER, &[&format!("6.6.6.6, {text}")], PEER);
        check(
            "10.0.0.0/8",
            PEER,
            &[&format!("6.6.6.6, {text}, 10.0.0.2")],
            "10.0.0.2:0",
        );
    }
}

#[test]
fn what_is_no_network_is_named() {
    for text in [
        "10.0.0.0/33",
        "10.0.0",
        "proxy.example.com",
        "",
        "10.0.0.0/8/8",
        "::/129",
    ] {
        let error = TrustedProxies::parse([text]).unwrap_err();
        assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
    }
}

proptest! {
    /// A model that reads the whole list first, as the rule is told.
    #[test]
    fn any_chain_of_proxies_is_followed_to_its_first_stranger(
        hops in vec((any::<bool>(), 0_u8..4, any::<bool>()), 0..12),
        cuts in vec(any::<bool>(), 12),
        stranger_asks in any::<bool>(),
    ) {
        let address = |(trusted, last, _): &(bool, u8, bool)| {
            IpAddr::from(Ipv4Addr::new(if *trusted { 10 } else { 192 }, 0, 2, *last))
        };
        let mut lines = vec![String::new()];
        for (hop, cut) in hops.iter().zip(&cuts) {
            let text = if hop.2 { format!("{}:80", address(hop)) } else { address(hop).to_string() };
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(&text),
                Some(line) if !cut => *line = format!("{line}, {text}"),
                _ => lines.push(text),
            }
        }
        if hops.is_empty() {
            lines.clear();
        }
        let peer: SocketAddr = if stranger_asks { "192.0.2.99:1" } else { PEER }.parse().unwrap();
        let all: Vec<IpAddr> = hops.iter().map(address).chain([peer.ip()]).collect();
        let proxies = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
        let stranger = all.iter().rposition(|address| !proxies.contains(*address));
        let expected = all[stranger.unwrap_or(0)];
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        prop_assert_eq!(client("10.0.0.0/8", &peer.to_string(), &lines).ip(), expected);
    }

    #[test]
    fn no_header_makes_a_stranger_of_a_trusted_network(
        lines in vec(vec(0x20_u8..0x7f, 0..40), 0..4),
    ) {
        // Whatever is written: from a stranger it changes nothing.
        let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
        let peer = "192.0.2.99:1";
        prop_assert_eq!(client("10.0.0.0/8", peer, &lines), peer.parse().unwrap());
        // And from a proxy it breaks nothing.
        client("10.0.0.0/8", PEER, &lines);
    }
}
