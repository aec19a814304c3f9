//! What a monitor tells of the certificates in a log.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{ADA, Authority, BOTH, Desk, Entry, FakeLog, GITHUB, ada, principal, workflow};
use fulcio_ct_monitor::{Event, ExtensionName, Pattern, Protocol, Watch};
use proptest::prelude::*;

/// Entries of which every third is for Ada.
fn entries(count: usize) -> Vec<Entry> {
    let authority = Authority::new();
    let ours = authority.precertificate(&principal(ADA), 2);
    let others = authority.certificate(&principal("bob@example.com"), 3);
    let turn = |n: usize| if n.is_multiple_of(3) { &ours } else { &others };
    (0..count).map(|n| turn(n).clone()).collect()
}

fn for_ada(count: u64) -> Vec<u64> {
    (0..count).step_by(3).collect()
}

#[test]
fn tells_of_every_certificate_of_a_watched_identity_and_of_no_other() {
    for protocol in BOTH {
        let (log, desk) = (FakeLog::new(), Desk::new(protocol));
        log.add_all(entries(600));
        let polled = desk.poll(&log);
        assert!(polled.caught_up && polled.failure.is_none(), "{polled:?}");
        assert_eq!((polled.entries, polled.waiting), (600, 0));
        assert_eq!(desk.memory.indices(), for_ada(600));

        log.pass(1000);
        assert_eq!(desk.poll(&log).entries, 0);
        log.add_all(entries(4));
        assert_eq!(desk.poll(&log).entries, 4);
        assert_eq!(desk.memory.indices()[200..], [600, 603]);
        assert_eq!(desk.memory.alarms(), []);
    }
}

#[test]
fn says_what_the_certificate_says() {
    for protocol in BOTH {
        let (log, desk) = (FakeLog::new(), Desk::new(protocol));
        let authority = Authority::new();
        let precertificate = authority.precertificate(&principal(ADA), 0x2a);
        log.add(precertificate.clone());
        log.add(authority.certificate(&principal(ADA), 0x2a));
        desk.poll(&log);
        let told = desk.memory.told();
        let [Event::Certificate(first), Event::Certificate(second)] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(first.id, "log.example.com/2026#0");
        assert_eq!(first.watches, ["ada"]);
        assert_eq!(first.time.as_deref(), Some("2027-01-15T08:00:00Z"));
        assert!(first.precertificate && !second.precertificate);
        let Entry::Precertificate(tbs) = precertificate else {
            unreachable!()
        };
        assert_eq!(STANDARD.decode(&first.tbs_certificate).unwrap(), tbs);
        assert_eq!(first.tbs_certificate, second.tbs_certificate);
        assert_eq!(first.certificate, second.certificate);
        assert!(first.certificate.serial_number.ends_with("2a2a2a2a"));
        assert_eq!(first.certificate.not_before, "2027-01-15T08:00:00Z");
        let json = serde_json::to_value(&told[0]).unwrap();
        assert_eq!(json["type"], "certificate");
        assert_eq!(json["certificate"]["identities"][0]["kind"], "email");
        assert_eq!(json["certificate"]["identities"][0]["value"], ADA);
        assert_eq!(json["certificate"]["extensions"][0]["name"], "Issuer");
        let again: Event = serde_json::from_value(json).unwrap();
        assert_eq!(again, told[0]);
    }
}

