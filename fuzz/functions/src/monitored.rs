use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{FetchError, Hash};
use fulcio_ct_monitor::{AlarmKind, Channel, ChannelError, Event, Monitor, MonitoredLog, Watch};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixed::{NOW_SECONDS, now, p256_signature, p256_spki};

static KEY: LazyLock<LogKey> =
    LazyLock::new(|| LogKey::from_spki(p256_spki()).expect("a log's key"));

/// Remembers what it was told.
#[derive(Debug, Default)]
struct Memory(Mutex<Vec<Event>>);

impl Channel for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn tell(&self, event: &Event) -> Result<(), ChannelError> {
        self.0.lock().expect("nobody panics").push(event.clone());
        Ok(())
    }
}

/// A log's answer to `get-entries`, under a tree head that fits it: each entry is told of, as a certificate
/// or as one that cannot be read, and an answer that is none does not end the monitor. The same bytes are then the
/// answer to every question.
pub fn get_entries(data: &[u8]) {
    let leaves = leaves(data);
    let size = leaves.len() as u64;
    let head = json!({
        "tree_size": size,
        "timestamp": NOW_SECONDS * 1000,
        "sha256_root_hash": BASE64_STANDARD.encode(root(&leaves)),
        "tree_head_signature": BASE64_STANDARD.encode(signed_head(size, &root(&leaves))),
    })
    .to_string()
    .into_bytes();
    let source = |path: &str| -> Result<Option<Vec<u8>>, FetchError> {
        Ok(Some(match path {
            "ct/v1/get-sth" => head.clone(),
            _ => data.to_vec(),
        }))
    };
    let (told, alarms) = polled(source);
    let kinds = alarms.iter().all(|kind| *kind == AlarmKind::BadEntry);
    assert!(kinds, "{alarms:?}");
    if size > 0 && alarms.is_empty() && size <= 256 {
        let mut seen = BTreeMap::new();
        for event in &told {
            match event {
                Event::Certificate(sighting) => seen.insert(sighting.index, true),
                Event::Unreadable(unreadable) => {
                    seen.entry(unreadable.index).or_default().then_some(true)
                }
                other => panic!("{other:?}"),
            };
        }
        assert!(seen.is_empty() || seen.len() as u64 == size, "{told:?}");
    }
    let (told, _alarms) = polled(|_: &str| -> Result<_, FetchError> { Ok(Some(data.to_vec())) });
    assert!(
        told.iter()
            .all(|event| !matches!(event, Event::Certificate(_)))
    );
}

/// What one look at a log tells.
fn polled(
    source: impl Fn(&str) -> Result<Option<Vec<u8>>, FetchError>,
) -> (Vec<Event>, Vec<AlarmKind>) {
    let folder = folder();
    let memory = Arc::new(Memory::default());
    let log = MonitoredLog::rfc6962("log", KEY.clone());
    let channels: Vec<Arc<dyn Channel>> = vec![memory.clone()];
    let monitor = Monitor::open(
        log,
        source,
        folder.path(),
        vec![Watch::all("all")],
        channels,
    );
    let polled = monitor.expect("an empty folder").poll(now());
    let polled = polled.expect("a disk that works");
    let alarms = polled.alarms.iter().map(|alarm| alarm.kind).collect();
    let told = memory.0.lock().expect("nobody panics").clone();
    (told, alarms)
}

/// In memory where that can be had, because every poll is synced to the disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a folder")
}

/// The hashes of the entries, where the answer is one.
fn leaves(answer: &[u8]) -> Vec<Hash> {
    let Ok(json) = serde_json::from_slice::<Value>(answer) else {
        return Vec::new();
    };
    let entries = json["entries"].as_array().map_or(&[][..], Vec::as_slice);
    let leaves = entries.iter().map(|entry| {
        let leaf = BASE64_STANDARD.decode(entry["leaf_input"].as_str()?).ok()?;
        Some(sha256(&[&[0], &leaf[..]].concat()))
    });
    leaves.collect::<Option<_>>().unwrap_or_default()
}

/// The Merkle tree hash (RFC 6962, section 2.1).
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1][..], &root(left), &root(right)].concat())
        }
    }
}

fn signed_head(size: u64, root: &Hash) -> Vec<u8> {
    let mut head = vec![0, 1];
    head.extend((NOW_SECONDS * 1000).to_be_bytes());
    head.extend(size.to_be_bytes());
    head.extend(root);
    let signature = p256_signature(&head);
    let length = u16::try_from(signature.len()).expect("short");
    [&[4, 3], &length.to_be_bytes()[..], &signature].concat()
}

fn sha256(bytes: &[u8]) -> Hash {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().try_into().expect("32 octets")
}
