//! What a log serves, and what a reader makes of it.

mod common;

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use common::{Numbered, ORIGIN, TestClock, fill, index};
use fulcio_ct_log::{
    EmbeddedLog,
    reader::{Checkpoint, Error, FetchError, Reader, Source as _},
};
use tempfile::{TempDir, tempdir};

/// An open log with these many entries, and the number of each.
async fn filled(size: u64) -> (TempDir, Arc<EmbeddedLog>, HashMap<u64, u64>) {
    let folder = tempdir().expect("a folder");
    let options = TestClock::new().options();
    let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a new log"));
    let timestamps = fill(&log, 0..size).await;
    let place = |timestamp| index(timestamp).expect("a place");
    let numbers = timestamps
        .iter()
        .map(|(number, timestamp)| (place(timestamp), *number));
    let numbers = numbers.collect();
    (folder, log, numbers)
}

#[tokio::test]
async fn every_entry_is_proven_at_every_size_up_to_a_few_hundred() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    let log = Arc::new(log);
    let reader = Reader::new(&*log, ORIGIN, log.key().clone());
    let mut checkpoints: Vec<Checkpoint> = vec![log.checkpoint()];
    let mut entries = Vec::new();
    for size in (1..20).chain([255, 256, 257, 300]) {
        let numbers = entries.len() as u64..size;
        let mut timestamps = fill(&log, numbers).await;
        timestamps.sort_by_key(|(_, timestamp)| index(timestamp));
        entries.extend(timestamps);
        let checkpoint = reader.checkpoint().expect("served");
        assert_eq!(checkpoint.size(), size);
        for (place, (number, timestamp)) in entries.iter().enumerate() {
            let numbered = Numbered::new(*number);
            let proof = reader
                .inclusion_of(&checkpoint, numbered.entry(), timestamp)
                .expect("a promise that was kept");
            assert_eq!(proof.index, place as u64);
            if place % 50 == 0 {
                let same = log.inclusion_proof(place as u64).expect("published");
                assert_eq!(same, proof);
            }
            let other = Numbered::new(number + 1);
            let error = reader.inclusion_of(&checkpoint, other.entry(), timestamp);
            assert!(matches!(error, Err(Error::Timestamp(_))));
        }
        for earlier in &checkpoints {
            let proof = reader.consistency(earlier, &checkpoint).expect("a prefix");
            if earlier.size() > 0 {
                let wrong = proof.verify(&[0; 32], &checkpoint.root());
                assert!(matches!(wrong, Err(Error::Proof)));
                assert!(proof.verify(&earlier.root(), &[0; 32]).is_err());
            }
        }
        checkpoints.push(checkpoint);
    }
    let beyond = log.inclusion_proof(300).expect_err("not there yet");
    assert!(matches!(
        beyond,
        fulcio_ct_log::Error::NotPublished {
            index: 300,
            size: 300
        }
    ));
}

#[tokio::test]
async fn a_proof_of_one_entry_is_none_of_another() {
    let (_folder, log, _) = filled(300).await;
    let reader = Reader::new(&*log, ORIGIN, log.key().clone());
    let checkpoint = log.checkpoint();
    let tile = reader.entries(&checkpoint, 17).expect("served");
    let leaf = tile.leaf(17).expect("there").hash();
    let proof = log.inclusion_proof(17).expect("published");
    proof.verify(&leaf, &checkpoint.root()).expect("its own");
    let other = tile.leaf(18).expect("there").hash();
    assert!(proof.verify(&other, &checkpoint.root()).is_err());
    for change in 0..proof.path.len() {
        let mut changed = proof.clone();
        changed.path[change][0] ^= 1;
        assert!(changed.verify(&leaf, &checkpoint.root()).is_err());
        changed.path.remove(change);
        assert!(changed.verify(&leaf, &checkpoint.root()).is_err());
    }
    let mut moved = proof;
    moved.index = 16;
    assert!(moved.verify(&leaf, &checkpoint.root()).is_err());
    moved.index = u64::MAX;
    moved.size = u64::MAX;
    assert!(moved.verify(&leaf, &checkpoint.root()).is_err());
}

