//! Proofs that a log holds a certificate: had from the log, kept, and checked without it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod logs;

use std::sync::atomic::{AtomicU32, Ordering};

use authority::Authority;
use fulcio_client::{Error, Expected, Inclusion, LogProof, ProofError, TreeHead, Trust, Verified};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader;
use fulcio_testkit::log::FakeLog;
use logs::{ORIGIN, OldLog, Served, StaticLog, base64, reader as read};
use pki_types::CertificateDer;
use proptest::prelude::*;

const HOUR: u64 = 60 * 60 * 1000;

fn verified(trust: &Trust, certificate: &CertificateDer<'_>) -> Verified {
    trust.verify(certificate, &Expected::default()).unwrap()
}

/// A static-ct log with Ada's certificate at `index`, and `more` entries after it.
struct Scene {
    authority: Authority,
    log: StaticLog,
    served: Served,
    certificate: CertificateDer<'static>,
    verified: Verified,
}

impl Scene {
    fn new(index: u8, more: u8) -> Self {
        let log = StaticLog::new();
        log.grow(index);
        let scene = Self::of(log);
        scene.log.grow(more);
        scene
    }

    fn of(log: StaticLog) -> Self {
        let authority = Authority::new("Example");
        let certificate = log.certified(&authority);
        let verified = verified(&log.trusted_with(&authority), &certificate);
        let served = Served::new(log.files());
        Self {
            authority,
            log,
            served,
            certificate,
            verified,
        }
    }

    fn prove(&self, since: Option<&TreeHead>) -> Result<(LogProof, Inclusion), Error> {
        read(&self.served, self.log.key()).prove(&self.verified, since)
    }

    fn head(&self) -> TreeHead {
        head_of(&self.log)
    }
}

fn head_of(log: &StaticLog) -> TreeHead {
    TreeHead::verify(&log.checkpoint(), None, &log.key()).unwrap()
}

#[track_caller]
fn judged(error: Error) -> Error {
    assert!(error.is_judgement(), "{error}");
    error
}

#[test]
fn a_saved_proof_is_checked_without_the_log() {
    let scene = Scene::new(5, 44);
    let (proof, proven) = scene.prove(None).unwrap();
    assert_eq!((proven.leaf_index, proven.tree_size), (5, 50));
    assert_eq!(proven.tree_time_ms, scene.head().checkpoint().timestamp());
    assert_eq!(proven.since, None);
    assert!(
        proven.tree_time().starts_with("20"),
        "{}",
        proven.tree_time()
    );

    scene.served.answer(|_path| panic!("nobody may ask"));
    let text = proof.to_text().unwrap();
    let read = LogProof::parse(text.as_bytes()).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.certificate(), Some(&scene.certificate));
    for origin in [None, Some(ORIGIN)] {
        let checked = read.verify(&scene.verified, None, origin, &scene.log.key());
        assert_eq!(checked.unwrap(), proven);
    }
}

