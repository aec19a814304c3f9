//! An embedded static-ct transparency log on local disk.
//!
//! [`EmbeddedLog`] is a [`TransparencyLog`](fulcio_ct_client::TransparencyLog) in a folder, to be
//! read by stock monitors as [c2sp.org/static-ct-api](https://c2sp.org/static-ct-api) says. It is
//! for one process on one machine. [`reader`] reads such logs, this one and others, and believes
//! only what verifies.
//!
//! ```
//! use fulcio_ct_client::{Entry, Submission, TransparencyLog};
//! use fulcio_ct_log::{EmbeddedLog, Options, reader::Reader};
//! use pki_types::CertificateDer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let now = || std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
//! let options = Options::new(now).with_origin("log.example.com/2026");
//! let log = EmbeddedLog::open(folder.path(), options)?;
//!
//! let certificate = CertificateDer::from(b"a certificate in DER".to_vec());
//! let entry = Entry::Certificate(&certificate);
//! let issuers = &[];
//! let timestamp = log.submit(Submission { entry, certificate: &certificate, issuers }).await?;
//! assert_eq!(timestamp.leaf_index()?, Some(0));
//!
//! let checkpoint = log.published(1).await?;
//! let reader = Reader::new(&log, log.origin(), log.key().clone());
//! reader.inclusion_of(&checkpoint, entry, &timestamp)?;
//! log.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The folder
//!
//! | name | what it is |
//! |---|---|
//! | `log` | origin and identifier; never changes |
//! | `key.pem` | the private key, unless it is kept elsewhere |
//! | `note-key.pem` | the private key of second signatures, when they are [wanted](NoteKey) |
//! | `journal` | every entry, appended and synced before its timestamp leaves |
//! | `public/` | checkpoint, tiles and issuers; any web server may serve them |
//! | `state` | up to where `public/` has been made from the journal |
//! | `lock` | locked while the log is open |
//!
//! `public/` and `state` are made from the journal again when something of them is missing. A copy
//! of the folder is a backup, also of an open log and in any order of files, when the journal is
//! copied after all the rest. [`check()`] compares all of a folder with its journal.
//!
//! # What holds when
//!
//! A timestamp leaves after its entry is durable, tiles and checkpoint follow within a second, and
//! time never goes back. Whoever submits the same again gets the same timestamp while the entry is
//! among the last 4096; after a restart the same place and time, with a signature of its own, while
//! it is among the last 1024. Later it becomes an entry of its own. A log whose disk fails stops,
//! says so, and is still read.

mod backlog;
mod check;
#[cfg(test)]
mod crash_tests;
mod creation;
mod disk;
mod durable;
mod error;
mod frontier;
mod identity;
mod journal;
mod key;
mod leaf;
mod log;
mod manifest;
mod note_key;
mod options;
mod publisher;
mod publishing;
pub mod reader;
mod recovery;
mod resource;
mod sequencer;
#[cfg(test)]
mod sim_disk;
mod state;
mod status;
mod submission;
mod tile;

pub use check::{Finding, Problem, Report, Severity, check};
pub use error::Error;
pub use log::EmbeddedLog;
pub use options::{Clock, NoteKey, Options};
pub use resource::Resource;
