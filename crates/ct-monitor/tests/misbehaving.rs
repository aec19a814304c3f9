//! What a monitor notices of a log that does what a log must not do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;

use common::{ADA, Authority, BOTH, Desk, Entry, FakeLog, ada, at, principal};
use fulcio_ct_monitor::{AlarmKind, Event, Monitor, Protocol};
use serde_json::Value;

fn one(email: &str) -> Entry {
    Authority::new().certificate(&principal(email), 9)
}

/// A log with so many entries for Ada.
fn log_of(count: usize) -> FakeLog {
    let log = FakeLog::new();
    log.add_all(vec![one(ADA); count]);
    log
}

fn head_path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::StaticCt => "checkpoint",
        _ => "ct/v1/get-sth",
    }
}

fn entries_path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::StaticCt => "tile/data/",
        _ => "ct/v1/get-entries?start=",
    }
}

const MINUTE: u64 = 60_000;

#[test]
fn a_log_that_shrinks_is_an_alarm_with_both_heads_as_evidence() {
    for protocol in BOTH {
        let (log, desk) = (log_of(300), Desk::new(protocol));
        desk.poll(&log);
        let before = log.honest(head_path(protocol)).unwrap();
        log.forget_from(290);
        log.pass(MINUTE);
        let polled = desk.poll(&log);
        assert_eq!(polled.alarms[0].kind, AlarmKind::Shrink);
        assert!(
            polled.alarms[0]
                .detail
                .contains("300 entries, and now one of 290")
        );
        assert_eq!(desk.memory.alarms(), [(AlarmKind::Shrink, true)]);

        let file = polled.alarms[0].evidence.as_ref().unwrap();
        let evidence = fs::read(desk.folder.path().join(file)).unwrap();
        let evidence: Value = serde_json::from_slice(&evidence).unwrap();
        let size = |head: &Value| {
            let head = head.as_str().unwrap();
            match protocol {
                Protocol::StaticCt => head.lines().nth(1).unwrap().parse().unwrap(),
                _ => serde_json::from_str::<Value>(head).unwrap()["tree_size"].clone(),
            }
        };
        assert_eq!(
            (size(&evidence["before"]), size(&evidence["after"])),
            (300.into(), 290.into())
        );
        // The signature is of the moment in which it is asked for, so only the tree is compared.
        let before: String = String::from_utf8(before).unwrap();
        assert!(before.contains("300"));

        // It is told once, as long as it stands.
        log.pass(MINUTE);
        assert_eq!(desk.poll(&log).alarms.len(), 1);
        assert_eq!(desk.memory.alarms().len(), 1);
        log.add_all(vec![one(ADA); 11]);
        log.pass(MINUTE);
        let standing = desk.poll(&log).alarms;
        let kinds: Vec<_> = standing.iter().map(|alarm| alarm.kind).collect();
        assert_eq!(kinds, [AlarmKind::Shrink, AlarmKind::Fork]);
    }
}

#[test]
fn a_log_that_forks_is_an_alarm_at_the_same_size_and_at_a_larger_one() {
    for protocol in BOTH {
        for more in [0, 1, 500] {
            let (log, desk) = (log_of(20), Desk::new(protocol));
            desk.poll(&log);
            let kept = desk.state();
            log.forget_from(19);
            log.add(one("mallory@example.com"));
            log.add_all(vec![one(ADA); more]);
            log.pass(MINUTE);
            let polled = desk.poll(&log);
            assert_eq!(polled.alarms[0].kind, AlarmKind::Fork, "{protocol} {more}");
            assert!(polled.alarms[0].evidence.is_some());
            assert_eq!(desk.memory.alarms(), [(AlarmKind::Fork, true)]);
            // What it signed first stays what it is measured by.
            let seen = |state: &str| {
                let state: Value = serde_json::from_str(state).unwrap();
                (state["head"].clone(), state["frontier"].clone())
            };
            assert_eq!(seen(&desk.state()), seen(&kept));
        }
    }
}

#[test]
fn a_log_that_shows_two_trees_in_turn_is_noticed_each_time_and_its_evidence_is_kept_once() {
    for protocol in BOTH {
        let (log, desk) = (log_of(20), Desk::new(protocol));
        desk.poll(&log);
        let head = head_path(protocol);
        let good = log.honest(head);
        log.forget_from(0);
        log.add_all(vec![one("mallory@example.com"); 20]);
        let bad = log.honest(head);
        for _ in 0..3 {
            for answer in [&bad, &good] {
                log.replace_nothing();
                log.replace(head, answer.clone());
                desk.poll(&log);
            }
        }
        let turn = [(AlarmKind::Fork, true), (AlarmKind::Fork, false)];
        assert_eq!(desk.memory.alarms(), [turn, turn, turn].concat());
        let evidence = fs::read_dir(desk.folder.path().join("evidence")).unwrap();
        assert_eq!(evidence.count(), 1);
    }
}

