//! `fulcio audit`: what was done to an audit log, and what a transparency log has that it has not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit_scene;
mod program;

use std::{fs, path::Path};

use audit_scene::{Kind, Scene};
use fulcio_test_services::component;
use program::{fulcio, run};

#[test]
fn verify_shows_a_chain_and_its_head_as_text_and_as_json() {
    let scene = Scene::start(Kind::Embedded);
    scene.issue("ada@example.com");
    scene.issue("bob@example.com");
    let text = run(&mut scene.verify()).good();
    assert!(text.contains("node-1"), "{text}");
    assert!(text.contains("Every line follows"), "{text}");
    let json = run(scene.verify().arg("--json")).json();
    assert_eq!(json["sound"], true);
    let chain = &json["chains"][0];
    assert_eq!(
        (&chain["node"], &chain["issued"]),
        (&"node-1".into(), &2.into())
    );
    assert_eq!(chain["lines"], 4);
    assert_eq!(chain["stopped"], false);

    // The head that it shows is one that it takes, and it misses it when the end is cut off.
    let head = chain["head"].as_str().unwrap();
    run(scene.verify().args(["--head", head])).good();
    let file = scene.audit_file();
    let whole = fs::read_to_string(&file).unwrap();
    let cut: Vec<_> = whole.split_inclusive('\n').take(3).collect();
    fs::write(&file, cut.concat()).unwrap();
    run(&mut scene.verify()).good();
    let said = run(scene.verify().args(["--head", head])).bad(3);
    assert!(
        said.contains("number 3, whose hash was kept elsewhere, is not there"),
        "{said}"
    );

    let changed = whole.replace("bob@example.com", "rob@example.com");
    fs::write(&file, changed).unwrap();
    let said = run(&mut scene.verify()).bad(3);
    assert!(
        said.contains("audit.jsonl:4: the line was changed"),
        "{said}"
    );
    let done = run(scene.verify().arg("--json"));
    assert_eq!(done.code, 3);
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let finding = &json["chains"][0]["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["line"]),
        (&"changed".into(), &4.into())
    );
}

#[test]
fn verify_tells_wrong_usage_and_absent_files_apart_from_damage() {
    run(fulcio().args(["audit", "verify"])).code(2);
    run(fulcio().args(["audit", "verify", "--head", "7", "x"])).code(2);
    let said = run(fulcio().args(["audit", "verify", "/nowhere/audit.jsonl"])).bad(1);
    assert!(said.contains("/nowhere"), "{said}");
}

/// What is to be found, in a log of this kind.
fn entries_that_no_line_knows_are_found(kind: Kind<'_>) {
    let scene = Scene::start(kind);
    for name in ["ada", "bob", "eve"] {
        scene.issue(&format!("{name}@example.com"));
    }
    // Logged, and then the key does not sign the certificate.
    scene.fail_after_logging("kim@example.com");
    scene.abandon_after_logging("lee@example.com");
    let json = scene.wait_for(5);
    assert_eq!(
        (json["agree"].clone(), json["judged"].clone()),
        (true.into(), 5.into())
    );
    assert_eq!(
        (json["promises"].clone(), json["others"].clone()),
        (3.into(), 0.into())
    );
    let text = run(&mut scene.compare()).good();
    assert!(text.contains("have the same certificates"), "{text}");

    scene.issue_round_the_server("mallory@example.com");
    let json = scene.wait_for(6);
    assert_eq!(json["agree"], false);
    let [entry] = &json["unrecorded"].as_array().unwrap()[..] else {
        panic!("{json}");
    };
    assert_eq!(entry["index"], 5);
    assert_eq!(
        entry["certificate"]["identities"][0]["value"],
        "mallory@example.com"
    );
    let said = run(&mut scene.compare()).bad(3);
    assert_eq!(said, "1 entries of the log are not in the audit log");

    // Whoever takes a line away makes the entry strange, and is found himself.
    let file = scene.audit_file();
    let whole = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = whole.split_inclusive('\n').collect();
    lines.remove(3);
    fs::write(&file, lines.concat()).unwrap();
    let done = run(scene.compare().arg("--json"));
    assert_eq!(done.code, 3);
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(json["unrecorded"].as_array().unwrap().len(), 2);
    assert_eq!(json["damage"][0]["kind"], "missing");
    fs::write(&file, whole).unwrap();

    // Before the audit log began, nothing is judged; nor of another authority.
    let later = ["--since", "2999-01-01T00:00:00Z"];
    let json = run(scene.compare().args(later).arg("--json")).json();
    assert_eq!((&json["earlier"], &json["judged"]), (&6.into(), &0.into()));
}

#[test]
fn entries_of_the_embedded_log_that_no_line_knows_are_found() {
    entries_that_no_line_knows_are_found(Kind::Embedded);
}

#[test]
fn entries_of_an_rfc_6962_log_that_no_line_knows_are_found() {
    let Some(program) = component("FULCIO_CTLOG") else {
        return;
    };
    entries_that_no_line_knows_are_found(Kind::Rfc6962(&program));
}

#[test]
fn an_audit_log_without_a_certificate_needs_the_issuer_to_find_any() {
    let scene = Scene::start(Kind::Embedded);
    scene.issue_round_the_server("mallory@example.com");
    let said = run(&mut scene.compare()).bad(1);
    assert!(said.contains("give its certificate by --issuer"), "{said}");
    let issuer = scene.path("chain.pem");
    let compare = || {
        let mut compare = scene.compare();
        compare.arg("--issuer").arg(&issuer);
        compare
    };
    let mut in_json = compare();
    in_json.arg("--json");
    scene.wait(in_json, |json| json["entries"] == 1);
    let said = run(&mut compare()).bad(3);
    assert_eq!(said, "1 entries of the log are not in the audit log");
}

#[test]
fn a_promise_that_the_log_has_not_kept_is_found() {
    let scene = Scene::start(Kind::Embedded);
    scene.issue("ada@example.com");
    scene.wait_for(1);
    let fork = scene.fork();
    scene.issue("bob@example.com");
    // The other log grows by something else, so that its tree is newer than the promise.
    fork.issue_round_the_server("eve@example.com");
    let mut compare = fork.compare_with(&scene.audit_file());
    compare.args(["--merge-delay", "0s", "--json"]);
    let json = fork.wait(compare, |json| json["unlogged"] != serde_json::json!([]));
    let [promise] = &json["unlogged"].as_array().unwrap()[..] else {
        panic!("{json}");
    };
    assert_eq!(
        (&promise["node"], &promise["seq"]),
        (&"node-1".into(), &3.into())
    );
    // With time left it is no fault yet.
    let mut compare = fork.compare_with(&scene.audit_file());
    compare.args(["--merge-delay", "24h", "--json"]);
    let done = run(&mut compare);
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&json["unlogged"], &json["pending"]),
        (&serde_json::json!([]), &1.into())
    );
}

#[test]
fn a_log_that_cannot_be_read_is_no_disagreement() {
    let scene = Scene::start(Kind::Embedded);
    scene.issue("ada@example.com");
    let mut compare = fulcio();
    compare.args(["audit", "compare", "--log", "http://127.0.0.1:1/ct-log"]);
    compare.arg("--key").arg(scene.path("log.pub.pem"));
    let said = run(compare.arg(scene.audit_file())).bad(1);
    assert!(said.contains("cannot read the log"), "{said}");
    assert!(Path::new(&scene.audit_file()).exists());
}