#[test]
fn a_saved_proof_has_the_lines_of_the_specification() {
    let scene = Scene::new(1, 1);
    let (proof, _) = scene.prove(None).unwrap();
    let text = proof.to_text().unwrap();
    let lines: Vec<_> = text.lines().collect();
    let extra = format!(r#"{{"certificate":"{}"}}"#, base64(&scene.certificate));
    assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
    assert_eq!(lines[1], format!("extra {}", base64(extra.as_bytes())));
    assert_eq!(lines[2], "index 1");
    // Entry 1 of 3: its neighbour, and the third.
    assert_eq!(lines[3].len(), 44);
    assert_eq!(lines[4].len(), 44);
    assert_eq!(lines[5], "");
    let checkpoint = String::from_utf8(scene.log.checkpoint()).unwrap();
    assert!(text.ends_with(&format!("\n\n{checkpoint}")), "{text}");

    // Others need not know what we put into the extra line.
    let bare = text.replacen(&format!("{}\n", lines[1]), "", 1);
    let bare = LogProof::parse(bare.as_bytes()).unwrap();
    assert_eq!(bare.certificate(), None);
    let checked = bare.verify(&scene.verified, None, None, &scene.log.key());
    assert_eq!(checked.unwrap().leaf_index, 1);
}

#[test]
fn a_log_proves_that_it_has_only_grown_and_the_saved_proof_shows_it() {
    for (before, more) in [(1, 0), (1, 1), (7, 30), (0, 3)] {
        let log = StaticLog::new();
        log.grow(before);
        let earlier = TreeHead::verify(&log.checkpoint(), Some(ORIGIN), &log.key()).unwrap();
        let scene = Scene::of(log);
        scene.log.grow(more);
        let (proof, proven) = scene.prove(Some(&earlier)).unwrap();
        let since = proven.since.unwrap();
        assert_eq!(since.size, u64::from(before));
        assert_eq!(since.time_ms, earlier.checkpoint().timestamp());

        let text = proof.to_text().unwrap();
        let kept = LogProof::parse(text.as_bytes()).unwrap();
        let key = scene.log.key();
        for since in [None, Some(&earlier)] {
            let checked = kept.verify(&scene.verified, since, None, &key).unwrap();
            assert_eq!(checked, proven);
        }
        // The tree of the proof itself is one that it is about, and a later one is not.
        let own = scene.head();
        let checked = kept
            .verify(&scene.verified, Some(&own), None, &key)
            .unwrap();
        assert_eq!(checked.since.unwrap().size, proven.tree_size);
        scene.log.grow(1);
        let later = scene.head();
        let error = kept
            .verify(&scene.verified, Some(&later), None, &key)
            .unwrap_err();
        assert!(matches!(error, Error::NotSince { .. }), "{error}");
        assert!(!error.is_judgement());
    }
}

#[test]
fn an_earlier_tree_is_read_from_a_checkpoint_or_from_a_saved_proof() {
    let scene = Scene::new(2, 2);
    let key = scene.log.key();
    let (proof, _) = scene.prove(None).unwrap();
    let from_proof = TreeHead::from_file(proof.to_text().unwrap().as_bytes(), None, &key);
    let from_note = TreeHead::from_file(&scene.log.checkpoint(), Some(ORIGIN), &key);
    assert_eq!(from_proof.unwrap(), from_note.unwrap());

    let error = TreeHead::from_file(b"nonsense", None, &key).unwrap_err();
    assert!(!error.is_judgement(), "{error}");
    let other = StaticLog::new();
    judged(TreeHead::from_file(&other.checkpoint(), None, &key).unwrap_err());
    judged(TreeHead::from_file(&scene.log.checkpoint(), Some("elsewhere"), &key).unwrap_err());
}

#[test]
fn a_log_that_has_not_published_the_certificate_yet_is_waited_for() {
    let log = StaticLog::new();
    log.grow(3);
    let early = log.checkpoint();
    let scene = Scene::of(log);
    let (files, served) = (scene.log.files(), early.clone());
    scene.served.answer(move |path| match path {
        "checkpoint" => Some(served.clone()),
        other => files(other),
    });
    let error = scene.prove(None).unwrap_err();
    assert!(matches!(error, Error::NotYet { size: 3 }), "{error}");
    assert!(!error.is_judgement());
    assert!(error.to_string().ends_with("wait a second and try again"));

    // Somebody with patience gets the proof.
    let (files, asked) = (scene.log.files(), AtomicU32::new(0));
    scene.served.answer(move |path| match path {
        "checkpoint" if asked.fetch_add(1, Ordering::Relaxed) < 3 => Some(early.clone()),
        other => files(other),
    });
    let reader = read(&scene.served, scene.log.key()).with_patience(fulcio_client::PATIENCE);
    let (_, proven) = reader.prove(&scene.verified, None).unwrap();
    assert_eq!(proven.leaf_index, 3);
}

#[test]
fn a_log_that_withholds_the_certificate_for_a_day_has_broken_its_promise() {
    let [log, other] = StaticLog::new().forked(FakeLog::TIMESTAMP + 25 * HOUR + 60_000);
    log.grow(2);
    let scene = Scene::of(log);
    other.grow(2);
    scene.served.answer(other.files());
    let error = judged(scene.prove(None).unwrap_err());
    assert!(matches!(error, Error::Withheld { size: 2, .. }), "{error}");
    assert!(error.to_string().contains("25 h"), "{error}");
}

#[test]
fn a_log_that_shrinks_or_forks_is_found_out() {
    let log = StaticLog::new();
    let scene = Scene::of(log);
    let Scene {
        authority,
        log,
        served,
        verified,
        ..
    } = scene;
    drop(authority);
    // A log can be opened only when nobody else has it.
    served.answer(|_path| None);
    let [one, other] = log.forked(FakeLog::TIMESTAMP + 2000);
    let prove = |since: &TreeHead| read(&served, one.key()).prove(&verified, Some(since));
    served.answer(other.files());
    one.grow(1);
    let error = judged(prove(&head_of(&one)).unwrap_err());
    assert!(
        matches!(
            error,
            Error::Shrunk {
                earlier: 2,
                size: 1
            }
        ),
        "{error}"
    );
    other.grow(1);
    let error = judged(prove(&head_of(&one)).unwrap_err());
    assert!(matches!(error, Error::Forked { size: 2 }), "{error}");
    other.grow(1);
    let error = judged(prove(&head_of(&one)).unwrap_err());
    assert!(
        matches!(
            error,
            Error::Consistency {
                size: 2,
                source: reader::Error::Proof
            }
        ),
        "{error}"
    );

    // A saved proof of one side shows the fork to who has a tree of the other.
    served.answer(one.files());
    let (kept, _) = read(&served, one.key()).prove(&verified, None).unwrap();
    served.answer(other.files());
    one.grow(1);
    assert_eq!(
        head_of(&one).checkpoint().size(),
        head_of(&other).checkpoint().size()
    );
    let (kept_other, _) = read(&served, one.key()).prove(&verified, None).unwrap();
    let error = kept_other.verify(&verified, Some(&head_of(&one)), None, &one.key());
    assert!(matches!(error, Err(Error::Forked { size: 3 })), "{error:?}");
    kept.verify(&verified, None, None, &one.key()).unwrap();
}

#[test]
fn another_log_or_key_or_certificate_is_refused() {
    let scene = Scene::new(1, 1);
    let other = Scene::new(1, 1);
    let (proof, _) = scene.prove(None).unwrap();
    let key = scene.log.key();

    scene.served.answer(other.log.files());
    let error = judged(scene.prove(None).unwrap_err());
    assert!(error.to_string().contains("not signed by the log's key"));
    let reader = fulcio_client::LogReader::new(scene.served.client(), "elsewhere", key.clone());
    let error = judged(reader.prove(&scene.verified, None).unwrap_err());
    assert!(error.to_string().contains("another log's"), "{error}");

    let error = proof.verify(&scene.verified, None, None, &other.log.key());
    assert!(matches!(error, Err(Error::Inclusion(_))), "{error:?}");
    let error = proof.verify(&scene.verified, None, Some("elsewhere"), &key);
    assert!(matches!(error, Err(Error::Inclusion(_))), "{error:?}");

    // Another certificate of the same log.
    let certificate = scene.log.certified(&scene.authority);
    let second = verified(&scene.log.trusted_with(&scene.authority), &certificate);
    let error = judged(proof.verify(&second, None, None, &key).unwrap_err());
    assert!(matches!(error, Error::OtherCertificate), "{error}");
    let bare = without_extra(&proof);
    let error = judged(bare.verify(&second, None, None, &key).unwrap_err());
    assert!(matches!(error, Error::Inclusion(_)), "{error}");
}

fn without_extra(proof: &LogProof) -> LogProof {
    let text = proof.to_text().unwrap();
    let lines = text.split_inclusive('\n').enumerate();
    let text: String = lines
        .filter(|(at, _)| *at != 1)
        .map(|(_, line)| line)
        .collect();
    LogProof::parse(text.as_bytes()).unwrap()
}

#[test]
fn an_old_log_proves_the_same_by_asking_it() {
    let authority = Authority::new("Example");
    let log = OldLog::new();
    let certificate = log.certified(&authority);
    let verified = verified(&log.trusted_with(&authority), &certificate);
    let served = Served::new(log.answers(2));
    let reader = read(&served, log.key.clone());
    let (first, proven) = reader.prove(&verified, None).unwrap();
    assert_eq!((proven.leaf_index, proven.tree_size), (0, 2));

    served.answer(log.answers(3));
    let earlier = first.tree_head(None, &log.key).unwrap();
    let (proof, proven) = reader.prove(&verified, Some(&earlier)).unwrap();
    assert_eq!((proven.leaf_index, proven.tree_size), (0, 3));
    assert_eq!(proven.since.unwrap().size, 2);
    let text = proof.to_text().unwrap();
    let kept = LogProof::parse(text.as_bytes()).unwrap();
    let checked = kept.verify(&verified, Some(&earlier), None, &log.key);
    assert_eq!(checked.unwrap(), proven);

    served.answer(log.answers(2));
    let later = proof.tree_head(None, &log.key).unwrap();
    let error = judged(reader.prove(&verified, Some(&later)).unwrap_err());
    assert!(matches!(error, Error::Shrunk { .. }), "{error}");
    served.answer(log.answers(1));
    assert_eq!(reader.prove(&verified, None).unwrap().1.tree_size, 1);
}

#[test]
fn an_old_log_that_answers_anything_else_is_not_believed() {
    let authority = Authority::new("Example");
    let log = OldLog::new();
    let certificate = log.certified(&authority);
    let verified = verified(&log.trusted_with(&authority), &certificate);
    let served = Served::new(|_path| None);
    let reader = read(&served, log.key.clone());
    let error = reader.prove(&verified, None).unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 404, .. }),
        "{error}"
    );

    // The log does not know the certificate.
    let head = log.tree_head(2).to_string();
    served.answer(move |path| (path == "ct/v1/get-sth").then(|| head.clone().into()));
    let error = reader.prove(&verified, None).unwrap_err();
    assert!(matches!(error, Error::NotYet { size: 2 }), "{error}");

    let judge = |changed: &str, to: serde_json::Value| {
        let answers = log.answers(3);
        let changed = changed.to_owned();
        served.answer(move |path| {
            let mut answer: serde_json::Value = serde_json::from_slice(&answers(path)?).unwrap();
            if let Some(value) = answer.get_mut(&changed) {
                *value = to.clone();
            }
            Some(answer.to_string().into_bytes())
        });
        reader.prove(&verified, None).unwrap_err()
    };
    for (changed, to) in [
        ("tree_size", 4.into()),
        ("timestamp", 5.into()),
        ("sha256_root_hash", base64(&[7; 32]).into()),
        ("sha256_root_hash", "no base64".into()),
        ("tree_head_signature", base64(&[7; 70]).into()),
        ("tree_head_signature", "".into()),
        ("leaf_index", 1.into()),
        ("audit_path", serde_json::Value::Null),
        ("audit_path", serde_json::json!(["AA=="])),
        (
            "audit_path",
            serde_json::json!([base64(&[7; 32]), base64(&[7; 32])]),
        ),
    ] {
        let error = judged(judge(changed, to));
        assert!(matches!(error, Error::Inclusion(_)), "{changed}: {error}");
    }
    for to in [serde_json::Value::Null, (-1).into(), "3".into()] {
        let error = judge("tree_size", to);
        assert!(matches!(error, Error::Json { .. }), "{error}");
    }

    // A proof of consistency that is none.
    let answers = log.answers(3);
    let earlier = {
        served.answer(log.answers(2));
        let (proof, _) = reader.prove(&verified, None).unwrap();
        proof.tree_head(None, &log.key).unwrap()
    };
    served.answer(move |path| {
        if path.contains("consistency") {
            return Some(br#"{"consistency":[]}"#.to_vec());
        }
        answers(path)
    });
    let error = judged(reader.prove(&verified, Some(&earlier)).unwrap_err());
    assert!(
        matches!(error, Error::Consistency { size: 2, .. }),
        "{error}"
    );
}

