//! `docs/security-model.md` and `docs/reliability.md`: every test that they name is there, and what is said of all
//! crates is so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/security-model.md")).unwrap()
}

fn reliability() -> String {
    fs::read_to_string(root().join("docs/reliability.md")).unwrap()
}

/// The links whose text is the name of a file and of a test in it: both names, and where the file is.
fn named_tests(page: &str) -> Vec<(String, String, String)> {
    let links = page.split('[').skip(1);
    links
        .filter_map(|rest| {
            let (text, rest) = rest.split_once("](")?;
            let (target, _) = rest.split_once(')')?;
            let (file, test) = text.split_once("::")?;
            Some((file.to_owned(), test.to_owned(), target.to_owned()))
        })
        .collect()
}

/// Whether a source has this test.
fn has_test(source: &str, name: &str) -> bool {
    let mut is_test = false;
    source.lines().map(str::trim).any(|line| {
        let declared = line.strip_prefix("async ").unwrap_or(line);
        if let Some(rest) = declared.strip_prefix("fn ") {
            return core::mem::take(&mut is_test) && rest.split('(').next() == Some(name);
        }
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        false
    })
}

#[test]
fn every_test_that_the_pages_name_is_there() {
    let mut named = named_tests(&page());
    assert!(named.len() > 100, "{}", named.len());
    let more = named_tests(&reliability());
    assert!(more.len() > 20, "{}", more.len());
    named.extend(more);
    let wrong: Vec<_> = named
        .iter()
        .filter(|(file, test, target)| {
            let path = root().join("docs").join(target);
            let source = fs::read_to_string(&path).unwrap_or_default();
            path.file_stem().unwrap() != file.as_str() || !has_test(&source, test)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_test_that_is_not_there_is_found_to_be_missing() {
    let source = "#[test]\nfn is_there() {}\n\nfn helps() {}\n\n#[tokio::test(flavor = \"x\")]\nasync fn waits() {}\n";
    assert!(has_test(source, "is_there") && has_test(source, "waits"));
    assert!(!has_test(source, "helps") && !has_test(source, "is"));
    let page = "| a | [file::name](../a/file.rs), [b](b.md) |";
    let expected = (
        "file".to_owned(),
        "name".to_owned(),
        "../a/file.rs".to_owned(),
    );
    assert_eq!(named_tests(page), [expected]);
}

/// What stands below a heading, up to the next one of its level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n{heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

#[test]
fn every_promise_and_every_check_names_its_test() {
    let page = page();
    // What nobody can show by a test.
    let exempt = [
        "| the operator |",
        "| passwords, PINs and private keys are wiped",
    ];
    for heading in [
        "## What is promised",
        "## Who may do what",
        "## What each check stops",
        "## Secrets",
        "## Fulcio's quirks",
    ] {
        let rows = section(&page, heading).lines().filter(|line| {
            line.starts_with("| ")
                && !line.ends_with("| shown by |")
                && !exempt.iter().any(|row| line.starts_with(row))
        });
        let rows: Vec<_> = rows.collect();
        assert!(rows.len() > 3, "{heading}");
        for row in rows {
            assert!(!named_tests(row).is_empty(), "{heading}: {row}");
        }
    }
}

/// The rows that begin with a number: the number, and the row.
fn numbered(section: &str) -> Vec<(u32, &str)> {
    let rows = section.lines().filter_map(|line| {
        let (number, _) = line.strip_prefix("| ")?.split_once(". ")?;
        Some((number.parse().ok()?, line))
    });
    rows.collect()
}

#[test]
fn each_of_fulcios_quirks_has_its_row() {
    let page = page();
    let rows = numbered(section(&page, "## Fulcio's quirks"));
    let numbers: Vec<_> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=24).collect::<Vec<_>>());
}

#[test]
fn each_quirk_that_is_fixed_is_on_the_page_of_reliability_with_its_test() {
    let (page, reliability) = (page(), reliability());
    let fixed = numbered(section(&reliability, "## Fulcio's quirks that are fixed"));
    for (number, row) in &fixed {
        assert!(!named_tests(row).is_empty(), "{number}: {row}");
    }
    for (number, row) in numbered(section(&page, "## Fulcio's quirks")) {
        let is_fixed = row.split('|').any(|cell| cell.starts_with(" fixed"));
        assert!(
            !is_fixed || fixed.iter().any(|(other, _)| *other == number),
            "{row}"
        );
    }
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    let (mut folders, mut crates) = (vec![root()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let is_source = !["target", ".git", "node_modules"]
                .iter()
                .any(|not| name == *not);
            if entry.file_type().unwrap().is_dir() && is_source {
                folders.push(entry.path());
            } else if name == "Cargo.toml" {
                let manifest = fs::read_to_string(entry.path()).unwrap();
                if !manifest.contains("\n[package]\n") && !manifest.starts_with("[package]\n") {
                    continue;
                }
                crates += 1;
                let inherits = manifest.contains("\n[lints]\nworkspace = true\n");
                // A workspace of its own says so in its source.
                let library = folder.join("src/lib.rs");
                let forbids = fs::read_to_string(library)
                    .is_ok_and(|source| source.contains("#![forbid(unsafe_code)]"));
                assert!(inherits || forbids, "{}", entry.path().display());
            }
        }
    }
    assert!(crates > 20, "{crates}");
}
