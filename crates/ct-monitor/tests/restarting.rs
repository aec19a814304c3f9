//! What a monitor remembers, and what it says when it cannot.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{collections::BTreeSet, fs, sync::Arc};

use common::{ADA, Authority, BOTH, Desk, Entry, FakeLog, Memory, ada, at, principal};
use fulcio_ct_monitor::{Channel, Error, Monitor, MonitoredLog, Protocol, Watch};

fn entry() -> Entry {
    Authority::new().certificate(&principal(ADA), 9)
}

fn log_of(count: usize) -> FakeLog {
    let log = FakeLog::new();
    log.add_all(vec![entry(); count]);
    log
}

#[test]
fn what_was_told_and_not_remembered_is_told_again_after_a_crash() {
    for protocol in BOTH {
        let (log, desk) = (log_of(3), Desk::new(protocol));
        desk.poll(&log);
        let before = desk.state();
        log.add_all(vec![entry(); 3]);
        log.pass(10);
        desk.poll(&log);
        assert_eq!(desk.memory.indices(), [0, 1, 2, 3, 4, 5]);
        // The crash: what was told has been told, and the disk does not know.
        fs::write(desk.folder.path().join("state.json"), before).unwrap();
        desk.poll(&log);
        assert_eq!(desk.memory.indices(), [0, 1, 2, 3, 4, 5, 3, 4, 5]);
    }
}

#[test]
fn what_was_remembered_and_not_told_is_told_after_a_crash() {
    for protocol in BOTH {
        let (log, desk) = (log_of(10), Desk::new(protocol));
        desk.memory.take_only(4);
        let polled = desk.poll(&log);
        assert_eq!(polled.untold[0].0, "memory");
        assert_eq!(polled.waiting, 6);
        assert!(
            polled.caught_up,
            "a deaf channel does not keep the log from being read"
        );
        assert!(desk.state().contains("\"seen\": 10"));

        desk.memory.take_only(usize::MAX);
        // What waits is told though the log is gone.
        log.go_down(true);
        desk.poll(&log);
        let indices: Vec<u64> = (0..10).collect();
        assert_eq!(desk.memory.indices(), indices);
    }
}

