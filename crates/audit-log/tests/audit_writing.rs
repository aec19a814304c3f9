//! What is written, and what happens when it cannot be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, sync::Arc, time::Duration};

use fulcio_audit_log::{AuditLog, Digest, Error as AuditError, Outcome, Problem};
use fulcio_issuance::{Error, Refusal};
use fulcio_testkit::log::Behaviour;
use support::{Authority, Counts, Scene, judge};
use tokio::task::JoinSet;

#[tokio::test]
async fn each_decision_is_a_line_that_says_all_and_no_token() {
    let scene = Scene::new();
    let audit = Arc::new(scene.open());
    let authority = Authority::new(Arc::clone(&audit)).await;
    let certified = authority.issue("ada@example.com").await.unwrap();
    authority.issue("forged").await.unwrap_err();
    authority.log.behave(Behaviour::Refuse);
    authority.issue("bob@example.com").await.unwrap_err();
    audit.close().await.unwrap();

    let kinds: Vec<_> = scene
        .lines()
        .iter()
        .map(|line| line["type"].as_str().unwrap().to_owned())
        .collect();
    let expected = ["file", "started", "issued", "refused", "refused", "stopped"];
    assert_eq!(kinds, expected);

    let issued = &scene.lines_of("issued")[0];
    assert_eq!(issued["requestId"], "request of ada@example.com");
    assert_eq!(issued["peer"], "192.0.2.7:4711");
    assert_eq!(issued["api"], "http-v2");
    assert_eq!(issued["identity"]["kind"], "email");
    assert_eq!(issued["identity"]["value"], "ada@example.com");
    assert_eq!(issued["issuer"], "https://issuer.example.com");
    assert_eq!(issued["issuerKind"], "email");
    assert_eq!(issued["time"], "2027-01-15T08:00:00.000Z");
    assert_eq!(issued["key"]["kind"], "ECDSA P-256");
    assert_eq!(
        issued["certificate"],
        Digest::of(&certified.chain[0]).to_string()
    );
    let promise = &issued["timestamps"][0];
    assert_eq!(promise["place"], "certificate");
    assert_eq!(promise["log"], Digest(authority.log.key().id()).to_string());
    assert_eq!(promise["timestamp"], 1_767_225_600_000u64);
    let root = fulcio_audit_log::CertificateFacts::read(&authority.root).unwrap();
    let issuer_key = &issued["precertificate"]["issuerKey"];
    assert_eq!(*issuer_key, root.key_hash().to_string());

    let [forged, unlogged] = &scene.lines_of("refused")[..] else {
        panic!("two were refused");
    };
    assert_eq!(forged["refusal"]["reason"], "identity-token");
    assert_eq!(forged["refusal"]["token"], "signature");
    assert_eq!(forged["issuer"], "https://issuer.example.com");
    assert!(forged.get("identity").is_none() && forged.get("precertificate").is_none());
    assert_eq!(unlogged["refusal"]["reason"], "log");
    assert_eq!(unlogged["identity"]["value"], "bob@example.com");
    assert!(unlogged["precertificate"]["tbs"].is_string());

    let verified = scene.verify();
    assert_eq!(verified.findings, []);
    assert!(verified.is_stopped);
    assert_eq!(verified.counts[Outcome::Issued as usize], 1);
    let head = verified.head.unwrap();
    let judged = judge(&scene.files()).unwrap();
    assert_eq!(judged.trim(), format!("{}:{}", head.next - 1, head.hash));
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_noted_with_its_precertificate() {
    let scene = Scene::new();
    let audit = Arc::new(scene.open());
    let authority = Authority::new(Arc::clone(&audit)).await;
    authority.log.behave(Behaviour::Hang);
    let waiting = authority.issue("ada@example.com");
    tokio::select! {
        _ = waiting => panic!("the log hangs"),
        () = async {
            while authority.log.submissions() == 0 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    audit.close().await.unwrap();
    let [abandoned] = &scene.lines_of("abandoned")[..] else {
        panic!("{:?}", scene.lines());
    };
    assert_eq!(abandoned["identity"]["value"], "ada@example.com");
    assert!(abandoned["precertificate"]["tbs"].is_string());
    assert_eq!(scene.verify().findings, []);
}

#[tokio::test]
async fn one_chain_goes_over_all_files() {
    let scene = Scene::new();
    let mut options = scene.options();
    options.max_size = 4096;
    let audit = Arc::new(AuditLog::open(&scene.path(), options.clone()).unwrap());
    let authority = Authority::new(Arc::clone(&audit)).await;
    for number in 0..20 {
        let email = format!("user{number}@example.com");
        authority.issue(&email).await.unwrap();
    }
    audit.close().await.unwrap();
    let audit = AuditLog::open(&scene.path(), options).unwrap();
    audit.close().await.unwrap();

    let files = scene.files();
    assert!(files.len() > 3, "{files:?}");
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.lines().next().unwrap().contains("\"node\":\"node-1\""));
    }
    let verified = scene.verify();
    assert_eq!(verified.findings, []);
    assert_eq!(verified.counts[Outcome::Issued as usize], 20);
    judge(&files).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_kept_with_fdatasync() {
    let scene = Scene::new();
    let mut options = scene.options();
    options.sync = true;
    options.backlog = 8;
    let audit = Arc::new(AuditLog::open(&scene.path(), options).unwrap());
    let authority = Arc::new(Authority::new(Arc::clone(&audit)).await);
    let mut clients = JoinSet::new();
    for number in 0..100 {
        let authority = Arc::clone(&authority);
        let email = format!("user{number}@example.com");
        clients.spawn(async move {
            authority
                .issue(&email)
                .await
                .map(|certified| (email, certified))
        });
    }
    let answers = clients.join_all().await;
    // Before it is closed: an answer means that the line is there.
    let lines = scene.lines_of("issued");
    for answer in answers {
        let (email, certified) = answer.unwrap();
        let hash = Digest::of(&certified.chain[0]).to_string();
        let line = lines.iter().find(|line| line["certificate"] == hash);
        assert_eq!(line.unwrap()["identity"]["value"], email);
    }
    audit.close().await.unwrap();
    assert_eq!(scene.verify().findings, []);
}

#[tokio::test]
async fn a_second_process_and_another_node_are_refused() {
    let scene = Scene::new();
    let first = scene.open();
    let second = AuditLog::open(&scene.path(), scene.options());
    assert!(
        matches!(second, Err(AuditError::InUse { .. })),
        "{second:?}"
    );
    first.close().await.unwrap();
    drop(first);

    let mut options = scene.options();
    options.node = "node-2".to_owned();
    let other = AuditLog::open(&scene.path(), options);
    assert!(
        matches!(other, Err(AuditError::OtherNode { ref theirs, .. }) if theirs == "node-1"),
        "{other:?}"
    );
    drop(scene.open());
    assert_eq!(scene.verify().findings, []);
}

#[test]
fn nothing_is_appended_to_a_file_that_is_something_else() {
    let scene = Scene::new();
    fs::write(scene.path(), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
    let opened = AuditLog::open(&scene.path(), scene.options());
    assert!(
        matches!(opened, Err(AuditError::NotATrail { .. })),
        "{opened:?}"
    );
    let text = fs::read_to_string(scene.path()).unwrap();
    assert_eq!(text, "root:x:0:0:root:/root:/bin/bash\n");
}

/// Cuts the file off after each of its bytes, as a crash may, and goes on.
#[tokio::test]
async fn what_a_crash_has_torn_is_kept_and_the_chain_goes_on() {
    let scene = Scene::new();
    let audit = Arc::new(scene.open());
    let authority = Authority::new(Arc::clone(&audit)).await;
    authority.issue("ada@example.com").await.unwrap();
    audit.close().await.unwrap();
    drop((authority, audit));
    let whole = fs::read(scene.path()).unwrap();

    for length in (0..whole.len()).step_by(223).chain([whole.len() - 1]) {
        let scene = Scene::new();
        fs::write(scene.path(), &whole[..length]).unwrap();
        drop(scene.open());
        assert_eq!(scene.verify().findings, [], "cut at {length}");
        let end = whole[..length].iter().rposition(|byte| *byte == b'\n');
        let end = end.map_or(0, |newline| newline + 1);
        let started = scene.lines_of("started").pop().unwrap();
        if end == length {
            assert!(started.get("torn").is_none(), "cut at {length}");
        } else {
            let torn = &started["torn"];
            let kept = scene.folder.path().join(torn["kept"].as_str().unwrap());
            let kept = fs::read(kept).unwrap();
            assert_eq!(kept, whole[end..length], "cut at {length}");
            assert_eq!(torn["sha256"], Digest::of(&kept).to_string());
        }
        judge(&scene.files()).unwrap();
    }
}

/// A folder where the file should be keeps the next line from being written, as a full disk does.
fn block(scene: &Scene) {
    let away = scene.folder.path().join("audit.jsonl.000001");
    fs::rename(scene.path(), away).unwrap();
    fs::create_dir(scene.path()).unwrap();
}

#[tokio::test]
async fn without_a_record_no_certificate_leaves_until_it_can_be_written_again() {
    let scene = Scene::new();
    let counts = Arc::new(Counts::default());
    let mut options = scene.options();
    options.observer = counts.clone();
    let audit = Arc::new(AuditLog::open(&scene.path(), options).unwrap());
    let authority = Authority::new(Arc::clone(&audit)).await;
    authority.issue("ada@example.com").await.unwrap();
    assert!(audit.fault().is_none());
    assert_eq!(counts.take(), ["issued kept"]);

    block(&scene);
    let refused = authority.issue("bob@example.com").await.unwrap_err();
    assert!(matches!(refused, Error::Journal(_)), "{refused:?}");
    assert_eq!(refused.refusal(), Refusal::Journal);
    assert!(audit.fault().is_some());
    assert_eq!(counts.take(), ["issued disk", "refused disk"]);

    fs::remove_dir(scene.path()).unwrap();
    // Nobody has to ask for a certificate for that to be noticed.
    while audit.fault().is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    authority.issue("eve@example.com").await.unwrap();
    audit.close().await.unwrap();
    let [lost] = &scene.lines_of("lost")[..] else {
        panic!("{:?}", scene.lines());
    };
    assert_eq!((&lost["issued"], &lost["refused"]), (&1.into(), &1.into()));
    let verified = scene.verify();
    assert_eq!((verified.findings, verified.lost), (vec![], 2));
}

#[tokio::test]
async fn open_on_failure_certificates_leave_and_are_counted() {
    let scene = Scene::new();
    let counts = Arc::new(Counts::default());
    let mut options = scene.options();
    options.observer = counts.clone();
    options.fail_open = true;
    let audit = Arc::new(AuditLog::open(&scene.path(), options).unwrap());
    let authority = Authority::new(Arc::clone(&audit)).await;
    block(&scene);
    authority.issue("ada@example.com").await.unwrap();
    assert!(audit.fault().is_some());
    assert_eq!(counts.take(), ["issued disk"]);
    fs::remove_dir(scene.path()).unwrap();
    authority.issue("bob@example.com").await.unwrap();
    audit.close().await.unwrap();
    authority.issue("eve@example.com").await.unwrap();
    assert_eq!(counts.take().last().unwrap(), "issued closed");
    assert_eq!(scene.lines_of("lost")[0]["issued"], 1);
    assert_eq!(scene.lines_of("issued").len(), 1);
    assert_eq!(scene.verify().findings, []);
}

#[tokio::test]
async fn a_file_that_is_taken_away_under_the_server_is_missed() {
    let scene = Scene::new();
    let audit = Arc::new(scene.open());
    let authority = Authority::new(Arc::clone(&audit)).await;
    authority.issue("ada@example.com").await.unwrap();
    fs::remove_file(scene.path()).unwrap();
    authority.issue("bob@example.com").await.unwrap();
    audit.close().await.unwrap();
    let problems: Vec<_> = scene.verify().findings;
    let [finding] = &problems[..] else {
        panic!("{problems:?}");
    };
    assert_eq!(finding.problem, Problem::Beginning { seq: 3 });
    assert_eq!(scene.lines_of("issued").len(), 1);
}
