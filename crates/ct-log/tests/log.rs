//! What a log promises whoever submits to it and opens it.

mod common;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{Numbered, ORIGIN, START, TestClock, fill, index};
use fulcio_ct_client::{Entry, Failure, Submission, TransparencyLog};
use fulcio_ct_log::{EmbeddedLog, Error, NoteKey, Options};
use pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use tempfile::tempdir;

#[tokio::test]
async fn each_entry_gets_its_place_and_a_signature_that_verifies() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let log = EmbeddedLog::open(folder.path(), clock.options()).expect("a new log");
    assert_eq!(log.checkpoint().size(), 0);
    for number in 0..6 {
        let numbered = Numbered::new(number);
        let timestamp = numbered.submit(&log).await.expect("a healthy log");
        assert_eq!(index(&timestamp), Some(number));
        assert_eq!(timestamp.timestamp(), START * 1000);
        timestamp
            .verify(&numbered.entry(), log.key(), Some(clock.now()))
            .expect("the log's signature");
        let other = Numbered::new(number + 3);
        assert!(timestamp.verify(&other.entry(), log.key(), None).is_err());
    }
    assert_eq!(log.published(6).await.expect("published").size(), 6);
}

#[tokio::test]
async fn a_log_goes_on_with_the_same_tree_when_it_is_opened_again() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let mut before: Option<(fulcio_ct_log::reader::Checkpoint, [u8; 32])> = None;
    for life in 0..4 {
        let mut options = clock.options();
        if life > 0 {
            options.origin = None;
        }
        let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a log"));
        assert_eq!(log.origin(), ORIGIN);
        if let Some((checkpoint, id)) = &before {
            assert_eq!(log.key().id(), *id);
            assert_eq!(log.checkpoint().root(), checkpoint.root());
            assert_eq!(log.checkpoint().size(), life * 150);
        }
        let timestamps = fill(&log, life * 150..(life + 1) * 150).await;
        let mut places: Vec<_> = timestamps.iter().filter_map(|(_, t)| index(t)).collect();
        places.sort_unstable();
        assert_eq!(places, (life * 150..(life + 1) * 150).collect::<Vec<_>>());
        log.close().await.expect("a healthy log");
        before = Some((log.checkpoint(), log.key().id()));
    }
}

#[tokio::test]
async fn a_log_that_was_dropped_without_closing_has_lost_nothing() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let log = EmbeddedLog::open(folder.path(), clock.options()).expect("a new log");
    Numbered::new(1).submit(&log).await.expect("a healthy log");
    drop(log);
    let log = loop {
        match EmbeddedLog::open(folder.path(), clock.options()) {
            Ok(log) => break log,
            Err(Error::InUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(log.checkpoint().size(), 1);
}

#[tokio::test]
async fn a_second_opening_is_refused_while_the_first_lasts() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let first = EmbeddedLog::open(folder.path(), clock.options()).expect("a new log");
    let second = EmbeddedLog::open(folder.path(), clock.options()).expect_err("in use");
    assert!(matches!(&second, Error::InUse { folder: used } if used == folder.path()));
    assert!(second.to_string().contains("in use by another process"));
    Numbered::new(1).submit(&first).await.expect("unharmed");
    first.close().await.expect("unharmed");
}

#[tokio::test]
async fn timestamps_do_not_go_back_when_the_clock_does() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let log = EmbeddedLog::open(folder.path(), clock.options()).expect("a new log");
    let first = Numbered::new(1).submit(&log).await.expect("a healthy log");
    clock.set(START - 3600);
    let second = Numbered::new(2).submit(&log).await.expect("a healthy log");
    assert_eq!(first.timestamp(), second.timestamp());
    log.close().await.expect("a healthy log");
    let checkpoint = log.checkpoint().timestamp();
    assert!(checkpoint >= second.timestamp());
    drop(log);

    clock.set(0);
    let log = EmbeddedLog::open(folder.path(), clock.options()).expect("a log");
    assert!(log.checkpoint().timestamp() >= checkpoint);
    let third = Numbered::new(3).submit(&log).await.expect("a healthy log");
    assert!(third.timestamp() >= second.timestamp());
    clock.set(START + 5);
    let fourth = Numbered::new(4).submit(&log).await.expect("a healthy log");
    assert_eq!(fourth.timestamp(), (START + 5) * 1000);
}