#[tokio::test]
async fn the_entries_are_those_that_were_submitted() {
    let (_folder, log, numbers) = filled(600).await;
    let reader = Reader::new(&*log, ORIGIN, log.key().clone());
    let checkpoint = reader.checkpoint().expect("served");
    let mut seen = 0;
    while seen < checkpoint.size() {
        let tile = reader.entries(&checkpoint, seen).expect("served");
        assert_eq!(tile.first(), seen);
        for leaf in tile.leaves() {
            let numbered = Numbered::new(numbers[&seen]);
            assert_eq!(leaf.entry, numbered.entry());
            assert_eq!(leaf.certificate, numbered.certificate());
            assert_eq!(leaf.index(), Some(seen));
            let issuers = leaf
                .issuers()
                .map(|issuer| reader.issuer(&issuer).expect("served"));
            assert_eq!(issuers.collect::<Vec<_>>(), numbered.issuers);
            seen += 1;
        }
    }
    assert_eq!(seen, 600);
}

#[tokio::test]
async fn a_reader_believes_nothing_that_was_changed_in_what_the_tree_covers() {
    let (_folder, log, _) = filled(300).await;
    let checkpoint = log.checkpoint();
    let touched = Mutex::new(Vec::new());
    let honest = |path: &str| -> Result<_, FetchError> {
        touched.lock().expect("no panic").push(path.to_owned());
        Ok(log.read(path)?.map(|resource| resource.bytes))
    };
    let reader = Reader::new(honest, ORIGIN, log.key().clone());
    for place in [0, 255, 256, 299] {
        reader.entries(&checkpoint, place).expect("honest");
        reader.inclusion(&checkpoint, place).expect("honest");
    }
    let hashes = [0, 256].map(|place| {
        let tile = reader.entries(&checkpoint, place).expect("honest");
        tile.leaves().map(|leaf| leaf.hash()).collect::<Vec<_>>()
    });
    let mut paths = touched.lock().expect("no panic").clone();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 5, "{paths:?}");
    for path in paths {
        let length = log.read(&path).expect("served").expect("there").bytes.len();
        let mut refused = 0;
        for at in (0..length).step_by(length / 20 + 1) {
            let changed = |asked: &str| -> Result<_, FetchError> {
                let mut bytes = log.read(asked)?.map(|resource| resource.bytes);
                if let Some(bytes) = bytes.as_mut().filter(|_| asked == path) {
                    bytes[at] ^= 4;
                }
                Ok(bytes)
            };
            let reader = Reader::new(changed, ORIGIN, log.key().clone());
            for (tile, place) in [0, 256].into_iter().enumerate() {
                match reader.entries(&checkpoint, place) {
                    Ok(changed) => {
                        let leaves = changed.leaves().map(|leaf| leaf.hash());
                        assert!(leaves.eq(hashes[tile].iter().copied()), "{path} at {at}");
                    }
                    Err(Error::Inconsistent | Error::Malformed { .. }) => refused += 1,
                    Err(error) => panic!("{path} at {at}: {error}"),
                }
            }
        }
        assert!(refused > 0, "no change of {path} was refused");
    }
}

#[tokio::test]
async fn a_reader_says_what_it_did_not_get() {
    let (_folder, log, _) = filled(3).await;
    let checkpoint = log.checkpoint();
    let nothing = |_: &str| -> Result<_, FetchError> { Ok(None) };
    let reader = Reader::new(nothing, ORIGIN, log.key().clone());
    assert!(matches!(reader.checkpoint(), Err(Error::Missing { path }) if path == "checkpoint"));
    let missing = reader.inclusion(&checkpoint, 0);
    assert!(matches!(missing, Err(Error::Missing { path }) if path == "tile/0/000.p/3"));
    let broken = |_: &str| -> Result<_, FetchError> { Err("no network".into()) };
    let reader = Reader::new(broken, ORIGIN, log.key().clone());
    assert!(matches!(reader.checkpoint(), Err(Error::Fetch { .. })));
    assert!(matches!(
        reader.entries(&checkpoint, 0),
        Err(Error::Fetch { .. })
    ));
    let far = reader.inclusion(&checkpoint, 3);
    assert!(matches!(far, Err(Error::NotInTree { index: 3, size: 3 })));
}

