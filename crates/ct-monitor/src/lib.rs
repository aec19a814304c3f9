//! Watching transparency logs: that they only grow, and for whom they have certificates.
//!
//! A [`Monitor`] follows one log, of c2sp.org/static-ct-api or of RFC 6962. It verifies every
//! signature, that each tree begins with the one before, and every entry of the tree; it keeps in a
//! folder how far it got; it tells [`Channel`]s of certificates that a [`Watch`] is for, and of what
//! a log must not do ([`AlarmKind`]). Who calls it says what time it is, how the log is fetched
//! ([`Source`](fulcio_ct_log::reader::Source)) and when to look again.
//!
//! ```
//! use std::{sync::{Arc, Mutex}, time::SystemTime};
//!
//! use fulcio_ct_log::{EmbeddedLog, Options};
//! use fulcio_ct_monitor::{Channel, ChannelError, Event, Monitor, MonitoredLog, Pattern, Watch};
//!
//! /// Remembers what it was told.
//! #[derive(Debug, Default)]
//! struct Memory(Mutex<Vec<Event>>);
//!
//! impl Channel for Memory {
//!     fn name(&self) -> &str {
//!         "memory"
//!     }
//!
//!     fn tell(&self, event: &Event) -> Result<(), ChannelError> {
//!         self.0.lock().expect("nobody panics").push(event.clone());
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
//! # let options = Options::new(move || now).with_origin("log.example.com/2026");
//! # let log = EmbeddedLog::open(folder.path().join("log"), options)?;
//! let memory = Arc::new(Memory::default());
//! let ada = Watch::all("ada").identity(Pattern::exact("ada@example.com"));
//! let followed = MonitoredLog::static_ct(log.origin(), log.key().clone());
//! let state = folder.path().join("state");
//! let mut monitor = Monitor::open(followed, &log, state, vec![ada], vec![memory])?;
//!
//! let polled = monitor.poll(now)?;
//! assert!(polled.caught_up && polled.alarms.is_empty());
//! # Ok(())
//! # }
//! ```

mod alarm;
mod channel;
mod error;
mod event;
mod fault;
mod frontier;
mod head;
mod instant;
mod log_view;
mod logged_entry;
mod monitor;
mod monitored_log;
mod outbox;
mod protocol;
mod rfc6962;
mod state;
mod static_ct;
mod store;
mod subject;
mod tile_cache;
mod walk;
mod watch;
mod webhook;

pub use alarm::{Alarm, AlarmKind};
pub use channel::{Channel, ChannelError};
pub use error::Error;
pub use event::{Event, Sighting, Unreadable};
pub use logged_entry::Content;
pub use monitor::{Monitor, Polled};
pub use monitored_log::MonitoredLog;
pub use protocol::Protocol;
pub use subject::{Identity, Subject, TextExtension};
pub use walk::{Walk, WalkedEntry};
pub use watch::{ExtensionName, Pattern, Watch};
pub use webhook::webhook_signature;