#[test]
fn what_is_no_saved_proof_is_said_line_by_line() {
    let scene = Scene::new(1, 1);
    let (proof, _) = scene.prove(None).unwrap();
    let good = bare_text(&proof);
    let long = "A".repeat(2 << 20);
    for (text, line) in [
        ("", 1),
        ("nonsense\n", 1),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\n", 1),
        ("c2sp.org/tlog-proof@v1\n", 2),
        ("c2sp.org/tlog-proof@v1\nindex 01\n\n", 2),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\n", 2),
        ("c2sp.org/tlog-proof@v1\nindex 99999999999999999999\n\n", 2),
        ("c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\n", 2),
        ("c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\n", 3),
        ("c2sp.org/tlog-proof@v1\nindex 0\nAA==\n\n", 3),
        ("c2sp.org/tlog-proof@v1\nindex 0\n", 3),
    ] {
        let error = LogProof::parse(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, ProofError::Line { line: found } if found == line),
            "{text}: {error}"
        );
    }
    assert!(matches!(
        LogProof::parse(long.as_bytes()),
        Err(ProofError::TooLong { .. })
    ));
    LogProof::parse(good.as_bytes()).unwrap();
    for extra in [
        "{",
        "null",
        r#"{"certificates":"AA=="}"#,
        r#"{"earlier":{"checkpoint":""}}"#,
        r#"{"certificate":"AA==","certificate":"AA=="}"#,
    ] {
        let text = good.replacen('\n', &format!("\nextra {}\n", base64(extra.as_bytes())), 1);
        let error = LogProof::parse(text.as_bytes()).unwrap_err();
        assert!(matches!(error, ProofError::Extra(_)), "{extra}: {error}");
    }
}

