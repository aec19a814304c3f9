//! Parts that are read again: when, what is said of it, and what is counted.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use fulcio_issuance::Clock;
use fulcio_server_core::{Metrics, Reload, ReloadRequests, WatchedFiles};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// Long enough for a change to be told of, if there is one; the clock is paused.
const QUIET: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
#[error("it is bad")]
struct Bad;

/// What a file holds is used unless it is "bad"; how often it was read.
fn start(path: &Path, reload: Reload) -> Arc<AtomicUsize> {
    let reads = Arc::new(AtomicUsize::new(0));
    let (count, path) = (Arc::clone(&reads), path.to_owned());
    let read = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let good = fs::read_to_string(&path).unwrap() != "bad";
        async move { if good { Ok(()) } else { Err(Bad) } }
    };
    tokio::spawn(reload.run(read));
    reads
}

fn outcomes(metrics: &Metrics) -> (f64, f64, f64) {
    let of = |series: &str| value(metrics, series);
    (
        of(r#"fulcio_reloads_total{outcome="used",part="file"}"#),
        of(r#"fulcio_reloads_total{outcome="refused",part="file"}"#),
        of(r#"fulcio_reload_last_successful{part="file"}"#),
    )
}

fn value(metrics: &Metrics, series: &str) -> f64 {
    let page = metrics.page().text();
    let found = page.lines().find_map(|line| line.strip_prefix(series));
    found.unwrap().trim().parse().unwrap()
}

/// The time at which everything here happens.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

const NOW: u64 = 1_800_000_000;

#[tokio::test(start_paused = true)]
async fn a_part_is_read_when_its_file_changes_and_when_somebody_asks_and_never_twice_for_one_change()
 {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "0").unwrap();
    let (metrics, requests) = (Metrics::new().unwrap(), ReloadRequests::new());
    let reload = Reload::of("the file")
        .watching(WatchedFiles::new([path.clone()]).await)
        .asked_by(&requests)
        .counted_by(metrics.reload("file", Arc::new(Stopped)));
    let reads = start(&path, reload);
    let reads = || reads.load(Ordering::SeqCst);
    sleep(QUIET).await;
    assert_eq!((reads(), outcomes(&metrics)), (0, (0.0, 0.0, 1.0)));
    fs::write(&path, "1").unwrap();
    sleep(QUIET).await;
    assert_eq!((reads(), outcomes(&metrics)), (1, (1.0, 0.0, 1.0)));
    requests.ask();
    sleep(QUIET).await;
    assert_eq!((reads(), outcomes(&metrics)), (2, (2.0, 0.0, 1.0)));
    // What was read because somebody asked has not changed since.
    fs::write(&path, "bad").unwrap();
    requests.ask();
    sleep(QUIET).await;
    assert_eq!((reads(), outcomes(&metrics)), (3, (2.0, 1.0, 0.0)));
    fs::write(&path, "2").unwrap();
    sleep(QUIET).await;
    assert_eq!((reads(), outcomes(&metrics)), (4, (3.0, 1.0, 1.0)));
}

#[tokio::test(start_paused = true)]
async fn a_part_without_files_is_read_when_somebody_asks() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "0").unwrap();
    let requests = ReloadRequests::new();
    let reads = start(&path, Reload::of("the file").asked_by(&requests));
    fs::write(&path, "1").unwrap();
    sleep(QUIET).await;
    assert_eq!(reads.load(Ordering::SeqCst), 0);
    requests.ask();
    sleep(QUIET).await;
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    drop(requests);
    sleep(QUIET).await;
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_page_tells_when_a_part_was_last_taken_into_use() {
    let metrics = Metrics::new().unwrap();
    let _counted = metrics.reload("file", Arc::new(Stopped));
    let series = r#"fulcio_reload_last_success_timestamp_seconds{part="file"}"#;
    assert_eq!(value(&metrics, series).to_string(), NOW.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_folder_is_watched_for_files_that_come_and_go() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().to_owned();
    let list = move || {
        let mut paths: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    };
    let mut files = WatchedFiles::listed_by(list).await;
    let path = |name| dir.path().join(name);
    fs::write(path("a"), "1").unwrap();
    timeout(QUIET, files.changed()).await.unwrap();
    fs::write(path("b"), "").unwrap();
    timeout(QUIET, files.changed()).await.unwrap();
    // The same contents in the same order, under another name.
    fs::rename(path("b"), path("c")).unwrap();
    timeout(QUIET, files.changed()).await.unwrap();
    fs::remove_file(path("c")).unwrap();
    timeout(QUIET, files.changed()).await.unwrap();
    assert!(timeout(QUIET, files.changed()).await.is_err());
}
