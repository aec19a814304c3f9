//! `fulcio verify` with a static-ct log: proofs had from it, kept, and checked without it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod program;
mod verify_scene;

use std::{fs, path::Path, process::Command, sync::LazyLock};

use authority::Authority;
use fulcio_test_services::component;
use program::{fulcio, run};
use serde_json::Value;
use tempfile::TempDir;
use verify_scene::{issued, judged, path, verify as verify_with};

/// One authority for all tests of this file.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::start);

fn log_url() -> String {
    AUTHORITY.url("/ct-log")
}

fn origin() -> String {
    log_url().strip_prefix("http://").unwrap().to_owned()
}

fn verify() -> Command {
    verify_with(&AUTHORITY, &AUTHORITY.log_key())
}

/// Verifies the certificate in `folder` and keeps the proof beside it.
fn saved(folder: &TempDir, since: Option<&Path>) -> std::path::PathBuf {
    let proof = path(folder, "certificate.tlog-proof");
    let mut command = verify();
    command.arg(path(folder, "certificate.pem"));
    command.args(["--log-url", &log_url(), "--save-proof"]);
    command.arg(&proof);
    if let Some(since) = since {
        command.arg("--since").arg(since);
    }
    let page = run(&mut command).good();
    assert!(page.contains("The log proved that it holds it: entry "));
    assert!(page.contains(proof.to_str().unwrap()), "{page}");
    proof
}

#[test]
fn a_saved_proof_needs_neither_the_log_nor_the_certificate() {
    let authority = Authority::start();
    let folder = issued(&authority);
    let proof = path(&folder, "certificate.tlog-proof");
    let mut command = verify_with(&authority, &authority.log_key());
    command.arg(path(&folder, "certificate.pem"));
    command.args(["--log", &authority.url("/ct-log/"), "--save-proof"]);
    let online = run(command.arg(&proof).arg("--json")).json();
    for name in ["chain.pem", "log.pub.pem"] {
        let from = match name {
            "chain.pem" => authority.chain(),
            _ => authority.log_key(),
        };
        fs::copy(from, path(&folder, name)).unwrap();
    }
    drop(authority);
    fs::remove_file(path(&folder, "key.pem")).unwrap();

    let offline = |more: &[&str]| {
        let mut command = fulcio();
        command.current_dir(folder.path()).args(more);
        command.args(["verify", "--trust-bundle", "chain.pem"]);
        command.args(["--ct-log-key", "log.pub.pem"]);
        run(command.args(["--proof", "certificate.tlog-proof"]))
    };
    assert_eq!(offline(&["--json"]).json(), online);
    let page = offline(&[]).good();
    let expected = format!(
        "The saved proof shows that the log holds it: entry {} of {}, as signed at {}.",
        online["inclusion"]["leafIndex"],
        online["inclusion"]["treeSize"],
        online["inclusion"]["treeTime"].as_str().unwrap()
    );
    assert!(page.contains(&expected), "{page}");
    assert_eq!(online["inclusion"]["since"], Value::Null);
}

#[test]
fn a_log_is_shown_to_have_only_grown_since_an_earlier_proof_or_checkpoint() {
    let earlier_folder = issued(&AUTHORITY);
    let earlier = saved(&earlier_folder, None);
    let checkpoint = path(&earlier_folder, "checkpoint");
    let text = fs::read_to_string(&earlier).unwrap();
    let (_, note) = text.split_once("\n\n").unwrap();
    fs::write(&checkpoint, note).unwrap();

    for since in [&earlier, &checkpoint] {
        let folder = issued(&AUTHORITY);
        let proof = saved(&folder, Some(since));
        let mut command = verify();
        command.arg("--proof").arg(&proof).arg("--since").arg(since);
        let page = run(&mut command).good();
        assert!(
            page.contains("The log has only grown since it had "),
            "{page}"
        );
        let report = run(command.arg("--json")).json();
        let inclusion = &report["inclusion"];
        let (old, new) = (&inclusion["since"]["treeSize"], &inclusion["treeSize"]);
        assert!(old.as_u64().unwrap() < new.as_u64().unwrap());

        // The earlier proof cannot tell of what came after it.
        let mut command = verify();
        command
            .arg("--proof")
            .arg(&earlier)
            .arg("--since")
            .arg(&proof);
        let line = run(&mut command).bad(1);
        assert!(line.contains("ask the log"), "{line}");
    }
}