#[test]
fn a_log_whose_head_another_key_signed_is_an_alarm() {
    for protocol in BOTH {
        let (log, other, desk) = (log_of(3), log_of(3), Desk::new(protocol));
        let followed = other.followed(protocol);
        let channel = std::sync::Arc::new(desk.memory.clone());
        let folder = desk.folder.path().join("new");
        let mut monitor =
            Monitor::open(followed, &log, folder, vec![ada()], vec![channel]).unwrap();
        let polled = monitor.poll(at(log.now())).unwrap();
        assert_eq!(polled.alarms[0].kind, AlarmKind::BadSignature);
        assert!(!polled.caught_up);
        assert_eq!(desk.memory.alarms(), [(AlarmKind::BadSignature, true)]);
        assert!(desk.memory.indices().is_empty());
    }
}

#[test]
fn a_head_whose_figures_were_changed_is_an_alarm() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        let head = String::from_utf8(log.honest(head_path(protocol)).unwrap()).unwrap();
        let changed = match protocol {
            Protocol::StaticCt => head.replace("\n3\n", "\n2\n"),
            _ => head.replace("\"tree_size\":3", "\"tree_size\":2"),
        };
        assert_ne!(head, changed);
        log.replace(head_path(protocol), Some(changed.into_bytes()));
        assert_eq!(desk.poll(&log).alarms[0].kind, AlarmKind::BadSignature);
        log.replace_nothing();
        assert!(desk.poll(&log).alarms.is_empty());
        assert_eq!(desk.memory.alarms().len(), 2);
        assert_eq!(desk.memory.indices(), [0, 1, 2]);
    }
}

#[test]
fn a_changed_entry_is_an_alarm_and_is_never_told_as_a_certificate() {
    for protocol in BOTH {
        let (log, desk) = (log_of(0), Desk::new(protocol));
        log.add_all(vec![one("bob@example.com"); 300]);
        let path = match protocol {
            Protocol::StaticCt => "tile/data/001.p/44",
            _ => "ct/v1/get-entries?start=256&end=299",
        };
        // Somebody else's tree has Ada where this one has Bob.
        let other = log_of(300);
        log.replace(path, other.honest(path));
        let polled = desk.poll(&log);
        assert_eq!(polled.alarms[0].kind, AlarmKind::BadEntry);
        assert!(!polled.caught_up);
        assert_eq!(polled.entries, 256);
        assert!(desk.memory.indices().is_empty());
        log.replace_nothing();
        let polled = desk.poll(&log);
        assert!(polled.caught_up && polled.alarms.is_empty());
        let turn = [(AlarmKind::BadEntry, true), (AlarmKind::BadEntry, false)];
        assert_eq!(desk.memory.alarms(), turn);
    }
}

#[test]
fn a_tile_of_entries_and_its_tile_of_hashes_that_were_changed_together_are_an_alarm() {
    let (log, desk) = (log_of(0), Desk::new(Protocol::StaticCt));
    log.add_all(vec![one("bob@example.com"); 700]);
    let other = log_of(700);
    for tile in ["tile/0/000", "tile/data/000"] {
        log.replace(tile, other.honest(tile));
    }
    let polled = desk.poll(&log);
    assert_eq!(polled.alarms[0].kind, AlarmKind::BadEntry);
    assert_eq!(polled.entries, 0);
    assert!(desk.memory.indices().is_empty());
}

#[test]
fn a_changed_tile_of_hashes_is_an_alarm() {
    let (log, desk) = (log_of(300), Desk::new(Protocol::StaticCt));
    let mut tile = log.honest("tile/0/000").unwrap();
    tile[77] ^= 1;
    log.replace("tile/0/000", Some(tile));
    assert_eq!(desk.poll(&log).alarms[0].kind, AlarmKind::BadEntry);
    log.replace_nothing();
    assert!(desk.poll(&log).alarms.is_empty());

    // The same when the tree has grown and its hashes are needed to compare the trees.
    log.add(one(ADA));
    log.pass(MINUTE);
    let mut tile = log.honest("tile/0/001.p/45").unwrap();
    tile[5] ^= 1;
    log.replace("tile/0/001.p/45", Some(tile));
    let polled = desk.poll(&log);
    assert_eq!(polled.alarms[0].kind, AlarmKind::BadEntry);
    assert!(polled.alarms[0].evidence.is_some());
}

