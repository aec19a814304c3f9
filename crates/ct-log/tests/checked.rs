//! What `check` says of a log with something wrong in it.

mod common;

use std::{fs, ops::Range, path::Path, sync::Arc};

use common::{Numbered, TestClock, fill};
use fulcio_ct_log::{EmbeddedLog, Error, NoteKey, Problem, Report, Severity, check};
use tempfile::{TempDir, tempdir};

/// A closed log of these many entries.
async fn closed(entries: u64) -> TempDir {
    closed_of(0..entries).await
}

/// A closed log of the entries that these numbers stand for.
async fn closed_of(numbers: Range<u64>) -> TempDir {
    let folder = tempdir().expect("a folder");
    let mut options = TestClock::new().options();
    options.note_key = NoteKey::Kept;
    let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a new log"));
    for first in numbers.clone().step_by(100) {
        fill(&log, first..(first + 100).min(numbers.end)).await;
    }
    log.close().await.expect("a healthy log");
    let pem = log.public_key_pem();
    fs::write(folder.path().join("public-key.pem"), pem).expect("written");
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(above) = folders.pop() {
        for entry in fs::read_dir(folder.join(&above)).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{above}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(format!("{name}/"));
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

fn named<'a>(report: &'a Report, file: &str) -> Vec<&'a Problem> {
    let findings = report.findings.iter();
    let of_file = findings.filter(|finding| finding.file == file);
    of_file.map(|finding| &finding.problem).collect()
}

#[tokio::test]
async fn a_log_without_fault_gives_no_finding() {
    for entries in [0, 1, 256, 700] {
        let folder = closed(entries).await;
        let report = check(folder.path(), None).expect("a log");
        assert_eq!(report.findings, [], "{entries} entries");
        assert!(report.is_sound());
        assert_eq!(report.entries, entries);
        assert_eq!(report.published, Some(entries));
        assert_eq!(report.origin.as_deref(), Some(common::ORIGIN));
        let issuers = if entries > 1 { 4 } else { 2 * entries };
        assert_eq!(report.issuers, issuers);
        let expected = files(&folder.path().join("public"));
        let tiles = expected.iter().filter(|file| file.starts_with("tile/"));
        assert_eq!(report.tiles, tiles.count() as u64);
    }
}

#[tokio::test]
async fn a_log_that_was_opened_and_closed_again_and_again_gives_no_finding() {
    let folder = tempdir().expect("a folder");
    let mut size = 0;
    for end in [0, 3, 3, 255, 256, 257, 257, 700] {
        let log = EmbeddedLog::open(folder.path(), TestClock::new().options()).expect("a log");
        let log = Arc::new(log);
        // Batches of one entry, and then of more.
        let alone = end.min(size + 10);
        for number in size..alone {
            fill(&log, number..number + 1).await;
        }
        fill(&log, alone..end).await;
        size = end;
        log.close().await.expect("a healthy log");
        let report = check(folder.path(), None).expect("a log");
        assert_eq!(report.findings, [], "{end} entries");
    }
}

#[tokio::test]
async fn every_file_that_is_changed_or_gone_is_named() {
    let folder = closed(700).await;
    let all = files(folder.path());
    for kind in ["journal", "log", "key.pem", "note-key.pem", "state", "lock"] {
        assert!(all.iter().any(|file| file == kind), "{kind}: {all:?}");
    }
    for file in &all {
        for damage in ["changed", "cut", "gone"] {
            let other = tempdir().expect("a folder");
            copy(folder.path(), other.path());
            let path = other.path().join(file);
            let mut content = fs::read(&path).expect("there");
            if damage == "gone" {
                fs::remove_file(&path).expect("removed");
            } else if content.is_empty() {
                continue;
            } else if damage == "changed" {
                let middle = content.len() / 2;
                content[middle] ^= 4;
                fs::write(&path, &content).expect("written");
            } else {
                fs::write(&path, &content[..content.len() / 2]).expect("written");
            }
            let report = check(other.path(), None).expect("a log");
            // What somebody may keep elsewhere, or the log makes again without a word.
            let optional = ["state", "lock", "key.pem", "note-key.pem", "public-key.pem"];
            let edge = file.contains(".p/");
            if damage == "gone" && (optional.contains(&file.as_str()) || edge) {
                let superseded = edge && report.findings.is_empty();
                assert!(superseded || report.severity() <= Some(Severity::Repairable));
                continue;
            }
            let problems = named(&report, file);
            assert!(
                !problems.is_empty(),
                "{file} {damage}: {:?}",
                report.findings
            );
            let severity = report.severity().expect("a finding");
            let expected = match file.as_str() {
                "state" => Severity::Harmless,
                "public/checkpoint" if damage == "gone" => Severity::Repairable,
                "public/checkpoint" => Severity::Damage,
                public if public.starts_with("public/") => Severity::Repairable,
                _ => Severity::Damage,
            };
            assert_eq!(severity, expected, "{file} {damage}: {:?}", report.findings);
        }
    }
}

