//! `fulcio verify` with an RFC 6962 log that is not ours (certificate-transparency-go).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod program;
mod verify_scene;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use authority::Authority;
use fulcio_ct_client::{HttpLog, HttpLogConfig, LogKey};
use fulcio_issuance::{Clock as _, SystemClock};
use fulcio_test_services::{CtLog, component};
use program::run;
use verify_scene::{issued, judged, openssl, path, verify};

fn origin(log: &CtLog) -> &str {
    log.url().strip_prefix("http://").unwrap()
}

struct Scene {
    authority: Authority,
    log: CtLog,
    key: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        openssl(
            folder.path(),
            &[
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                "ct.key",
            ],
        );
        openssl(
            folder.path(),
            &["pkey", "-in", "ct.key", "-pubout", "-out", "ct.pub.pem"],
        );
        let key = folder.path().join("ct.pub.pem");
        let mut log = None;
        let authority = Authority::start_with(|made| {
            let started = CtLog::start(
                program,
                &folder.path().join("ct.key"),
                &made.join("chain.pem"),
            );
            let key = LogKey::from_pem(&fs::read(&key).unwrap()).unwrap();
            let config = HttpLogConfig::new(started.url(), Some(key), || SystemClock.now());
            log = Some(started);
            Some(Arc::new(HttpLog::new(&config).unwrap()).into())
        });
        Self {
            authority,
            log: log.unwrap(),
            key,
            _folder: folder,
        }
    }

    fn verify(&self) -> Command {
        verify(&self.authority, &self.key)
    }
}

#[test]
fn an_rfc_6962_log_proves_what_it_holds_and_the_proof_may_be_kept() {
    let Some(program) = component("FULCIO_CTLOG") else {
        return;
    };
    let scene = Scene::start(&program);
    let proven = |since: Option<&Path>| {
        let folder = issued(&scene.authority);
        let proof = path(&folder, "certificate.tlog-proof");
        let mut command = scene.verify();
        command.arg(path(&folder, "certificate.pem")).arg("--json");
        command.args(["--log-url", scene.log.url(), "--save-proof"]);
        command.arg(&proof);
        if let Some(since) = since {
            command.arg("--since").arg(since);
        }
        let report = run(&mut command).json();
        (folder, proof, report)
    };
    let (first_folder, first, report) = proven(None);
    assert_eq!(report["inclusion"]["leafIndex"], 0);
    let mut since = first;
    let mut folders = vec![first_folder];
    for index in 1..8 {
        let (folder, proof, report) = proven(Some(&since));
        let inclusion = &report["inclusion"];
        assert_eq!(inclusion["leafIndex"], index);
        assert_eq!(inclusion["since"]["treeSize"], index);
        let mut offline = scene.verify();
        offline
            .arg("--proof")
            .arg(&proof)
            .arg("--since")
            .arg(&since);
        assert_eq!(run(offline.arg("--json")).json(), report);
        if let Some(judge) = component("FULCIO_CT_READER") {
            let both = path(&folder, "both.pem");
            let said = judged(&judge, &proof, &both, &scene.key, origin(&scene.log)).unwrap();
            assert_eq!(
                said,
                format!(
                    "good: entry {index} of {}, grown since {index}\n",
                    index + 1
                )
            );
        }
        since = proof;
        folders.push(folder);
    }

    // Another log, which has the other certificates only.
    let other = Scene::start(&program);
    let certificate = path(&folders[0], "certificate.pem");
    let mut command = scene.verify();
    command
        .arg(&certificate)
        .args(["--log-url", other.log.url()]);
    let line = run(&mut command).bad(3);
    assert!(
        line.contains("the checkpoint's signature does not verify"),
        "{line}"
    );
    // The log is gone, and what was kept is as good as before.
    let Scene {
        authority,
        log,
        key,
        _folder,
    } = scene;
    drop(log);
    run(verify(&authority, &key).arg("--proof").arg(&since)).good();
}

#[test]
fn a_log_that_has_not_got_the_certificate_is_waited_for_and_then_told_of() {
    let Some(program) = component("FULCIO_CTLOG") else {
        return;
    };
    let scene = Scene::start(&program);
    let folder = issued(&scene.authority);
    // The same key, and an empty tree: what the log was before it took the certificate.
    let empty = CtLog::start(
        &program,
        &scene._folder.path().join("ct.key"),
        &scene.authority.chain(),
    );
    let mut command = scene.verify();
    command.arg(path(&folder, "certificate.pem"));
    let line = run(command.args(["--log-url", empty.url()])).bad(1);
    assert!(
        line.contains("only the first 0 entries are published: wait a second and try again"),
        "{line}"
    );
}
