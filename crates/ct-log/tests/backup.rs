//! A backup made by copying files while the log works.

mod common;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Numbered, ORIGIN, TestClock, is_kept, leaves};
use fulcio_ct_client::SignedCertificateTimestamp;
use fulcio_ct_log::{EmbeddedLog, Severity, check, reader::Reader};
use tempfile::tempdir;

/// Copies a folder one file after the other, in an order that `seed` chooses, and the journal
/// after all the rest. What goes away meanwhile is left out.
fn back_up(from: &Path, to: &Path, seed: u64) {
    let mut chance = seed;
    let mut folders = vec![PathBuf::new()];
    while !folders.is_empty() {
        let folder = folders.swap_remove(draw(&mut chance, folders.len()));
        fs::create_dir_all(to.join(&folder)).expect("made");
        let Ok(entries) = fs::read_dir(from.join(&folder)) else {
            continue;
        };
        let mut names: Vec<_> = entries
            .filter_map(Result::ok)
            .map(|e| e.file_name())
            .collect();
        while !names.is_empty() {
            let path = folder.join(names.swap_remove(draw(&mut chance, names.len())));
            if from.join(&path).is_dir() {
                folders.push(path);
            } else if path != Path::new("journal") {
                copy(&from.join(&path), &to.join(&path));
            }
            if draw(&mut chance, 4) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
    copy(&from.join("journal"), &to.join("journal"));
}

fn copy(from: &Path, to: &Path) {
    match fs::copy(from, to) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => panic!("{error}"),
    }
}

/// Xorshift.
fn draw(chance: &mut u64, limit: usize) -> usize {
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    usize::try_from(*chance % limit as u64).expect("small")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_under_load_opens_with_every_promise_made_before_it_was_begun() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let log = EmbeddedLog::open(folder.path(), clock.options()).expect("a new log");
    let log = Arc::new(log);
    let promises: Arc<Mutex<Vec<(u64, SignedCertificateTimestamp)>>> = Arc::default();
    let mut work = tokio::task::JoinSet::new();
    for lane in 0..16 {
        let (log, promises) = (Arc::clone(&log), Arc::clone(&promises));
        work.spawn(async move {
            for number in (lane..).step_by(16) {
                let Ok(timestamp) = Numbered::new(number).submit(&log).await else {
                    return;
                };
                promises.lock().expect("no panic").push((number, timestamp));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    let mut backups = Vec::new();
    for seed in 1..=12 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let made = promises.lock().expect("no panic").clone();
        let backup = tempdir().expect("a folder");
        let (from, to) = (folder.path().to_owned(), backup.path().to_owned());
        let copied = tokio::task::spawn_blocking(move || back_up(&from, &to, seed * 7919));
        copied.await.expect("no panic");
        backups.push((seed, made, backup));
    }
    log.close().await.expect("a healthy log");
    work.join_all().await;

    let mut sizes = Vec::new();
    for (seed, made, backup) in &backups {
        let report = check(backup.path(), Some(log.key())).expect("a log");
        let severity = report.severity();
        assert!(
            severity <= Some(Severity::Repairable),
            "seed {seed}: {:?}",
            report.findings
        );
        let restored = EmbeddedLog::open(backup.path(), clock.options());
        let restored = restored.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let reader = Reader::new(&restored, ORIGIN, log.key().clone());
        let latest = reader.checkpoint().expect("served");
        let leaves = leaves(&reader, &latest);
        for (number, timestamp) in made {
            let kept = is_kept(&leaves, *number, timestamp);
            assert!(kept, "seed {seed}, submission {number}");
        }
        restored.close().await.expect("a healthy log");
        let report = check(backup.path(), None).expect("a log");
        assert!(report.is_sound(), "seed {seed}: {:?}", report.findings);
        sizes.push((made.len(), latest.size()));
    }
    println!("copies, as promises before and entries in the copy: {sizes:?}");
    assert!(sizes.last() > sizes.first(), "{sizes:?}");
    assert!(
        sizes.iter().any(|(before, after)| *after > *before as u64),
        "not under load"
    );
}
