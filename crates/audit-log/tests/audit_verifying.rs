//! Whatever is done to a trail is found, by us and by the judge of the page.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use fulcio_audit_log::{
    AuditLog, Digest, Expectation, Finding, Head, Problem, by_node, files_of, verify,
};
use proptest::{prelude::*, sample::Index};
use support::{Authority, Scene, judge};
use tempfile::TempDir;

/// Three files of one chain, as bytes.
fn chain() -> &'static [Vec<u8>] {
    static CHAIN: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CHAIN.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let scene = Scene::new();
            let mut options = scene.options();
            options.max_size = 3000;
            let audit = Arc::new(AuditLog::open(&scene.path(), options).unwrap());
            let authority = Authority::new(Arc::clone(&audit)).await;
            for name in ["ada", "bob", "eve", "dan", "kim", "lee", "max"] {
                let email = format!("{name}@example.com");
                authority.issue(&email).await.unwrap();
            }
            audit.close().await.unwrap();
            scene
                .files()
                .iter()
                .map(|file| fs::read(file).unwrap())
                .collect()
        })
    })
}

/// The files on the disk, the last under the name of the chain.
fn lay(files: &[Vec<u8>]) -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    let (last, former) = files.split_last().unwrap();
    for (number, file) in former.iter().enumerate() {
        let name = format!("audit.jsonl.{:06}", number + 1);
        fs::write(folder.path().join(name), file).unwrap();
    }
    fs::write(&path, last).unwrap();
    let paths = files_of(&path).unwrap();
    (folder, paths)
}

fn findings(files: &[Vec<u8>], expectation: &Expectation) -> Vec<Finding> {
    let (_folder, paths) = lay(files);
    let nodes = by_node(&paths).unwrap();
    let chains = nodes.values();
    let chains = chains.map(|files| verify(files, expectation).unwrap().findings);
    chains.flatten().collect()
}