#[tokio::test]
async fn a_submission_made_twice_gets_one_timestamp() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    let numbered = Numbered::new(1);
    let (first, second) = tokio::join!(numbered.submit(&log), numbered.submit(&log));
    let first = first.expect("a healthy log");
    assert_eq!(first, second.expect("a healthy log"));
    assert_eq!(first, numbered.submit(&log).await.expect("a healthy log"));
    let other = Numbered::new(2).submit(&log).await.expect("a healthy log");
    assert_eq!(index(&other), Some(1));
}

#[tokio::test]
async fn a_log_that_cannot_keep_up_says_so() {
    let folder = tempdir().expect("a folder");
    let held = Arc::new(AtomicBool::new(false));
    let clock = TestClock::new();
    let (watched, gate) = (clock.clone(), Arc::clone(&held));
    // The sequencer reads the clock for each batch: whoever holds the clock holds the log.
    let mut options = Options::new(move || {
        while gate.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        watched.now()
    })
    .with_origin(ORIGIN);
    options.queue = 2;
    // However slowly they come, no batch takes more of them out of the queue.
    options.batch = 1;
    options.timeout = Duration::from_millis(200);
    let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a new log"));

    held.store(true, Ordering::SeqCst);
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { Numbered::new(number).submit(&log).await })
        })
        .collect();
    let (mut busy, mut late) = (0, 0);
    for task in tasks {
        let error = task.await.expect("no panic").expect_err("the log is held");
        assert_eq!(error.failure(), Failure::Unavailable);
        match error {
            fulcio_ct_client::Error::Deadline { .. } => late += 1,
            _ => busy += 1,
        }
    }
    assert!(busy >= 7, "{busy} busy");
    assert!((1..=3).contains(&late), "{late} late");
    held.store(false, Ordering::SeqCst);
    // What waited is dealt with first.
    while let Err(error) = Numbered::new(77).submit(&log).await {
        assert_eq!(error.failure(), Failure::Unavailable);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.health().expect("the log goes on");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    let small = CertificateDer::from(vec![1]);
    let huge = CertificateDer::from(vec![1; (1 << 20) + 1]);
    let empty = CertificateDer::from(vec![]);
    for (certificate, issuers) in [
        (&huge, vec![]),
        (&empty, vec![]),
        (&small, vec![huge.clone()]),
        (&small, vec![small.clone(); 33]),
    ] {
        let submission = Submission {
            entry: Entry::Certificate(certificate),
            certificate,
            issuers: &issuers,
        };
        let error = log.submit(submission).await.expect_err("unfit");
        assert_eq!(error.failure(), Failure::Refused);
    }
    log.close().await.expect("a healthy log");
    assert_eq!(log.checkpoint().size(), 0);
}

#[tokio::test]
async fn a_closed_log_takes_nothing() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    log.close().await.expect("a healthy log");
    log.close().await.expect("closing twice is closing");
    assert!(matches!(log.health(), Err(Error::Closed)));
    assert!(matches!(log.published(1).await, Err(Error::Closed)));
    let error = Numbered::new(1).submit(&log).await.expect_err("closed");
    assert_eq!(error.failure(), Failure::Unavailable);
}

