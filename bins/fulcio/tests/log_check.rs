//! `fulcio log check`: a whole log recomputed, and what is wrong with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod program;
mod verify_scene;

use std::{
    fs,
    path::Path,
    process::Command,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use authority::Authority;
use program::{Done, fulcio, run};
use tempfile::TempDir;
use verify_scene::{issued, path};

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let authority = Authority::start();
    for _ in 0..3 {
        issued(&authority);
    }
    let checkpoint = authority.log_folder().join("public/checkpoint");
    let begun = Instant::now();
    while !fs::read_to_string(&checkpoint).unwrap().contains("\n3\n") {
        assert!(begun.elapsed() < Duration::from_secs(30), "not published");
        thread::sleep(Duration::from_millis(20));
    }
    authority
});

/// A copy of the log, as a backup is: the journal last.
fn backup() -> TempDir {
    let log = AUTHORITY.log_folder();
    let copy = tempfile::tempdir().unwrap();
    let mut command = Command::new("cp");
    command.arg("-r").arg(log.join(".")).arg(copy.path());
    assert!(command.status().unwrap().success());
    fs::copy(log.join("journal"), path(&copy, "journal")).unwrap();
    copy
}

fn check(folder: &Path, more: &[&str]) -> Done {
    run(fulcio().args(["log", "check"]).arg(folder).args(more))
}

#[test]
fn a_good_log_is_said_to_be_consistent_while_it_is_served_and_in_a_backup() {
    let copy = backup();
    let key = AUTHORITY.log_key();
    let key = key.to_str().unwrap();
    for folder in [AUTHORITY.log_folder(), copy.path().to_owned()] {
        let page = check(&folder, &[]).good();
        assert!(page.contains("The log is consistent"), "{page}");
        assert!(page.contains("3 entries"), "{page}");
        assert_eq!(check(&folder, &["--ct-log-key", key]).code, 0);
        let report = check(&folder, &["--json"]).json();
        assert_eq!(report["consistent"], true);
        assert_eq!(report["entries"], 3);
        assert_eq!(report["published"], 3);
        assert_eq!(report["rootHash"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn a_damaged_log_ends_with_3_and_each_file_is_named() {
    for (file, severity) in [
        ("public/tile/0/000.p/3", "repairable"),
        ("public/tile/data/000.p/3", "repairable"),
        ("public/checkpoint", "damage"),
        ("journal", "damage"),
        ("log", "damage"),
    ] {
        let copy = backup();
        let damaged = path(&copy, file);
        let mut bytes = fs::read(&damaged).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&damaged, bytes).unwrap();

        let done = check(copy.path(), &[]);
        let line = done.stderr.clone();
        assert!(
            done.stdout.contains(&format!("`{file}` ")),
            "{}",
            done.stdout
        );
        assert!(!done.stdout.contains("is consistent"), "{}", done.stdout);
        assert!(
            done.bad(3).contains(&format!("is damaged: `{file}` ")),
            "{line}"
        );

        let done = check(copy.path(), &["--json"]);
        assert_eq!(done.code, 3, "{}", done.stderr);
        let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(report["consistent"], false);
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["file"] == file);
        assert_eq!(found.unwrap()["severity"], severity, "{report}");
    }
}

#[test]
fn a_log_that_cannot_be_looked_at_ends_with_1() {
    let empty = tempfile::tempdir().unwrap();
    let line = check(empty.path(), &[]).bad(1);
    assert!(line.contains("there is no log in "), "{line}");
    let line = check(&path(&empty, "missing"), &[]).bad(1);
    assert!(line.contains("cannot check "), "{line}");
    let copy = backup();
    let line = check(copy.path(), &["--ct-log-key", "/missing"]).bad(1);
    assert!(line.contains("cannot read /missing"), "{line}");
}

#[test]
fn another_key_than_the_logs_is_a_finding() {
    let other = Authority::start();
    let key = other.log_key();
    let done = check(
        &AUTHORITY.log_folder(),
        &["--ct-log-key", key.to_str().unwrap()],
    );
    assert!(
        done.stdout
            .contains("is not the key that the log was made with"),
        "{}",
        done.stdout
    );
    done.bad(3);
}