/// How many changes are tried.
#[expect(clippy::disallowed_methods, reason = "the test command asks for more")]
fn cases() -> u32 {
    if std::env::var_os("FULCIO_TEST_FULL").is_some() {
        20_000
    } else {
        400
    }
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    let lines = file.split_inclusive(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

/// One thing that somebody may do to the files.
#[derive(Clone, Debug)]
enum Change {
    Flip { bit: Index },
    Remove { line: Index },
    RemoveBytes { from: Index, to: Index },
    Repeat { line: Index, at: Index },
    Swap { one: Index, other: Index },
    Insert { at: Index, bytes: Vec<u8> },
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        8 => index().prop_map(|bit| Change::Flip { bit }),
        1 => index().prop_map(|line| Change::Remove { line }),
        2 => (index(), index()).prop_map(|(from, to)| Change::RemoveBytes { from, to }),
        1 => (index(), index()).prop_map(|(line, at)| Change::Repeat { line, at }),
        1 => (index(), index()).prop_map(|(one, other)| Change::Swap { one, other }),
        2 => (index(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Change::Insert { at, bytes }),
    ]
}

/// The change made to one file; nothing where it would change nothing.
fn changed(file: &[u8], change: &Change) -> Option<Vec<u8>> {
    let mut bytes = file.to_vec();
    let mut parts = lines(file);
    match change {
        Change::Flip { bit } => {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            return Some(bytes);
        }
        Change::RemoveBytes { from, to } => {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            bytes.drain(from.min(to)..=from.max(to));
            return Some(bytes);
        }
        Change::Insert { at, bytes: more } => {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, more.iter().copied());
            return Some(bytes);
        }
        Change::Remove { line } => {
            parts.remove(line.index(parts.len()));
        }
        Change::Repeat { line, at } => {
            let line = parts[line.index(parts.len())].clone();
            parts.insert(at.index(parts.len() + 1), line);
        }
        Change::Swap { one, other } => {
            let count = parts.len();
            parts.swap(one.index(count), other.index(count));
        }
    }
    let new = parts.concat();
    (new != file).then_some(new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_single_change_is_found(change in change(), file: Index) {
        let files = chain();
        let file = file.index(files.len());
        let Some(new) = changed(&files[file], &change) else {
            return Ok(());
        };
        let is_end_of_all = file + 1 == files.len()
            && files[file].starts_with(&new)
            && (new.is_empty() || new.ends_with(b"\n"));
        let mut changed = files.to_vec();
        changed[file] = new;
        // What is cut off at the end is only found by a head that was kept elsewhere.
        let mut expectation = Expectation::default();
        if is_end_of_all {
            let (_folder, paths) = lay(files);
            let head = verify(&paths, &expectation).unwrap().head.unwrap();
            expectation.heads = BTreeMap::from([(head.next - 1, head.hash)]);
        }
        let found = findings(&changed, &expectation);
        prop_assert!(!found.is_empty(), "{change:?} of file {file} is not found");
    }
}

#[test]
fn the_chain_as_it_was_written_has_no_finding_and_the_judge_agrees() {
    let (_folder, paths) = lay(chain());
    assert!(paths.len() >= 3, "{paths:?}");
    assert_eq!(
        verify(&paths, &Expectation::default()).unwrap().findings,
        []
    );
    judge(&paths).unwrap();
}

#[test]
fn the_judge_finds_what_we_find() {
    let files = chain();
    let middle = lines(&files[1]);
    let without = |skipped: usize| {
        let kept = middle.iter().enumerate();
        let kept = kept.filter(|(place, _)| *place != skipped);
        kept.map(|(_, line)| line.clone())
            .collect::<Vec<_>>()
            .concat()
    };
    let mut flipped = files[1].clone();
    let place = flipped.windows(7).position(|it| it == b"example").unwrap();
    flipped[place] = b'E';
    for new in [without(0), without(1), flipped, Vec::new()] {
        let mut changed = files.to_vec();
        changed[1] = new;
        let (_folder, paths) = lay(&changed);
        assert!(judge(&paths).is_err());
        assert!(!findings(&changed, &Expectation::default()).is_empty());
    }
}

#[test]
fn a_finding_says_which_line_and_what() {
    let files = chain();
    let mut middle = lines(&files[1]);
    let gone = middle.remove(1);
    let gone: serde_json::Value = serde_json::from_slice(&gone).unwrap();
    let seq = gone["seq"].as_u64().unwrap();
    let mut changed = files.to_vec();
    changed[1] = middle.concat();
    let found = findings(&changed, &Expectation::default());
    let [finding] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(finding.line, Some(2));
    assert_eq!(finding.problem, Problem::Missing { from: seq, to: seq });
    let name = finding.file.as_ref().unwrap().file_name().unwrap();
    assert_eq!(name, "audit.jsonl.000002");
    let text = finding.to_string();
    assert!(text.ends_with(&format!(
        "audit.jsonl.000002:2: number {seq} is missing before this line"
    )));
}

/// Whoever makes a line anew, with its hash, is betrayed by the line after it.
#[test]
fn a_line_that_was_made_anew_is_found_by_the_next() {
    let files = chain();
    let mut middle = lines(&files[1]);
    let forged = String::from_utf8(middle[1].clone()).unwrap();
    let forged = forged.replace("@example.com", "@example.net");
    let (content, _) = forged.rsplit_once(",\"hash\":\"").unwrap();
    let hash = Digest::of(content.as_bytes());
    middle[1] = format!("{content},\"hash\":\"{hash}\"}}\n").into_bytes();
    let mut changed = files.to_vec();
    changed[1] = middle.concat();
    let found = findings(&changed, &Expectation::default());
    let [finding] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (finding.line, &finding.problem),
        (Some(3), &Problem::Unlinked)
    );
}

#[test]
fn a_chain_whose_beginning_was_taken_away_needs_the_head_before_it() {
    let files = chain();
    let (_folder, paths) = lay(&files[..1]);
    let head = verify(&paths, &Expectation::default())
        .unwrap()
        .head
        .unwrap();
    let rest = &files[1..];
    let found = findings(rest, &Expectation::default());
    assert_eq!(found[0].problem, Problem::Beginning { seq: head.next });
    let mut known = Expectation::default();
    known.after = Some(head);
    assert_eq!(findings(rest, &known), []);
    known.after = Some(Head {
        hash: Digest::of(b"another"),
        ..head
    });
    assert_eq!(findings(rest, &known)[0].problem, Problem::Unlinked);
}

#[test]
fn a_whole_chain_written_anew_is_found_by_a_head_kept_elsewhere() {
    let (_folder, paths) = lay(chain());
    let head = verify(&paths, &Expectation::default())
        .unwrap()
        .head
        .unwrap();
    let mut kept = Expectation::default();
    kept.heads.insert(head.next - 1, Digest::of(b"what it was"));
    kept.heads
        .insert(head.next + 7, Digest::of(b"what came later"));
    let found: Vec<_> = findings(chain(), &kept)
        .into_iter()
        .map(|finding| finding.problem)
        .collect();
    let (seq, hash) = (head.next - 1, head.hash);
    let later = head.next + 7;
    assert_eq!(
        found,
        [
            Problem::OtherHead { seq, hash },
            Problem::Unreached { seq: later }
        ]
    );
}

#[test]
fn no_file_and_an_empty_one_are_findings() {
    assert_eq!(
        findings(&[Vec::new()], &Expectation::default())[0].problem,
        Problem::Empty
    );
    let nothing = verify(&[], &Expectation::default()).unwrap();
    assert_eq!(nothing.findings[0].problem, Problem::Empty);
}