fn bare_text(proof: &LogProof) -> String {
    without_extra(proof).to_text().unwrap()
}

/// Takes a file for what it says, as a command line does that is given no certificate beside it.
fn accepts(text: &[u8], trust: &Trust, key: &LogKey) -> bool {
    let Ok(proof) = LogProof::parse(text) else {
        return false;
    };
    let Some(certificate) = proof.certificate() else {
        return false;
    };
    let Ok(verified) = trust.verify(certificate, &Expected::default()) else {
        return false;
    };
    proof.verify(&verified, None, None, key).is_ok()
}

/// A saved proof with all parts, and what it is to be checked with.
fn whole_proof() -> (Vec<u8>, Trust, LogKey) {
    let log = StaticLog::new();
    log.grow(5);
    let earlier = TreeHead::verify(&log.checkpoint(), None, &log.key()).unwrap();
    let scene = Scene::of(log);
    scene.log.grow(9);
    let (proof, _) = scene.prove(Some(&earlier)).unwrap();
    let text = proof.to_text().unwrap().into_bytes();
    let trust = scene.log.trusted_with(&scene.authority);
    (text, trust, scene.log.key())
}

#[test]
fn a_saved_proof_with_any_byte_changed_or_left_out_is_refused() {
    let (text, trust, key) = whole_proof();
    assert!(accepts(&text, &trust, &key));
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!accepts(&changed, &trust, &key), "the byte {at} changed");
        changed.remove(at);
        assert!(!accepts(&changed, &trust, &key), "the byte {at} left out");
    }
    for end in 0..text.len() {
        assert!(
            !accepts(&text[..end], &trust, &key),
            "the first {end} bytes"
        );
    }
}