#[test]
fn every_channel_is_told_by_itself() {
    let (log, desk) = (log_of(5), Desk::new(Protocol::StaticCt));
    let (deaf, other) = (Memory::named("deaf"), Memory::named("other"));
    deaf.take_only(2);
    let open = || {
        let channels: Vec<Arc<dyn Channel>> = vec![Arc::new(deaf.clone()), Arc::new(other.clone())];
        let watches = vec![ada(), ada().channels(vec!["deaf".to_owned()])];
        let followed = log.followed(Protocol::StaticCt);
        Monitor::open(followed, &log, desk.folder.path(), watches, channels).unwrap()
    };
    open().poll(at(log.now())).unwrap();
    assert_eq!(deaf.indices(), [0, 1]);
    assert_eq!(other.indices(), [0, 1, 2, 3, 4]);
    deaf.take_only(10);
    open().poll(at(log.now())).unwrap();
    assert_eq!(deaf.indices(), [0, 1, 2, 3, 4]);
    assert_eq!(other.indices(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_watch_can_tell_one_channel_only() {
    let (log, desk) = (log_of(1), Desk::new(Protocol::StaticCt));
    let (one, two) = (Memory::named("one"), Memory::named("two"));
    let channels: Vec<Arc<dyn Channel>> = vec![Arc::new(one.clone()), Arc::new(two.clone())];
    let watch = ada().channels(vec!["two".to_owned()]);
    let folder = desk.folder.path();
    let followed = || log.followed(Protocol::StaticCt);
    let mut monitor =
        Monitor::open(followed(), &log, folder, vec![watch], channels.clone()).unwrap();
    monitor.poll(at(log.now())).unwrap();
    assert_eq!((one.indices(), two.indices()), (vec![], vec![0]));
    drop(monitor);

    let watch = ada().channels(vec!["three".to_owned()]);
    let refused = Monitor::open(followed(), &log, folder, vec![watch], channels);
    assert!(matches!(refused, Err(Error::UnknownChannel { channel, .. }) if channel == "three"));
}

#[test]
fn what_nobody_is_left_to_be_told_of_is_counted() {
    let (log, desk) = (log_of(5), Desk::new(Protocol::StaticCt));
    desk.memory.take_only(2);
    desk.poll(&log);
    let other: Arc<dyn Channel> = Arc::new(Memory::named("other"));
    let followed = log.followed(Protocol::StaticCt);
    let mut monitor =
        Monitor::open(followed, &log, desk.folder.path(), vec![ada()], vec![other]).unwrap();
    assert_eq!(monitor.drop_orphans().unwrap(), 3);
    assert_eq!(monitor.drop_orphans().unwrap(), 0);
    assert_eq!(monitor.poll(at(log.now())).unwrap().waiting, 0);
}

#[test]
fn a_channel_that_stays_deaf_does_not_fill_the_memory() {
    for protocol in BOTH {
        let (log, desk) = (log_of(2500), Desk::new(protocol));
        desk.memory.take_only(0);
        let mut monitor = desk.monitor(&log);
        let mut polled = monitor.poll(at(log.now())).unwrap();
        for _ in 0..5 {
            polled = monitor.poll(at(log.now())).unwrap();
        }
        assert_eq!(polled.waiting, 1000);
        assert!(!polled.caught_up && polled.alarms.is_empty());
        // It is not the log that has stopped.
        log.pass(50 * 60_000);
        monitor.poll(at(log.now())).unwrap();
        log.pass(50 * 60_000);
        assert!(monitor.poll(at(log.now())).unwrap().alarms.is_empty());

        desk.memory.take_only(usize::MAX);
        while !monitor.poll(at(log.now())).unwrap().caught_up {}
        let told: BTreeSet<u64> = desk.memory.indices().into_iter().collect();
        assert_eq!(told.len(), 2500);
        assert_eq!(desk.memory.indices().len(), 2500);
    }
}

#[test]
fn alarms_that_nobody_hears_do_not_fill_the_memory() {
    let (log, desk) = (log_of(0), Desk::new(Protocol::StaticCt));
    log.add_all(vec![Entry::Certificate(vec![1]); 1000]);
    desk.memory.take_only(0);
    let mut monitor = desk.monitor(&log);
    let good = String::from_utf8(log.honest("checkpoint").unwrap()).unwrap();
    let bad = good.replace("\n1000\n", "\n2000\n");
    let mut waiting = Vec::new();
    for turn in 0..120 {
        log.replace_nothing();
        if turn % 2 == 1 {
            log.replace("checkpoint", Some(bad.clone().into_bytes()));
        }
        waiting.push(monitor.poll(at(log.now())).unwrap().waiting);
    }
    assert_eq!((waiting[0], waiting[1], waiting[119]), (1000, 1001, 1100));
}

#[test]
fn one_process_at_a_time_has_the_state() {
    let (log, desk) = (log_of(1), Desk::new(Protocol::StaticCt));
    let first = desk.monitor(&log);
    let followed = log.followed(Protocol::StaticCt);
    let second = Monitor::open(followed, &log, desk.folder.path(), vec![], vec![]);
    assert!(matches!(second, Err(Error::InUse { .. })));
    drop(first);
    desk.monitor(&log);
}

#[test]
fn the_state_of_another_log_is_refused() {
    let (log, other, desk) = (log_of(1), log_of(1), Desk::new(Protocol::StaticCt));
    desk.poll(&log);
    let mut renamed = log.followed(Protocol::StaticCt);
    renamed.origin = "elsewhere.example.com".to_owned();
    for followed in [
        other.followed(Protocol::StaticCt),
        log.followed(Protocol::Rfc6962),
        renamed,
    ] {
        let refused = Monitor::open(followed, &log, desk.folder.path(), vec![], vec![]);
        assert!(matches!(refused, Err(Error::OtherLog { .. })));
    }
    let mut named = MonitoredLog::static_ct(common::ORIGIN, log.key());
    named.name = "ours".to_owned();
    Monitor::open(named, &log, desk.folder.path(), vec![], vec![]).unwrap();
}

#[test]
fn a_damaged_state_is_said_to_be_damaged_and_left_as_it_is() {
    for protocol in BOTH {
        let (log, desk) = (log_of(6), Desk::new(protocol));
        desk.poll(&log);
        let good = desk.state();
        let open = |state: &str| {
            let file = desk.folder.path().join("state.json");
            fs::write(&file, state).unwrap();
            let followed = log.followed(protocol);
            let opened = Monitor::open(followed, &log, desk.folder.path(), vec![], vec![]);
            assert_eq!(fs::read_to_string(&file).unwrap(), state);
            opened.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(open(&good), Ok(()));
        assert!(
            open(&good[..good.len() / 2])
                .unwrap_err()
                .contains("is damaged")
        );
        assert!(open("").is_err());
        let changes = [
            ("\"seen\": 6", "\"seen\": 4", "the frontier"),
            ("\"seen\": 6", "\"seen\": 12", "the frontier"),
            ("\"version\": 1", "\"version\": 2", "the version"),
            (
                "\"frontier\": [",
                "\"frontier\": [\"AAAA\",",
                "the frontier",
            ),
        ];
        for (from, to, what) in changes {
            assert!(good.contains(from));
            let error = open(&good.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
        let head = match protocol {
            Protocol::StaticCt => good.replacen("\\n6\\n", "\\n8\\n", 1),
            _ => good.replacen("tree_size\\\":6", "tree_size\\\":8", 1),
        };
        assert_ne!(head, good);
        assert!(open(&head).unwrap_err().contains("the tree head"));
    }
}

#[test]
fn a_state_that_cannot_be_written_is_an_error_and_nothing_is_lost() {
    let (log, desk) = (log_of(3), Desk::new(Protocol::StaticCt));
    let mut monitor = desk.monitor(&log);
    // A folder stands where the new state is written.
    let obstacle = desk.folder.path().join("state.json.new");
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(
        monitor.poll(at(log.now())),
        Err(Error::State { .. })
    ));
    fs::remove_dir(&obstacle).unwrap();
    assert!(monitor.poll(at(log.now())).unwrap().caught_up);
    assert_eq!(desk.memory.indices(), [0, 1, 2]);
}

#[test]
fn a_log_of_no_entries_has_nothing_to_tell() {
    for protocol in BOTH {
        let (log, mut desk) = (log_of(0), Desk::new(protocol));
        desk.watches = vec![Watch::all("everything")];
        assert!(desk.poll(&log).caught_up);
        log.add(entry());
        log.pass(1);
        assert!(desk.poll(&log).caught_up);
        assert_eq!(desk.memory.indices(), [0]);
    }
}
