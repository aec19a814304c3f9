//! The log as a reader sees it that shares no code with it (`tests/reader`, in Go).

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use common::{Numbered, ORIGIN, TestClock, fill};
use fulcio_ct_log::{EmbeddedLog, NoteKey};
use tempfile::{TempDir, tempdir};

/// The built reader; nothing when this run is one without components.
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where components are"
)]
fn judge() -> Option<PathBuf> {
    match env::var_os("FULCIO_CT_READER") {
        Some(reader) => Some(reader.into()),
        None if env::var_os("FULCIO_TEST_COMPONENTS").is_some() => {
            panic!("FULCIO_CT_READER does not name the reader of tests/reader")
        }
        None => {
            eprintln!("skipped: FULCIO_TEST_COMPONENTS is not set");
            None
        }
    }
}

fn run(judge: &Path, folder: &TempDir) -> Output {
    let path = |name: &str| folder.path().join(name);
    let mut command = Command::new(judge);
    command.arg("-log").arg(path("public"));
    command.arg("-key").arg(path("public-key.pem"));
    command
        .args(["-origin", ORIGIN])
        .arg("-promises")
        .arg(path("promises"));
    let note_key = fs::read_to_string(path("note-key")).expect("written");
    command.args(["-note-key", &note_key]);
    command.output().expect("the reader runs")
}

/// A closed log of `sizes` entries, opened anew for each of them, with its promises in a file.
async fn judged(sizes: &[u64]) -> TempDir {
    let folder = tempdir().expect("a folder");
    let mut promises = String::new();
    let mut size = 0;
    for end in sizes {
        let mut options = TestClock::new().options();
        options.note_key = NoteKey::Kept;
        let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a log"));
        for (number, timestamp) in fill(&log, size..*end).await {
            promises += &Numbered::new(number).promise(&timestamp);
            promises += "\n";
        }
        size = *end;
        log.close().await.expect("a healthy log");
        let pem = log.public_key_pem();
        fs::write(folder.path().join("public-key.pem"), pem).expect("written");
        let note_key = log.note_verifier_key().expect("a second key");
        fs::write(folder.path().join("note-key"), note_key).expect("written");
    }
    fs::write(folder.path().join("promises"), promises).expect("written");
    folder
}

#[tokio::test]
async fn an_independent_reader_finds_every_entry_tile_proof_and_promise_right() {
    let Some(judge) = judge() else { return };
    for sizes in [&[0][..], &[1], &[255, 256, 257], &[40, 700, 1000]] {
        let folder = judged(sizes).await;
        let output = run(&judge, &folder);
        let size = sizes.last().expect("not empty");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(said.starts_with(&format!("good: {size} entries")), "{said}");
        assert!(said.contains(&format!(" {size} promises kept")), "{said}");
    }
}

#[tokio::test]
async fn the_second_signature_may_be_missing_and_must_be_right_when_asked_for() {
    let Some(judge) = judge() else { return };
    let folder = judged(&[5]).await;
    let (own, other) = (folder.path().join("note-key"), judged(&[5]).await);
    let good = fs::read_to_string(&own).expect("written");
    fs::copy(other.path().join("note-key"), &own).expect("copied");
    assert!(!run(&judge, &folder).status.success(), "another key");
    fs::write(&own, &good).expect("written");
    assert!(run(&judge, &folder).status.success());

    let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a log");
    log.close().await.expect("a healthy log");
    assert_eq!(log.note_verifier_key(), None);
    assert!(!run(&judge, &folder).status.success(), "one signature");
    fs::write(&own, "").expect("written");
    assert!(run(&judge, &folder).status.success());
}

#[tokio::test]
async fn the_independent_reader_sees_what_is_wrong() {
    let Some(judge) = judge() else { return };
    for (file, at) in [
        ("public/checkpoint", 30),
        ("public/tile/0/000", 77),
        ("public/tile/1/000.p/1", 3),
        ("public/tile/data/000", 20),
        ("promises", 100),
    ] {
        let folder = judged(&[300]).await;
        let path = folder.path().join(file);
        let mut content = fs::read(&path).expect("there");
        content[at] ^= 1;
        fs::write(&path, content).expect("written");
        assert!(!run(&judge, &folder).status.success(), "{file} was changed");
    }
}