#[tokio::test]
async fn what_is_repairable_is_mended_by_opening_the_log_without_the_file() {
    let folder = closed(700).await;
    let files = files(&folder.path().join("public"));
    let full = [
        "tile/0/000",
        "tile/0/001",
        "tile/data/000",
        "tile/1/000.p/2",
    ];
    assert!(
        full.iter()
            .all(|tile| files.iter().any(|file| file == tile))
    );
    let issuer = files.iter().find(|file| file.starts_with("issuer/"));
    for file in full.into_iter().chain(issuer.map(String::as_str)) {
        let path = folder.path().join("public").join(file);
        let content = fs::read(&path).expect("there");
        fs::remove_file(&path).expect("removed");
        let report = check(folder.path(), None).expect("a log");
        assert_eq!(report.severity(), Some(Severity::Repairable), "{file}");
        let mut options = TestClock::new().options();
        options.note_key = NoteKey::Kept;
        let log = EmbeddedLog::open(folder.path(), options).expect("a log");
        log.close().await.expect("a healthy log");
        assert_eq!(fs::read(&path).expect("made again"), content, "{file}");
        let report = check(folder.path(), None).expect("a log");
        assert_eq!(report.findings, [], "{file}");
    }
}

#[tokio::test]
async fn the_first_changed_byte_is_said() {
    let folder = closed(300).await;
    let tile = folder.path().join("public/tile/0/000");
    let mut content = fs::read(&tile).expect("there");
    content[77] ^= 1;
    fs::write(&tile, content).expect("written");
    let report = check(folder.path(), None).expect("a log");
    let [finding] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
    assert_eq!(finding.problem, Problem::Differs { offset: 77 });
    assert_eq!(
        finding.to_string(),
        "`public/tile/0/000` differs at byte 77 from what the journal says"
    );
}

#[tokio::test]
async fn what_a_crash_leaves_and_what_does_not_belong_there_is_harmless() {
    let folder = closed(300).await;
    let put = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    };
    put("staging", b"half");
    put("notes.txt", b"mine");
    put("public/robots.txt", b"none");
    let tile = fs::read(folder.path().join("public/tile/0/000")).expect("there");
    put("public/tile/0/000.p/7", &tile[..7 * 32]);
    let mut journal = fs::read(folder.path().join("journal")).expect("there");
    journal.extend([0; 9]);
    put("journal", &journal);
    let report = check(folder.path(), None).expect("a log");
    assert!(report.is_sound(), "{:?}", report.findings);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.file.as_str(), &f.problem))
        .collect();
    assert_eq!(
        found,
        [
            ("journal", &Problem::Torn { bytes: 9 }),
            ("notes.txt", &Problem::Unknown),
            ("public/robots.txt", &Problem::Unknown),
            ("public/tile/0/000.p/7", &Problem::Leftover),
            ("staging", &Problem::Leftover),
        ]
    );
}

#[tokio::test]
async fn a_journal_that_lost_its_end_and_one_of_another_log_are_told_apart() {
    let folder = closed(300).await;
    let journal = folder.path().join("journal");
    let whole = fs::read(&journal).expect("there");
    fs::write(&journal, &whole[..whole.len() - 1]).expect("written");
    let report = check(folder.path(), None).expect("a log");
    let problems = named(&report, "public/checkpoint");
    assert!(
        matches!(problems[..], [Problem::Behind { published: 300, .. }]),
        "{:?}",
        report.findings
    );

    let other = closed_of(5..306).await;
    fs::copy(other.path().join("journal"), &journal).expect("copied");
    let report = check(folder.path(), None).expect("a log");
    let problems = named(&report, "public/checkpoint");
    assert_eq!(problems, [&Problem::Fork { size: 300 }]);
    assert!(named(&report, "public/tile/0/000").len() == 1);
}