#[test]
fn a_watch_is_for_identities_patterns_and_extensions_and_all_of_its_conditions_hold() {
    let repository = "https://github.com/example/tool";
    let exact = |text: &str| Pattern::exact(text);
    let regex = |text: &str| Pattern::regex(text).unwrap();
    let name = |name: &str| ExtensionName::parse(name).unwrap();
    let watches = [
        Watch::all("everything"),
        ada(),
        Watch::all("case").identity(exact("ADA@Example.com")),
        Watch::all("domain").identity(regex("@example\\.com$")),
        Watch::all("uri").identity(exact(&format!(
            "{repository}/.github/workflows/release.yml@refs/heads/main"
        ))),
        Watch::all("part of a uri").identity(exact(repository)),
        Watch::all("repository").extension(name("source-repository-uri"), exact(repository)),
        Watch::all("issuer").extension(name("issuer"), exact(GITHUB)),
        Watch::all("oid").extension(name("1.3.6.1.4.1.57264.1.20"), regex("^pu")),
        Watch::all("both")
            .identity(regex("release"))
            .extension(name("build-trigger"), exact("push")),
        Watch::all("one of both")
            .identity(regex("release"))
            .extension(name("build-trigger"), exact("schedule")),
    ];
    for protocol in BOTH {
        let (log, mut desk) = (FakeLog::new(), Desk::new(protocol));
        desk.watches = watches.to_vec();
        let authority = Authority::new();
        log.add(authority.certificate(&principal(ADA), 1));
        log.add(authority.precertificate(&workflow(repository), 2));
        desk.poll(&log);
        let told: Vec<Vec<String>> = desk
            .memory
            .told()
            .into_iter()
            .map(|event| match event {
                Event::Certificate(sighting) => sighting.watches,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told[0], ["everything", "ada", "case", "domain"]);
        let second = ["everything", "uri", "repository", "issuer", "oid", "both"];
        assert_eq!(told[1], second);
    }
}

#[test]
fn what_is_no_certificate_is_said_to_be_none_and_stops_nothing() {
    for protocol in BOTH {
        let (log, desk) = (FakeLog::new(), Desk::new(protocol));
        let authority = Authority::new();
        let Entry::Certificate(mut cut) = authority.certificate(&principal(ADA), 1) else {
            unreachable!()
        };
        cut.pop();
        // A UTF8String that is not one: the issuer extension's value.
        let Entry::Precertificate(mut broken) =
            authority.precertificate(&principal("bob@example.com"), 2)
        else {
            unreachable!()
        };
        let issuer = b"https://accounts.example.com";
        let places: Vec<_> = broken
            .windows(issuer.len())
            .enumerate()
            .filter(|(_, window)| window == issuer)
            .map(|(at, _)| at)
            .collect();
        for at in places {
            broken[at] = 0xff;
        }
        log.add(Entry::Certificate(cut));
        log.add(Entry::Precertificate(broken));
        log.add(Entry::Certificate(vec![0x30; 300 << 10]));
        log.add(authority.certificate(&principal(ADA), 3));
        if protocol == Protocol::Rfc6962 {
            log.add(Entry::Garbage(vec![9, 9, 9]));
            log.add(Entry::Garbage(vec![]));
        }
        let polled = desk.poll(&log);
        assert!(polled.caught_up && polled.alarms.is_empty(), "{polled:?}");
        assert_eq!(desk.memory.indices(), [3]);
        let told = desk.memory.told();
        let unreadable: Vec<_> = told
            .iter()
            .filter_map(|event| match event {
                Event::Unreadable(it) => Some((it.index, it.problems.clone())),
                _ => None,
            })
            .collect();
        let expected: &[u64] = match protocol {
            Protocol::Rfc6962 => &[0, 1, 2, 4, 5],
            _ => &[0, 1, 2],
        };
        let indices: Vec<_> = unreadable.iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, expected);
        assert_eq!(unreadable[1].1.len(), 2, "{unreadable:?}");
        assert!(unreadable[2].1[0].contains("larger than"), "{unreadable:?}");
    }
}

#[test]
fn a_log_that_gives_little_at_once_is_read_all_the_same() {
    let (log, desk) = (FakeLog::new(), Desk::new(Protocol::Rfc6962));
    log.add_all(entries(50));
    log.give_at_once(7);
    assert!(desk.poll(&log).caught_up);
    assert_eq!(desk.memory.indices(), for_ada(50));
}

#[test]
fn an_old_tree_head_of_a_cache_is_no_alarm() {
    for protocol in BOTH {
        let (log, desk) = (FakeLog::new(), Desk::new(protocol));
        log.add_all(entries(5));
        let head = match protocol {
            Protocol::StaticCt => "checkpoint",
            _ => "ct/v1/get-sth",
        };
        let old = log.honest(head);
        log.pass(1000);
        log.add_all(entries(300));
        assert!(desk.poll(&log).caught_up);
        log.replace(head, old);
        let polled = desk.poll(&log);
        assert!(polled.caught_up && polled.failure.is_none(), "{polled:?}");
        assert_eq!(desk.memory.alarms(), []);
        assert!(desk.state().contains("\"seen\": 305"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the growth of a log is cut into polls, and whatever is restarted in between.
    #[test]
    fn any_way_of_polling_tells_the_same(
        grows in prop::collection::vec((0usize..300, any::<bool>()), 1..8),
        page in 1u64..400,
        rfc6962: bool,
    ) {
        let protocol = BOTH[usize::from(rfc6962)];
        let (log, desk) = (FakeLog::new(), Desk::new(protocol));
        log.give_at_once(page.max(20));
        let total: usize = grows.iter().map(|(count, _)| count).sum();
        let mut left = entries(total).into_iter();
        let mut monitor = desk.monitor(&log);
        for (count, restart) in grows {
            log.add_all(left.by_ref().take(count));
            log.pass(10);
            if restart {
                drop(monitor);
                monitor = desk.monitor(&log);
            }
            let polled = monitor.poll(common::at(log.now())).unwrap();
            prop_assert!(polled.caught_up, "{:?}", polled);
        }
        prop_assert_eq!(desk.memory.indices(), for_ada(total as u64));
        prop_assert_eq!(desk.memory.alarms(), []);
    }
}
