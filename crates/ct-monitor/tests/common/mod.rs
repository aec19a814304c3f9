//! What the tests of the monitor share.
#![allow(dead_code, reason = "each test uses its part")]

mod authority;
mod fake_log;
mod memory;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fulcio_ct_monitor::{Channel, Monitor, Pattern, Polled, Protocol, Watch};
use tempfile::TempDir;

#[allow(unused_imports, reason = "each test uses its part")]
pub(crate) use self::{
    authority::{Authority, GITHUB, principal, workflow},
    fake_log::{Entry, FakeLog, ORIGIN},
    memory::Memory,
};

pub(crate) const BOTH: [Protocol; 2] = [Protocol::StaticCt, Protocol::Rfc6962];

pub(crate) const ADA: &str = "ada@example.com";

/// The moment at which tests begin, in milliseconds since 1970.
pub(crate) const START: u64 = 1_800_000_000_000;

pub(crate) fn at(millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

pub(crate) fn ada() -> Watch {
    Watch::all("ada").identity(Pattern::exact(ADA))
}

/// A folder of state, and who is told.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) protocol: Protocol,
    pub(crate) folder: TempDir,
    pub(crate) memory: Memory,
    pub(crate) watches: Vec<Watch>,
}

impl Desk {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            folder: tempfile::tempdir().unwrap(),
            memory: Memory::default(),
            watches: vec![ada()],
        }
    }

    /// A monitor that goes on where the state in the folder ends.
    pub(crate) fn monitor<'a>(&self, log: &'a FakeLog) -> Monitor<&'a FakeLog> {
        let channel: Box<dyn Channel> = Box::new(self.memory.clone());
        let followed = log.followed(self.protocol);
        let watches = self.watches.clone();
        Monitor::open(
            followed,
            log,
            self.folder.path(),
            watches,
            vec![channel.into()],
        )
        .unwrap()
    }

    /// Looks at the log once, as a process does that is started for it.
    pub(crate) fn poll(&self, log: &FakeLog) -> Polled {
        self.monitor(log).poll(at(log.now())).unwrap()
    }

    pub(crate) fn state(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("state.json")).unwrap()
    }
}
