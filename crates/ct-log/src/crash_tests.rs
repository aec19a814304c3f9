//! The log on a disk that fails and forgets.

mod schedules;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use fulcio_ct_client::{Entry, SignedCertificateTimestamp, Submission, TransparencyLog};
use pki_types::CertificateDer;

use crate::{
    EmbeddedLog, Error, Options,
    check::check_on,
    disk::ReadDisk,
    journal::JOURNAL,
    reader::{Checkpoint, Reader},
    sim_disk::SimDisk,
};

const ORIGIN: &str = "log.example.com/crash";

/// A clock that moves on by a second whenever it is read.
fn options() -> Options {
    static SECONDS: AtomicU64 = AtomicU64::new(1_800_000_000);
    let clock = || UNIX_EPOCH + Duration::from_secs(SECONDS.fetch_add(1, Ordering::Relaxed));
    let mut options = Options::new(clock).with_origin(ORIGIN);
    options.publish_interval = Duration::from_millis(1);
    options
}

fn open(disk: &SimDisk) -> Result<EmbeddedLog, Error> {
    EmbeddedLog::open_on(Arc::new(disk.clone()), options())
}

async fn submit(
    log: &EmbeddedLog,
    number: u64,
) -> Result<SignedCertificateTimestamp, fulcio_ct_client::Error> {
    let certificate = CertificateDer::from(number.to_be_bytes().to_vec());
    let issuer = CertificateDer::from(vec![0x30, (number % 3) as u8]);
    let submission = Submission {
        entry: Entry::Certificate(&certificate),
        certificate: &certificate,
        issuers: &[issuer],
    };
    log.submit(submission).await
}

/// Checks that the log holds what these timestamps promise, and that its checkpoint follows on
/// all earlier ones.
fn check(
    log: &EmbeddedLog,
    promises: &[(u64, SignedCertificateTimestamp)],
    checkpoints: &[Checkpoint],
) {
    let reader = Reader::new(log, ORIGIN, log.key().clone());
    let latest = reader.checkpoint().expect("served");
    for (number, timestamp) in promises {
        let certificate = number.to_be_bytes();
        reader
            .inclusion_of(&latest, Entry::Certificate(&certificate), timestamp)
            .unwrap_or_else(|error| panic!("entry {number}: {error}"));
    }
    for earlier in checkpoints {
        reader.consistency(earlier, &latest).expect("a prefix");
        assert!(earlier.timestamp() <= latest.timestamp());
    }
    for first in (0..latest.size()).step_by(256) {
        for leaf in reader.entries(&latest, first).expect("served").leaves() {
            for issuer in leaf.issuers() {
                reader.issuer(&issuer).expect("served");
            }
        }
    }
}