#[test]
fn entries_that_are_too_many_or_none_are_an_alarm() {
    for count in [0, 4] {
        let (log, desk) = (log_of(3), Desk::new(Protocol::Rfc6962));
        let entry = serde_json::json!({ "leaf_input": "", "extra_data": "" });
        let answer = serde_json::json!({ "entries": vec![entry; count] });
        let path = entries_path(Protocol::Rfc6962);
        log.replace(path, Some(answer.to_string().into_bytes()));
        assert_eq!(desk.poll(&log).alarms[0].kind, AlarmKind::BadEntry);
    }
}

#[test]
fn a_log_that_signs_nothing_new_has_stopped_and_one_that_does_again_has_not() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        desk.poll(&log);
        let head = log.honest(head_path(protocol));
        log.replace(head_path(protocol), head);
        log.pass(60 * MINUTE);
        assert!(desk.poll(&log).alarms.is_empty());
        log.pass(1);
        let polled = desk.poll(&log);
        assert_eq!(polled.alarms[0].kind, AlarmKind::Stopped);
        assert!(
            polled.alarms[0]
                .detail
                .contains("since 2027-01-15T08:00:00Z")
        );
        log.replace_nothing();
        assert!(desk.poll(&log).alarms.is_empty());
        let turn = [(AlarmKind::Stopped, true), (AlarmKind::Stopped, false)];
        assert_eq!(desk.memory.alarms(), turn);
    }
}

#[test]
fn a_log_that_cannot_be_reached_fails_at_once_and_has_stopped_after_a_while() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        log.go_down(true);
        let polled = desk.poll(&log);
        assert!(polled.failure.is_some() && polled.alarms.is_empty());
        assert!(!polled.caught_up);
        log.pass(60 * MINUTE + 1);
        let polled = desk.poll(&log);
        assert_eq!(polled.alarms[0].kind, AlarmKind::Stopped);
        log.go_down(false);
        assert!(desk.poll(&log).caught_up);
        assert_eq!(desk.memory.indices(), [0, 1, 2]);
    }
}

#[test]
fn a_log_that_withholds_an_entry_has_stopped_though_it_signs() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        log.replace(entries_path(protocol), None);
        for _ in 0..61 {
            let polled = desk.poll(&log);
            assert!(polled.failure.is_some() && polled.alarms.is_empty());
            log.pass(MINUTE);
        }
        let polled = desk.poll(&log);
        assert_eq!(polled.alarms[0].kind, AlarmKind::Stopped);
        assert!(polled.alarms[0].detail.contains("entry 0"), "{polled:?}");
    }
}

#[test]
fn a_head_of_the_far_future_does_not_hide_that_the_log_stops() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        log.pass(1_000_000 * MINUTE);
        let future = log.honest(head_path(protocol));
        log.replace(head_path(protocol), future);
        let mut monitor = desk.monitor(&log);
        let begun = log.now() - 1_000_000 * MINUTE;
        assert!(monitor.poll(at(begun)).unwrap().alarms.is_empty());
        let polled = monitor.poll(at(begun + 60 * MINUTE + 1)).unwrap();
        assert_eq!(polled.alarms[0].kind, AlarmKind::Stopped);
    }
}

#[test]
fn the_page_of_a_proxy_is_no_alarm() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        desk.poll(&log);
        let page = b"<html>Sign in to the network</html>\n".to_vec();
        log.replace(head_path(protocol), Some(page));
        let polled = desk.poll(&log);
        assert!(polled.failure.is_some() && polled.alarms.is_empty());
        assert_eq!(desk.memory.alarms(), []);
    }
}

#[test]
fn an_alarm_has_words_and_a_name_of_its_own() {
    let (log, desk) = (log_of(3), Desk::new(Protocol::StaticCt));
    desk.poll(&log);
    log.forget_from(2);
    log.pass(MINUTE);
    desk.poll(&log);
    let told = desk.memory.told();
    let Some(alarm @ Event::Alarm(_)) = told.last() else {
        panic!("{told:?}")
    };
    let json = serde_json::to_value(alarm).unwrap();
    assert_eq!(json["type"], "alarm");
    assert_eq!(json["kind"], "shrink");
    assert_eq!(json["log"], "log.example.com/2026");
    assert_eq!(json["since"], "2027-01-15T08:01:00Z");
    assert_eq!(json["id"], "log.example.com/2026#shrink#1800000060000");
}