#[test]
fn what_is_proven_for_another_certificate_key_log_or_tree_is_not_trusted() {
    let folder = issued(&AUTHORITY);
    let proof = saved(&folder, None);
    let other_folder = issued(&AUTHORITY);
    let other = Authority::start();
    let foreign_folder = issued(&other);
    let foreign = path(&foreign_folder, "foreign.tlog-proof");
    let mut command = verify_with(&other, &other.log_key());
    command.arg(path(&foreign_folder, "certificate.pem"));
    command.args(["--log-url", &other.url("/ct-log"), "--save-proof"]);
    run(command.arg(&foreign)).good();

    let text = fs::read_to_string(&proof).unwrap();
    let changed = |name: &str, text: String| {
        let path = path(&folder, name);
        fs::write(&path, text).unwrap();
        path
    };
    let index = text
        .lines()
        .find(|line| line.starts_with("index "))
        .unwrap();
    let moved = changed("moved", text.replacen(index, "index 1000000", 1));
    let (head, _) = text.split_once("\n\n").unwrap();
    let foreign_text = fs::read_to_string(&foreign).unwrap();
    let (_, foreign_note) = foreign_text.split_once("\n\n").unwrap();
    let spliced = changed("spliced", format!("{head}\n\n{foreign_note}"));

    let other_certificate = path(&other_folder, "certificate.pem");
    for (command, expected) in [
        (
            verify().arg("--proof").arg(&proof).arg(&other_certificate),
            "the saved proof is of another certificate",
        ),
        (
            verify().arg("--proof").arg(&moved),
            "the log does not prove that it holds the certificate: the proof does not verify",
        ),
        (
            verify().arg("--proof").arg(&spliced),
            "the checkpoint is not signed by the log's key",
        ),
        (
            verify().arg("--proof").arg(&foreign),
            "the certificate holds no timestamp of this log",
        ),
        (
            verify()
                .args(["--log-origin", "elsewhere", "--proof"])
                .arg(&proof),
            "the checkpoint is another log's",
        ),
        (
            verify()
                .args(["--identity", "bob@example.com", "--proof"])
                .arg(&proof),
            "the certificate is for ada@example.com, not for bob@example.com",
        ),
        (
            verify()
                .arg("--proof")
                .arg(&proof)
                .arg("--since")
                .arg(&foreign),
            "foreign.tlog-proof: the earlier checkpoint is not believed: \
             the checkpoint is not signed by the log's key",
        ),
    ] {
        let line = run(command).bad(3);
        assert!(line.starts_with("not trusted: "), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn what_cannot_be_done_with_proofs_is_said_in_one_line() {
    let folder = issued(&AUTHORITY);
    let certificate = path(&folder, "certificate.pem");
    let proof = saved(&folder, None);
    let text = fs::read_to_string(&proof).unwrap();
    let bare = path(&folder, "bare");
    let extra = text.lines().nth(1).unwrap();
    fs::write(&bare, text.replacen(&format!("{extra}\n"), "", 1)).unwrap();
    let cut = path(&folder, "cut");
    fs::write(&cut, &text[..text.find("\n\n").unwrap()]).unwrap();

    for (command, expected) in [
        (
            verify().arg("--proof").arg(&bare),
            "the saved proof holds no certificate: name its file",
        ),
        (
            verify().arg("--proof").arg(&cut),
            "cut is not a saved proof: its line ",
        ),
        (
            verify().arg("--proof").arg(&certificate),
            "certificate.pem is not a saved proof: its line 1 ",
        ),
        (
            verify().arg("--proof").arg(path(&folder, "missing")),
            "/missing: No such file",
        ),
        (
            verify()
                .arg("--proof")
                .arg(&proof)
                .arg("--since")
                .arg(&certificate),
            "certificate.pem: the earlier checkpoint is not believed: the checkpoint is malformed",
        ),
        (
            verify()
                .arg(&certificate)
                .args(["--log-url", &log_url(), "--save-proof"])
                .arg(&proof),
            "certificate.tlog-proof is there already",
        ),
        (
            verify()
                .arg(&certificate)
                .args(["--log-url", "http://127.0.0.1:1/ct-log", "--save-proof"])
                .arg(path(&folder, "never")),
            "could not be reached",
        ),
    ] {
        let line = run(command).bad(1);
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains("not trusted"), "{line}");
    }
    assert_eq!(fs::read_to_string(&proof).unwrap(), text);
    assert!(!path(&folder, "never").exists());
    // With the certificate beside it, a proof need not hold one.
    run(verify().arg(&certificate).arg("--proof").arg(&bare)).good();
}

#[test]
fn flags_that_make_no_sense_together_end_with_2() {
    let url = log_url();
    for arguments in [
        &["c", "--log-url", &url, "--proof", "p"][..],
        &["--log-url", &url],
        &["c", "--save-proof", "p"],
        &["--proof", "p", "--save-proof", "q"],
        &["c", "--since", "p"],
        &["c", "--log-origin", "o"],
    ] {
        let done = run(verify().args(arguments));
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.stderr);
    }
    let help = run(fulcio().args(["verify", "--help"])).good();
    for told in ["--save-proof", "c2sp.org/tlog-proof", "RFC 6962", "--since"] {
        assert!(help.contains(told), "{told}: {help}");
    }
}

#[test]
fn an_independent_reader_believes_saved_proofs_and_no_changed_ones() {
    let Some(judge) = component("FULCIO_CT_READER") else {
        return;
    };
    let earlier_folder = issued(&AUTHORITY);
    let earlier = saved(&earlier_folder, None);
    let folder = issued(&AUTHORITY);
    let proof = saved(&folder, Some(&earlier));
    let both = path(&folder, "both.pem");
    let key = AUTHORITY.log_key();
    let judge_with = |proof: &Path, chain: &Path| judged(&judge, proof, chain, &key, &origin());
    let judge = |proof: &Path| judge_with(proof, &both);
    let said = judge(&proof).unwrap();
    assert!(said.starts_with("good: entry "), "{said}");
    assert!(!said.contains("since 0"), "{said}");

    let text = fs::read_to_string(&proof).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let changed = path(&folder, "changed");
    for at in 0..lines.len() {
        let mut parts: Vec<_> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        let middle = (parts[at].len() - 1) / 2;
        parts[at][middle] = if parts[at][middle] == b'1' {
            b'2'
        } else {
            b'1'
        };
        fs::write(&changed, parts.concat()).unwrap();
        judge(&changed).unwrap_err();
        let done = run(verify().arg("--proof").arg(&changed));
        assert!(matches!(done.code, 1 | 3), "line {at}: {}", done.stdout);
    }
    let other = path(&earlier_folder, "both.pem");
    judge_with(&proof, &other).unwrap_err();
}
