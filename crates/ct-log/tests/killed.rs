//! A log whose process is killed under load.

mod common;

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use common::{Numbered, ORIGIN, TestClock, is_kept, unhex};
use fulcio_ct_client::SignedCertificateTimestamp;
use fulcio_ct_log::{
    EmbeddedLog, check,
    reader::{Checkpoint, Reader},
};
use tempfile::tempdir;

const FOLDER: &str = "FULCIO_CT_LOG_TEST_FOLDER";
const FIRST: &str = "FULCIO_CT_LOG_TEST_FIRST";

/// Writes a line for each timestamp that it was given, until it is killed.
#[test]
#[ignore = "the process that the next test kills"]
#[expect(
    clippy::disallowed_methods,
    reason = "a child process is told what to do"
)]
fn submits_until_it_is_killed() {
    let folder = env::var_os(FOLDER).expect("started by the other test");
    let first = env::var(FIRST)
        .expect("started by the other test")
        .parse()
        .expect("a number");
    let next = Arc::new(AtomicU64::new(first));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut options = TestClock::new().options();
        options.publish_interval = Duration::from_millis(20);
        let log = Arc::new(EmbeddedLog::open(folder, options).expect("a log that reopens"));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (log, next) = (Arc::clone(&log), Arc::clone(&next));
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let timestamp = Numbered::new(number).submit(&log).await;
                    let encoded = common::hex(&timestamp.expect("a healthy log").encode());
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "promise {number} {encoded}").expect("somebody listens");
                }
            });
        }
        tasks.join_all().await;
    });
}

#[tokio::test]
async fn no_promise_is_lost_when_the_process_is_killed() {
    let folder = tempdir().expect("a folder");
    let kills: u64 = if full() { 200 } else { 10 };
    let (mut promises, mut notes) = (0, Vec::new());
    // The entries of the tree that the process before left behind.
    let mut leaves = Vec::new();
    let mut before: Option<Checkpoint> = None;
    for kill in 0..kills {
        let (more, served) = run_and_kill(folder.path(), kill);
        let log = EmbeddedLog::open(folder.path(), TestClock::new().options());
        let log = log.expect("a log that reopens");
        let reader = Reader::new(&log, ORIGIN, log.key().clone());
        let latest = reader.checkpoint().expect("served");
        if let Some(before) = &before {
            reader.consistency(before, &latest).expect("it only grows");
        }
        while (leaves.len() as u64) < latest.size() {
            let first = leaves.len() as u64;
            let tile = reader.entries(&latest, first).expect("served");
            leaves.extend(
                (first..)
                    .map_while(|index| tile.leaf(index))
                    .map(|leaf| leaf.hash()),
            );
        }
        for (number, timestamp) in &more {
            let numbered = Numbered::new(*number);
            let entry = numbered.entry();
            timestamp
                .verify(&entry, log.key(), None)
                .expect("the log's signature");
            let kept = is_kept(&leaves, *number, timestamp);
            assert!(kept, "kill {kill}, submission {number}");
        }
        promises += more.len();
        notes.extend(served);
        before = Some(latest);
        log.close().await.expect("a healthy log");
    }

    let log = EmbeddedLog::open(folder.path(), TestClock::new().options());
    let log = log.expect("a log that reopens");
    let reader = Reader::new(&log, ORIGIN, log.key().clone());
    let latest = reader.checkpoint().expect("served");
    for note in &notes {
        let earlier = Checkpoint::verify(note, ORIGIN, log.key()).expect("the log's");
        reader.consistency(&earlier, &latest).expect("a prefix");
    }
    let report = check(folder.path(), None).expect("a log");
    assert!(report.is_sound(), "{:?}", report.findings);
    println!(
        "{kills} kills, {promises} timestamps given out, {} checkpoints served, {} entries: none lost",
        notes.len(),
        latest.size(),
    );
    assert!(promises as u64 > kills, "{promises} promises");
    assert!(
        notes.len() as u64 > kills / 4,
        "{} checkpoints",
        notes.len()
    );
}

/// Says what came of opening the log that another process has open.
#[test]
#[ignore = "the process that the next test starts"]
#[expect(
    clippy::disallowed_methods,
    reason = "a child process is told what to do"
)]
fn opens_what_is_open() {
    let folder = env::var_os(FOLDER).expect("started by the other test");
    let opened = EmbeddedLog::open(folder, TestClock::new().options());
    println!("said: {}", opened.expect_err("in use"));
}

#[test]
fn a_second_process_is_refused_and_a_third_may_look() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    let second = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "opens_what_is_open", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .expect("this test");
    let said = String::from_utf8_lossy(&second.stdout);
    assert!(second.status.success(), "{said}");
    assert!(said.contains("is in use by another process"), "{said}");
    log.health().expect("unharmed");
    let report = check(folder.path(), None).expect("a log");
    assert_eq!(report.findings, []);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test command says how much is tested"
)]
fn full() -> bool {
    env::var_os("FULCIO_TEST_FULL").is_some()
}

type Promises = Vec<(u64, SignedCertificateTimestamp)>;

/// Lets a process submit for a while, kills it, and gives what it was promised and what
/// checkpoints it served.
fn run_and_kill(folder: &Path, kill: u64) -> (Promises, Vec<Vec<u8>>) {
    let mut child = Killed(
        Command::new(env::current_exe().expect("this test"))
            .args([
                "--exact",
                "submits_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(FOLDER, folder)
            .env(FIRST, (kill * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test"),
    );
    let out = BufReader::new(child.0.stdout.take().expect("piped"));
    let (begun, first) = mpsc::channel();
    let reading = thread::spawn(move || {
        let mut promises = Promises::new();
        for line in out.lines() {
            let line = line.expect("text");
            let mut words = line.split(' ');
            // A line that the kill cut short is a promise that nobody has received.
            if let (Some("promise"), Some(number), Some(encoded)) =
                (words.next(), words.next(), words.next())
                && encoded.len() % 2 == 0
                && let Ok(timestamp) = SignedCertificateTimestamp::decode(&unhex(encoded))
            {
                promises.push((number.parse().expect("a number"), timestamp));
                let _ = begun.send(());
            }
        }
        promises
    });
    let mut notes = Vec::new();
    first
        .recv_timeout(Duration::from_secs(60))
        .expect("a first promise");
    let started = Instant::now();
    let life = Duration::from_millis(20 + kill * 137 % 200);
    while started.elapsed() < life {
        if let Ok(note) = fs::read(folder.join("public/checkpoint"))
            && notes.last() != Some(&note)
        {
            notes.push(note);
        }
        thread::sleep(Duration::from_millis(3));
    }
    drop(child);
    (reading.join().expect("no panic"), notes)
}

/// A process that is killed when the test is done with it, or fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().expect("it still runs");
        self.0.wait().expect("killed");
    }
}
