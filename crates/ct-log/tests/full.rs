//! A log on a file system that has no more room, and on one that has become read-only.

mod common;

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use common::{Numbered, ORIGIN, TestClock, is_kept, leaves};
use fulcio_ct_client::{Failure, SignedCertificateTimestamp};
use fulcio_ct_log::{EmbeddedLog, Error, check, reader::Reader};
use tempfile::tempdir;

const FOLDER: &str = "FULCIO_CT_LOG_TEST_FOLDER";

/// Says that this system does not let the test mount anything.
const NO_MOUNT: i32 = 77;

#[test]
fn a_full_and_a_read_only_file_system_stop_the_log_and_lose_nothing() {
    let folder = tempdir().expect("a folder");
    let mount = format!(
        "mount -t tmpfs -o size=1m tmpfs \"${FOLDER}\" || exit {NO_MOUNT}; exec \"$0\" \"$@\""
    );
    let child = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &mount])
        .arg(env::current_exe().expect("this test"))
        .args([
            "--exact",
            "fills_its_file_system",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .stdin(Stdio::null())
        .output();
    let child = match child {
        Ok(child) if child.status.code() != Some(NO_MOUNT) => child,
        _ => {
            eprintln!("skipped: nothing can be mounted here");
            return;
        }
    };
    let said = String::from_utf8_lossy(&child.stdout);
    let more = String::from_utf8_lossy(&child.stderr);
    if more.contains("unshare failed") {
        eprintln!("skipped: no name space of its own");
        return;
    }
    assert!(child.status.success(), "{said}{more}");
    print!("{said}");
    assert!(said.contains("all of them kept"), "{said}");
}

#[tokio::test]
#[ignore = "the process that the other test starts, on a file system of its own"]
#[expect(
    clippy::disallowed_methods,
    reason = "a child process is told what to do"
)]
async fn fills_its_file_system() {
    let folder = env::var_os(FOLDER).expect("started by the other test");
    let folder = Path::new(&folder);
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 300 << 10]).expect("room");
    let open = || EmbeddedLog::open(folder, TestClock::new().options());

    let mut promises = Vec::new();
    let log = Arc::new(open().expect("a new log"));
    let stopped = submit_until_it_stops(&log, &mut promises, 0).await;
    println!("full: {stopped}, after {} entries", promises.len());
    assert!(stopped.contains("no storage space"), "{stopped}");
    // Without it the threads of the log would end later, and keep the folder until then.
    log.close().await.expect_err("stopped");
    drop(log);
    assert!(matches!(open(), Err(Error::Disk { .. })), "still full");

    fs::remove_file(ballast).expect("removed");
    let log = Arc::new(open().expect("room again"));
    kept(&log, &promises);
    let last = Numbered::new(1_000_000).submit(&log).await;
    promises.push((1_000_000, last.expect("room")));
    log.close().await.expect("room");
    kept(&log, &promises);
    drop(log);

    let remount = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(folder)
        .status();
    assert!(remount.expect("mount").success());
    let Err(Error::Disk {
        action,
        file,
        source,
    }) = open()
    else {
        panic!("a log that cannot be written was opened")
    };
    assert_eq!(source.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    println!("read-only: cannot {action} `{file}`: {source}");
    let report = check(folder, None).expect("a log");
    assert!(report.is_sound(), "{:?}", report.findings);
    assert!(report.entries >= promises.len() as u64);
    println!("{} promises, all of them kept", promises.len());
}

/// Submits until the log stops; gives what it says of itself then.
async fn submit_until_it_stops(
    log: &Arc<EmbeddedLog>,
    promises: &mut Vec<(u64, SignedCertificateTimestamp)>,
    first: u64,
) -> String {
    for number in first.. {
        match Numbered::new(number).submit(log).await {
            Ok(timestamp) => promises.push((number, timestamp)),
            Err(error) => {
                assert_eq!(error.failure(), Failure::Unavailable);
                break;
            }
        }
    }
    let health = log.health().expect_err("stopped");
    let again = Numbered::new(first).submit(log).await;
    assert_eq!(again.expect_err("stopped").failure(), Failure::Unavailable);
    // What was published can still be read.
    let reader = Reader::new(&**log, ORIGIN, log.key().clone());
    reader.checkpoint().expect("still served");
    health.to_string()
}

fn kept(log: &Arc<EmbeddedLog>, promises: &[(u64, SignedCertificateTimestamp)]) {
    let reader = Reader::new(&**log, ORIGIN, log.key().clone());
    let latest = reader.checkpoint().expect("served");
    assert!(latest.size() >= promises.len() as u64);
    let leaves = leaves(&reader, &latest);
    for (number, timestamp) in promises {
        assert!(is_kept(&leaves, *number, timestamp), "submission {number}");
    }
}