#[test]
fn a_saved_proof_with_any_bit_changed_in_what_its_extra_line_says_is_refused() {
    let (text, trust, key) = whole_proof();
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().nth(1).unwrap();
    let extra = {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        BASE64_STANDARD
            .decode(line.strip_prefix("extra ").unwrap())
            .unwrap()
    };
    for at in 0..extra.len() {
        let mut changed = extra.clone();
        changed[at] ^= 1 << (at % 7);
        let changed = text.replacen(line, &format!("extra {}", base64(&changed)), 1);
        assert!(!accepts(changed.as_bytes(), &trust, &key), "the byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn never_accepts_what_was_spliced_from_two_proofs(cut in 0.0..1.0f64, other in 0.0..1.0f64) {
        thread_local! {
            static PROOFS: [(Vec<u8>, Trust, LogKey); 2] = [whole_proof(), whole_proof()];
        }
        PROOFS.with(|[one, two]| {
            let at = |text: &[u8], part: f64| {
                let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a part of a few lines")]
                let line = (lines.len() as f64 * part) as usize;
                lines[..line].iter().map(|line| line.len()).sum::<usize>()
            };
            let spliced = [&one.0[..at(&one.0, cut)], &two.0[at(&two.0, other)..]].concat();
            for (whole, trust, key) in [one, two] {
                prop_assert_eq!(accepts(&spliced, trust, key), spliced == *whole);
            }
            Ok(())
        })?;
    }

    #[test]
    fn never_panics_on_a_file(text in "(c2sp.org/tlog-proof@v1\n)?(extra [A-Za-z0-9+/]{0,80}={0,2}\n)?(index [0-9]{0,20}\n)?([A-Za-z0-9+/]{43}=\n){0,3}\n?.{0,60}\n?") {
        if let Ok(proof) = LogProof::parse(text.as_bytes()) {
            prop_assert_eq!(proof.to_text().unwrap(), text);
        }
    }
}