#[tokio::test]
async fn resources_say_what_they_are_and_whether_they_stay() {
    let (_folder, log, _) = filled(260).await;
    let read = |path: &str| log.read(path).expect("a healthy disk");
    let checkpoint = read("checkpoint").expect("there");
    assert_eq!(checkpoint.content_type, "text/plain; charset=utf-8");
    assert!(!checkpoint.immutable);
    let full = read("tile/0/000").expect("there");
    assert_eq!(full.content_type, "application/octet-stream");
    assert!(full.immutable);
    assert_eq!(full.bytes.len(), 256 * 32);
    for width in 1..256 {
        let partial = read(&format!("tile/0/000.p/{width}")).expect("cut");
        assert_eq!(partial.bytes, full.bytes[..width * 32]);
    }
    assert_eq!(read("tile/1/000.p/1").expect("there").bytes.len(), 32);
    for width in 1..=4 {
        let partial = read(&format!("tile/0/001.p/{width}")).expect("cut");
        assert_eq!(partial.bytes.len(), width * 32);
        assert!(read(&format!("tile/data/001.p/{width}")).is_some());
    }
    for path in [
        "tile/0/001.p/5",
        "tile/0/001",
        "tile/0/002.p/1",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/data/001",
    ] {
        assert_eq!(read(path), None, "{path}");
    }
    let reader = Reader::new(&*log, ORIGIN, log.key().clone());
    let tile = reader.entries(&log.checkpoint(), 0).expect("served");
    let fingerprint = tile
        .leaf(0)
        .and_then(|leaf| leaf.issuers().next())
        .expect("there");
    let issuer = read(&format!("issuer/{}", common::hex(&fingerprint))).expect("there");
    assert_eq!(issuer.content_type, "application/pkix-cert");
    assert!(issuer.immutable);
}

#[tokio::test]
async fn nothing_is_read_outside_of_what_is_served() {
    let (folder, log, _) = filled(1).await;
    assert!(folder.path().join("key.pem").exists());
    for path in [
        "",
        "/",
        ".",
        "..",
        "key.pem",
        "../key.pem",
        "issuer/../../key.pem",
        "issuer/",
        "issuer",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/../../../key.pem",
        "/checkpoint",
        "checkpoint/",
        "checkpoint\0",
        "tile/data/../../../journal",
        "state",
        "journal",
        "tile/0/000.p",
        "issuer/ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD",
        "issuer/0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        assert_eq!(log.read(path).expect("a healthy disk"), None, "{path:?}");
    }
}

#[tokio::test]
async fn few_partial_tiles_stay_on_the_disk() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    let log = Arc::new(log);
    for number in 0..60 {
        fill(&log, [number]).await;
    }
    let partial = folder.path().join("public/tile/0/000.p");
    let kept = fs::read_dir(&partial).expect("there").count();
    assert!((1..=2).contains(&kept), "{kept} partial tiles");
    fill(&log, 60..256).await;
    log.close().await.expect("a healthy log");
    assert!(!partial.exists());
    assert!(!folder.path().join("public/tile/data/000.p").exists());
    assert!(Path::new(&folder.path().join("public/tile/data/000")).exists());
}

#[tokio::test]
async fn entries_of_another_log_are_not_believed_at_any_size() {
    // Sizes at which several subtrees share a tile, and some at which they do not.
    for size in [256, 257, 259, 261, 300, 511, 513, 520] {
        let (_folder, log, _numbers) = filled(size).await;
        let folder = tempdir().expect("a folder");
        let options = TestClock::new().options();
        let other = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a new log"));
        fill(&other, 1000..1000 + size).await;
        other.published(size).await.expect("published");
        log.published(size).await.expect("published");
        let checkpoint = log.checkpoint();
        let mixed = |path: &str| match path {
            "tile/0/000" | "tile/data/000" => (&*other).fetch(path),
            path => (&*log).fetch(path),
        };
        let reader = Reader::new(mixed, ORIGIN, log.key().clone());
        let read = reader.entries(&checkpoint, 0);
        assert!(matches!(read, Err(Error::Inconsistent)), "{size}: {read:?}");
        let honest = Reader::new(&*log, ORIGIN, log.key().clone());
        honest.entries(&checkpoint, 0).expect("its own");
    }
}