#[tokio::test]
async fn a_key_or_checkpoint_of_another_log_is_named() {
    let (folder, other) = (closed(3).await, closed(3).await);
    for file in ["key.pem", "public-key.pem"] {
        let path = folder.path().join(file);
        let own = fs::read(&path).expect("there");
        fs::copy(other.path().join(file), &path).expect("copied");
        let report = check(folder.path(), None).expect("a log");
        assert_eq!(named(&report, file), [&Problem::KeyMismatch]);
        fs::write(&path, own).expect("written");
    }
    let path = folder.path().join("public/checkpoint");
    let own = fs::read_to_string(&path).expect("there");
    let theirs = fs::read(other.path().join("note-key.pem")).expect("there");
    let mine = fs::read(folder.path().join("note-key.pem")).expect("there");
    fs::write(folder.path().join("note-key.pem"), theirs).expect("written");
    let report = check(folder.path(), None).expect("a log");
    assert_eq!(named(&report, "note-key.pem"), [&Problem::NoteKeyMismatch]);
    fs::write(folder.path().join("note-key.pem"), mine).expect("written");
    let line = own.lines().last().expect("a signature");
    let at = own.len() - 10;
    let last = if own.as_bytes()[at] == b'A' { "B" } else { "A" };
    let forged = format!("{}{last}{}", &own[..at], &own[at + 1..]);
    assert!(line.len() > 10);
    fs::write(&path, forged).expect("written");
    let report = check(folder.path(), None).expect("a log");
    assert_eq!(
        named(&report, "public/checkpoint"),
        [&Problem::NoteSignature]
    );
    fs::copy(other.path().join("public/checkpoint"), &path).expect("copied");
    let report = check(folder.path(), None).expect("a log");
    let problems = named(&report, "public/checkpoint");
    assert!(
        matches!(problems[..], [Problem::Note(_), ..]),
        "{problems:?}"
    );
}

#[tokio::test]
async fn without_a_public_key_the_tree_is_checked_and_the_signature_is_not() {
    let folder = closed(10).await;
    let pem = fs::read(folder.path().join("public-key.pem")).expect("there");
    let key = fulcio_ct_client::LogKey::from_pem(&pem).expect("a key");
    for file in ["key.pem", "public-key.pem"] {
        fs::remove_file(folder.path().join(file)).expect("removed");
    }
    let report = check(folder.path(), None).expect("a log");
    assert_eq!(named(&report, "public/checkpoint"), [&Problem::NoKey]);
    assert!(report.is_sound());
    let report = check(folder.path(), Some(&key)).expect("a log");
    assert_eq!(report.findings, []);
}

#[test]
fn a_folder_without_a_log_is_no_log() {
    let folder = tempdir().expect("a folder");
    let error = check(folder.path(), None).expect_err("no log");
    assert!(matches!(error, Error::NotALog { folder: named } if named == folder.path()));
    let error = check(folder.path().join("nowhere"), None).expect_err("no log");
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_at_work_is_checked_without_a_false_alarm() {
    let folder = tempdir().expect("a folder");
    let options = TestClock::new().options();
    let log = Arc::new(EmbeddedLog::open(folder.path(), options).expect("a new log"));
    let working = Arc::clone(&log);
    let work = tokio::spawn(async move {
        for number in 0.. {
            let some = (0..20).map(|offset| {
                let log = Arc::clone(&working);
                tokio::spawn(async move { Numbered::new(number * 20 + offset).submit(&log).await })
            });
            for submission in some.collect::<Vec<_>>() {
                if submission.await.expect("no panic").is_err() {
                    return;
                }
            }
        }
    });
    for _ in 0..30 {
        let path = folder.path().to_owned();
        let report = tokio::task::spawn_blocking(move || check(path, None)).await;
        let report = report.expect("no panic").expect("a log");
        assert!(report.is_sound(), "{:?}", report.findings);
        tokio::time::sleep(std::time::Duration::from_millis(7)).await;
    }
    log.close().await.expect("a healthy log");
    work.await.expect("no panic");
    let report = check(folder.path(), None).expect("a log");
    assert!(report.entries > 30, "{} entries", report.entries);
}
