//! A disk that fails whenever it likes, and what is left on it.

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;

use crate::{
    Head, Outcome,
    line::Line,
    medium::{Medium, Tail},
    writer::{Chain, Lost},
};

/// What the disk does at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Works,
    /// Writes so many bytes, then fails.
    WritesSome(u8),
    /// Writes all, and fails to sync.
    SyncFails,
    /// Writes some, and fails to cut them off again the first time.
    CutFails(u8),
}

#[derive(Clone, Debug)]
struct Disk {
    bytes: Rc<RefCell<Vec<u8>>>,
    step: Rc<RefCell<Step>>,
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl Medium for Disk {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut content = self.bytes.borrow_mut();
        let offset = usize::try_from(offset).unwrap();
        let written = match *self.step.borrow() {
            Step::WritesSome(some) | Step::CutFails(some) => bytes.len().min(some.into()),
            Step::Works | Step::SyncFails => bytes.len(),
        };
        let length = content.len().max(offset + written);
        content.resize(length, 0);
        content[offset..offset + written].copy_from_slice(&bytes[..written]);
        match *self.step.borrow() {
            Step::WritesSome(_) | Step::CutFails(_) => Err(full()),
            Step::Works | Step::SyncFails => Ok(()),
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if matches!(*self.step.borrow(), Step::CutFails(_)) {
            return Err(full());
        }
        self.bytes
            .borrow_mut()
            .truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        match *self.step.borrow() {
            Step::SyncFails => Err(full()),
            _ => Ok(()),
        }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.bytes.borrow().len() as u64)
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Works),
        2 => any::<u8>().prop_map(Step::WritesSome),
        1 => Just(Step::SyncFails),
        2 => any::<u8>().prop_map(Step::CutFails),
    ]
}

fn at(second: usize) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second as u64)
}

proptest! {
    /// Whatever the disk did: what was said to be kept is there, once and in order, what was not
    /// kept is counted, and the chain is whole.
    #[test]
    fn a_disk_that_fails_leaves_a_whole_chain_of_what_was_kept(
        steps in prop::collection::vec((step(), 1..4usize), 1..40),
    ) {
        let disk = Disk {
            bytes: Rc::default(),
            step: Rc::new(RefCell::new(Step::Works)),
        };
        let mut chain = Chain {
            head: Head::START,
            tail: Some(Tail::new(disk.clone(), 0)),
            lost: Lost::default(),
        };
        let (mut kept, mut lost) = (Vec::new(), 0);
        let steps = steps.into_iter().chain([(Step::Works, 1)]);
        for (number, (step, records)) in steps.enumerate() {
            *disk.step.borrow_mut() = step;
            let bodies: Vec<_> = (0..records)
                .map(|record| format!(r#"{{"time":"t","type":"issued","id":"{number}-{record}"}}"#))
                .collect();
            let lines: Vec<_> = bodies.iter().map(String::as_str).collect();
            match chain.append(&lines, at(number), true) {
                Ok(()) => kept.extend(bodies),
                Err(_) => {
                    chain.lose(&vec![Outcome::Issued; records], at(number));
                    lost += records;
                }
            }
        }
        let bytes = disk.bytes.borrow();
        let text = core::str::from_utf8(&bytes).unwrap();
        let (mut head, mut found, mut said) = (Head::START, Vec::new(), 0);
        for line in text.lines() {
            let read = Line::read(line.as_bytes()).unwrap();
            prop_assert_eq!((read.seq, read.previous), (head.next, head.hash));
            head = read.head();
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            match read.kind {
                "lost" => said += value["issued"].as_u64().unwrap(),
                _ => found.push(value["id"].as_str().unwrap().to_owned()),
            }
        }
        prop_assert!(text.ends_with('\n'));
        let ids = kept.iter().map(|body| {
            let value: serde_json::Value = serde_json::from_str(body).unwrap();
            value["id"].as_str().unwrap().to_owned()
        });
        prop_assert_eq!(found, ids.collect::<Vec<_>>());
        prop_assert_eq!(said, lost as u64);
    }
}