#[tokio::test]
async fn the_checkpoint_of_an_idle_log_is_signed_again() {
    let folder = tempdir().expect("a folder");
    let clock = TestClock::new();
    let mut options = clock.options();
    options.refresh_interval = Duration::from_millis(20);
    let log = EmbeddedLog::open(folder.path(), options).expect("a new log");
    clock.set(START + 60);
    for _ in 0..200 {
        if log.checkpoint().timestamp() == (START + 60) * 1000 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!(
        "the checkpoint is still of {}",
        log.checkpoint().timestamp()
    );
}

#[test]
fn an_origin_is_needed_once_and_never_changes() {
    let folder = tempdir().expect("a folder");
    let options = || {
        let mut options = TestClock::new().options();
        options.origin = None;
        options
    };
    let open = |options| EmbeddedLog::open(folder.path(), options);
    let error = open(options()).expect_err("there is no log");
    assert!(matches!(&error, Error::NoLog { folder: named } if named == folder.path()));
    for origin in [
        "",
        "https://log.example.com/a",
        "log.example.com/",
        "a b",
        "a+b",
        "a\nb",
        "é",
    ] {
        let error = open(options().with_origin(origin)).expect_err(origin);
        assert!(matches!(error, Error::Origin { .. }), "{origin}");
    }
    drop(open(options().with_origin(ORIGIN)).expect("a new log"));
    std::thread::sleep(Duration::from_millis(100));
    let error = open(options().with_origin("log.example.com/2027")).expect_err("another");
    assert!(matches!(error, Error::OriginMismatch { .. }), "{error}");
}

#[tokio::test]
async fn the_key_is_made_once_for_its_owner_alone_or_is_kept_elsewhere() {
    let folder = tempdir().expect("a folder");
    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a new log");
    let file = folder.path().join("key.pem");
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = || PrivatePkcs8KeyDer::from_pem_file(&file).expect("PKCS#8 in PEM");

    let elsewhere = tempdir().expect("a folder");
    let mut options = TestClock::new().options();
    options.key = Some(key());
    let other = EmbeddedLog::open(elsewhere.path(), options).expect("a new log");
    assert_eq!(other.key().id(), log.key().id());
    assert!(!elsewhere.path().join("key.pem").exists());
    other.close().await.expect("a healthy log");
    drop(other);
    let error =
        EmbeddedLog::open(elsewhere.path(), TestClock::new().options()).expect_err("no key");
    assert!(matches!(error, Error::Key), "{error}");

    let third = tempdir().expect("a folder");
    let log = EmbeddedLog::open(third.path(), TestClock::new().options()).expect("a new log");
    log.close().await.expect("a healthy log");
    drop(log);
    let mut options = TestClock::new().options();
    options.key = Some(key());
    let error = EmbeddedLog::open(third.path(), options).expect_err("another key");
    assert!(matches!(error, Error::KeyMismatch), "{error}");
}

#[tokio::test]
async fn the_private_keys_are_not_in_what_is_printed() {
    let folder = tempdir().expect("a folder");
    let mut options = TestClock::new().options();
    options.note_key = NoteKey::Kept;
    let log = EmbeddedLog::open(folder.path(), options).expect("a new log");
    let shown = format!("{log:?}");
    let mut given = TestClock::new().options();
    let key = |file: &str| {
        PrivatePkcs8KeyDer::from_pem_file(folder.path().join(file)).expect("PKCS#8 in PEM")
    };
    given.note_key = NoteKey::Given(key("note-key.pem"));
    given.key = Some(key("key.pem"));
    let shown = format!("{shown}{given:?}");
    assert!(
        shown.contains("SigningKey") && shown.contains("NoteSigner"),
        "{shown}"
    );
    for file in ["key.pem", "note-key.pem"] {
        let der = key(file);
        // The middle of it is of the private half, in both kinds.
        let bytes: Vec<_> = der.secret_pkcs8_der()[36..44]
            .iter()
            .map(u8::to_string)
            .collect();
        assert!(!shown.contains(&bytes.join(", ")), "{file}: {shown}");
        let hex: String = der.secret_pkcs8_der()[36..44]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(
            !shown.to_ascii_lowercase().contains(&hex),
            "{file}: {shown}"
        );
    }
    log.close().await.expect("a healthy log");
}

#[tokio::test]
async fn a_key_for_second_signatures_that_is_found_is_used_and_none_is_made() {
    let folder = tempdir().expect("a folder");
    let open = |note_key| {
        let mut options = TestClock::new().options();
        options.note_key = note_key;
        EmbeddedLog::open(folder.path(), options)
    };
    let log = open(NoteKey::Found).expect("a new log");
    assert_eq!(log.note_verifier_key(), None);
    assert!(!folder.path().join("note-key.pem").exists());
    log.close().await.expect("a healthy log");
    drop(log);
    let log = open(NoteKey::Kept).expect("a log");
    let made = log.note_verifier_key();
    assert!(made.is_some());
    log.close().await.expect("a healthy log");
    drop(log);
    let log = open(NoteKey::Found).expect("a log");
    assert_eq!(log.note_verifier_key(), made);
    log.close().await.expect("a healthy log");
    drop(log);
    fs::write(folder.path().join("note-key.pem"), "no key").expect("written");
    let error = open(NoteKey::Found).expect_err("no key");
    assert!(matches!(error, Error::NoteKey), "{error}");
}