/// The log as it is, with its threads; [`schedules`] takes their steps one by one.
#[tokio::test]
async fn a_power_cut_at_any_moment_loses_no_promise() {
    let schedules: u64 = 100;
    for schedule in 0..schedules {
        let mut disk = SimDisk::default();
        let mut promises = Vec::new();
        let mut checkpoints = Vec::new();
        let mut number = schedule * 1_000_000;
        for life in 0..4u64 {
            let seed = schedule * 7919 + life * 104_729 + 1;
            disk.fail_after(1 + seed % 60, seed);
            if let Ok(log) = open(&disk) {
                checkpoints.push(log.checkpoint());
                while !disk.failed() {
                    let together = (0..1 + number % 40).map(|offset| submit(&log, number + offset));
                    let answers = futures(together).await;
                    for (offset, answer) in answers.into_iter().enumerate() {
                        if let Ok(timestamp) = answer {
                            promises.push((number + offset as u64, timestamp));
                        }
                    }
                    number += 40;
                    checkpoints.push(log.checkpoint());
                    if number % 3 == 0 {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                drop(log.close().await);
                checkpoints.push(log.checkpoint());
            }
            disk = disk.after_power_cut(seed);
            let copy = disk.copy();
            let log = open(&copy).unwrap_or_else(|error| {
                panic!("schedule {schedule}, life {life}, seed {seed}: {error}")
            });
            check(&log, &promises, &checkpoints);
            log.close().await.expect("a healthy disk");
        }
    }
}

#[tokio::test]
async fn a_power_cut_at_any_step_of_creation_leaves_a_folder_that_opens() {
    for step in 1..40 {
        for seed in 1..12 {
            let disk = SimDisk::default();
            disk.fail_after(step, seed);
            drop(open(&disk));
            let disk = disk.after_power_cut(seed);
            let log = open(&disk).unwrap_or_else(|error| panic!("step {step}, {seed}: {error}"));
            submit(&log, 1).await.expect("a healthy disk");
            log.close().await.expect("a healthy disk");
        }
    }
}

/// Waits for all of them at once.
async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.map(|future| (Box::pin(future), None)).collect();
    core::future::poll_fn(|context| {
        let mut ready = true;
        for (future, output) in &mut waiting {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    core::task::Poll::Ready(done) => *output = Some(done),
                    core::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready {
            core::task::Poll::Ready(())
        } else {
            core::task::Poll::Pending
        }
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}

/// A log with a batch for each of `entries` entries, and the journal's length after each.
async fn filled(entries: u64) -> (SimDisk, Vec<usize>) {
    let disk = SimDisk::default();
    let log = open(&disk).expect("a new log");
    let mut ends = vec![journal(&disk).len()];
    for number in 0..entries {
        submit(&log, number).await.expect("a healthy disk");
        ends.push(journal(&disk).len());
    }
    log.close().await.expect("a healthy disk");
    (disk, ends)
}

fn journal(disk: &SimDisk) -> Vec<u8> {
    disk.read(JOURNAL).expect("healthy").expect("there")
}

#[tokio::test]
async fn a_journal_cut_at_any_byte_gives_the_entries_before() {
    let (disk, ends) = filled(5).await;
    let whole = journal(&disk);
    disk.forget("public");
    for length in ends[0]..=whole.len() {
        let copy = disk.copy();
        copy.put(JOURNAL, &whole[..length]);
        let log = open(&copy).unwrap_or_else(|error| panic!("{length} bytes: {error}"));
        let entries = ends.iter().filter(|end| **end <= length).count() - 1;
        assert_eq!(log.checkpoint().size(), entries as u64, "{length} bytes");
        assert_eq!(journal(&copy), whole[..ends[entries]]);
        log.close().await.expect("a healthy disk");
    }
}

#[tokio::test]
async fn a_journal_cut_before_what_was_published_is_refused() {
    let (disk, ends) = filled(3).await;
    let whole = journal(&disk);
    for length in ends[0]..whole.len() {
        let copy = disk.copy();
        copy.put(JOURNAL, &whole[..length]);
        let held = ends.iter().filter(|end| **end <= length).count() as u64 - 1;
        match open(&copy) {
            Err(Error::Behind {
                held: found,
                published: 3,
            }) => assert_eq!(found, held),
            other => panic!("{length} bytes: {other:?}"),
        }
        assert_eq!(journal(&copy).len(), length, "nothing is cut off");
    }
}

#[tokio::test]
async fn a_bit_changed_before_the_last_batch_is_damage_and_in_it_is_a_torn_batch() {
    let (disk, ends) = filled(4).await;
    let whole = journal(&disk);
    disk.forget("public");
    disk.forget("state");
    for at in 0..whole.len() {
        let copy = disk.copy();
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        copy.put(JOURNAL, &changed);
        match open(&copy) {
            Ok(log) => {
                assert!(at >= ends[3], "byte {at}");
                assert_eq!(log.checkpoint().size(), 3);
                log.close().await.expect("a healthy disk");
            }
            Err(Error::Damaged { file, offset }) => {
                assert!(at < ends[3], "byte {at}");
                assert_eq!(file, JOURNAL);
                let before = ends.iter().rev().find(|end| **end <= at);
                assert_eq!(offset, before.map_or(0, |end| *end as u64), "byte {at}");
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_batch_that_contains_batches_is_still_torn_when_it_is_torn() {
    // Whoever submits a whole journal as a certificate gets no frame past the hash.
    let (disk, _) = filled(2).await;
    let inner = journal(&disk);
    let (disk, ends) = {
        let disk = SimDisk::default();
        let log = open(&disk).expect("a new log");
        let start = journal(&disk).len();
        let certificate = CertificateDer::from(inner);
        let submission = Submission {
            entry: Entry::Certificate(&certificate),
            certificate: &certificate,
            issuers: &[],
        };
        log.submit(submission).await.expect("a healthy disk");
        log.close().await.expect("a healthy disk");
        (disk, start)
    };
    disk.forget("public");
    let mut torn = journal(&disk);
    torn[ends] ^= 1;
    disk.put(JOURNAL, &torn);
    let log = open(&disk).expect("torn, not damaged");
    assert_eq!(log.checkpoint().size(), 0);
}

#[tokio::test]
async fn every_public_file_is_made_again_from_the_journal() {
    let (disk, _) = filled(300).await;
    let log = open(&disk).expect("healthy");
    let root = log.checkpoint().root();
    log.close().await.expect("healthy");
    for name in disk.names() {
        if name == "log" || name == "key.pem" || name == JOURNAL {
            continue;
        }
        for damage in [true, false] {
            let copy = disk.copy();
            let content = copy.read(&name).expect("healthy").expect("there");
            if damage {
                copy.put(&name, &content[..content.len() / 2]);
            } else {
                copy.forget(&name);
            }
            let opened = open(&copy);
            if name == "public/checkpoint" && damage {
                assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
                continue;
            }
            let log = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(log.checkpoint().root(), root, "{name}");
            log.close().await.expect("healthy");
            // Full tiles and issuers behind the edge are not looked at when opening.
            if copy.read(&name).expect("healthy").is_none() {
                copy.forget("state");
                open(&copy)
                    .expect("healthy")
                    .close()
                    .await
                    .expect("healthy");
                let again = copy.read(&name).expect("healthy");
                assert!(again.is_some() || name.contains(".p/"), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn another_journal_is_a_fork() {
    let (disk, _) = filled(3).await;
    let (other, _) = filled(4).await;
    let swapped = disk.copy();
    // Same frames, other entries: a log of the same key that went another way.
    let log = open(&swapped).expect("healthy");
    submit(&log, 77).await.expect("healthy");
    log.close().await.expect("healthy");
    let theirs = swapped
        .read("public/checkpoint")
        .expect("healthy")
        .expect("there");
    let ours = disk.copy();
    let log = open(&ours).expect("healthy");
    submit(&log, 78).await.expect("healthy");
    log.close().await.expect("healthy");
    ours.put("public/checkpoint", &theirs);
    let forked = open(&ours);
    assert!(matches!(forked, Err(Error::Fork { size: 4 })), "{forked:?}");

    disk.put(JOURNAL, &journal(&other));
    let forked = open(&disk);
    assert!(matches!(forked, Err(Error::Fork { size: 3 })), "{forked:?}");
}

#[tokio::test]
async fn a_failing_disk_stops_the_log_and_a_healthy_one_starts_it_again() {
    let disk = SimDisk::default();
    let log = open(&disk).expect("a new log");
    submit(&log, 0).await.expect("healthy");
    log.published(1).await.expect("healthy");
    disk.fail_after(1, 3);
    let error = submit(&log, 1).await.expect_err("no room");
    assert_eq!(error.failure(), fulcio_ct_client::Failure::Unavailable);
    assert!(matches!(log.health(), Err(Error::Stopped(_))));
    assert!(submit(&log, 2).await.is_err());
    assert!(matches!(log.close().await, Err(Error::Stopped(_))));
    assert!(matches!(log.published(2).await, Err(Error::Stopped(_))));

    let log = open(&disk.copy()).expect("healthy again");
    assert_eq!(log.checkpoint().size(), 1);
    assert_eq!(
        submit(&log, 3)
            .await
            .expect("healthy")
            .leaf_index()
            .expect("ours"),
        Some(1)
    );
}

#[tokio::test]
async fn a_batch_is_synced_once_and_before_any_of_its_timestamps_leaves() {
    let disk = SimDisk::default();
    let log = Arc::new(open(&disk).expect("a new log"));
    let (appends, syncs) = disk.appends_and_syncs();
    let spawn = |number| {
        let log = Arc::clone(&log);
        tokio::spawn(async move { submit(&log, number).await })
    };
    disk.hold_syncs(true);
    let mut tasks = vec![spawn(0)];
    while disk.appends_and_syncs().0 == appends {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The first batch is being synced; all of these wait for the second.
    tasks.extend((1..300).map(spawn));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(tasks.iter().all(|task| !task.is_finished()));
    assert_eq!(disk.appends_and_syncs(), (appends + 1, syncs));
    disk.hold_syncs(false);
    for task in tasks {
        task.await.expect("no panic").expect("a healthy disk");
    }
    assert_eq!(disk.appends_and_syncs(), (appends + 2, syncs + 2));
    log.close().await.expect("a healthy disk");
}

#[tokio::test]
async fn a_full_or_read_only_disk_stops_the_log_which_says_so_and_is_still_read() {
    for (refusal, said) in [
        (io::ErrorKind::StorageFull, "no storage space"),
        (io::ErrorKind::ReadOnlyFilesystem, "read-only filesystem"),
    ] {
        let disk = SimDisk::default();
        let log = open(&disk).expect("a new log");
        let mut promises = Vec::new();
        for number in 0..5 {
            promises.push((number, submit(&log, number).await.expect("healthy")));
        }
        log.published(5).await.expect("healthy");
        disk.refuse(Some(refusal));
        for number in 5..8 {
            let error = submit(&log, number).await.expect_err("no room");
            assert_eq!(error.failure(), fulcio_ct_client::Failure::Unavailable);
        }
        let health = log.health().expect_err("stopped");
        assert!(matches!(health, Error::Stopped(_)));
        assert!(health.to_string().contains(said), "{health}");
        check(&log, &promises, &[]);
        log.close().await.expect_err("stopped");
        drop(log);
        let error = open(&disk).expect_err("nothing can be written");
        assert!(matches!(error, Error::Disk { .. }), "{error}");

        disk.refuse(None);
        let log = open(&disk).expect("there is room again");
        check(&log, &promises, &[]);
        let next = submit(&log, 9).await.expect("healthy");
        assert_eq!(next.leaf_index().expect("ours"), Some(5));
        log.close().await.expect("healthy");
        let report = check_on(&disk, None).expect("a log");
        assert!(report.is_sound(), "{:?}", report.findings);
    }
}

#[tokio::test]
async fn a_retry_after_a_restart_gets_the_place_of_the_first_try() {
    let disk = SimDisk::default();
    let log = open(&disk).expect("a new log");
    let mut first = Vec::new();
    for number in 0..300 {
        first.push(submit(&log, number).await.expect("healthy"));
    }
    log.close().await.expect("healthy");
    drop(log);
    let log = open(&disk).expect("healthy");
    for (number, timestamp) in (0..).zip(&first) {
        let again = submit(&log, number).await.expect("healthy");
        assert_eq!(again.timestamp(), timestamp.timestamp());
        assert_eq!(again.extensions(), timestamp.extensions());
    }
    log.close().await.expect("healthy");
    assert_eq!(log.checkpoint().size(), 300);
}

#[tokio::test]
async fn changed_entries_at_the_edge_are_made_again_and_never_published() {
    let (disk, _) = filled(7).await;
    let name = "public/tile/data/000.p/7";
    let good = disk.peek(name).expect("there");
    for at in 0..good.len() {
        let copy = disk.copy();
        let mut changed = good.clone();
        changed[at] ^= 1;
        copy.put(name, &changed);
        let log = open(&copy).expect("made again");
        submit(&log, 7).await.expect("healthy");
        log.close().await.expect("healthy");
        let tile = copy.peek("public/tile/data/000.p/8").expect("published");
        assert_eq!(tile[..good.len()], good, "byte {at}");
    }
}
