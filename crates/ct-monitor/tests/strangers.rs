//! Whatever a log answers, the monitor neither ends nor believes it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{ADA, Authority, BOTH, Desk, FakeLog, principal};
use fulcio_ct_log::reader::{FetchError, Source};
use fulcio_ct_monitor::{AlarmKind, Monitor};
use proptest::prelude::*;

/// A log between which and the monitor somebody sits.
#[derive(Debug)]
struct Tampered<'a> {
    log: &'a FakeLog,
    how: Vec<(usize, Tampering)>,
    asked: std::cell::Cell<usize>,
}

#[derive(Clone, Debug)]
enum Tampering {
    Flip(usize, u8),
    Cut(usize),
    Extend(Vec<u8>),
    Replace(Vec<u8>),
    Gone,
    Fail,
}

impl Source for Tampered<'_> {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        let turn = self.asked.replace(self.asked.get() + 1);
        let Some(mut answer) = self.log.fetch(path)? else {
            return Ok(None);
        };
        for (when, how) in &self.how {
            if *when != turn {
                continue;
            }
            match how {
                Tampering::Flip(at, bits) => {
                    let at = at % answer.len().max(1);
                    if let Some(byte) = answer.get_mut(at) {
                        *byte ^= bits;
                    }
                }
                Tampering::Cut(length) => answer.truncate(*length),
                Tampering::Extend(more) => answer.extend(more),
                Tampering::Replace(other) => answer.clone_from(other),
                Tampering::Gone => return Ok(None),
                Tampering::Fail => return Err("nobody answers".into()),
            }
        }
        Ok(Some(answer))
    }
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..100);
    let json = r#"\{"(entries|consistency|tree_size)":(\[\]|\[\{\}\]|-1|1e99|\["AA=="\]|null)\}"#;
    prop_oneof![
        4 => (any::<usize>(), 1u8..).prop_map(|(at, bits)| Tampering::Flip(at, bits)),
        2 => (0usize..3000).prop_map(Tampering::Cut),
        1 => bytes().prop_map(Tampering::Extend),
        1 => bytes().prop_map(Tampering::Replace),
        1 => json.prop_map(|text| Tampering::Replace(text.into_bytes())),
        1 => Just(Tampering::Gone),
        1 => Just(Tampering::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// It tells only of certificates that are in the tree, tells of all of them once it is left in
    /// peace, and never takes a disturbance for a shrinking or stopping log.
    #[test]
    fn tampering_is_noticed_and_harmless(
        how in prop::collection::vec((0usize..40, tampering()), 1..6),
        first in 1usize..40,
        second in 0usize..300,
        rfc6962: bool,
    ) {
        let authority = Authority::new();
        let ada = authority.certificate(&principal(ADA), 1);
        let desk = Desk::new(BOTH[usize::from(rfc6962)]);
        let log = FakeLog::new();
        log.give_at_once(64);
        let source = Tampered { log: &log, how, asked: std::cell::Cell::new(0) };
        let open = |source| {
            let channel = std::sync::Arc::new(desk.memory.clone());
            let followed = log.followed(desk.protocol);
            Monitor::open(followed, source, desk.folder.path(), desk.watches.clone(), vec![channel])
        };
        let mut monitor = open(source).unwrap();
        for more in [first, second, 1] {
            log.add_all(vec![ada.clone(); more]);
            log.pass(10);
            for _ in 0..2 {
                let polled = monitor.poll(common::at(log.now())).unwrap();
                for alarm in &polled.alarms {
                    // Only who changes a proof can make a tree look like another one.
                    prop_assert!(matches!(
                        alarm.kind,
                        AlarmKind::BadEntry | AlarmKind::BadSignature | AlarmKind::Fork
                    ));
                }
            }
        }
        drop(monitor);
        let source = Tampered { log: &log, how: vec![], asked: std::cell::Cell::new(0) };
        let polled = open(source).unwrap().poll(common::at(log.now())).unwrap();
        prop_assert!(polled.caught_up && polled.alarms.is_empty(), "{:?}", polled);
        let all: Vec<u64> = (0..(first + second + 1) as u64).collect();
        prop_assert_eq!(desk.memory.indices(), all);
    }
}
