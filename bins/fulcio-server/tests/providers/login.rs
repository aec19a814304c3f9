use std::{
    fs,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Who logs in.
pub(crate) const PERSON: &str = "ada@example.com";

/// The password, where one is asked for.
pub(crate) const PASSWORD: &str = "correct horse";

/// Logs [`PERSON`] in at `issuer` for the client `sigstore`, through all pages, and returns the token.
#[track_caller]
pub(crate) fn log_in(issuer: &str) -> String {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("login.mjs");
    fs::write(&program, include_str!("login.mjs")).unwrap();
    let done = Command::new("node")
        .arg(program)
        .args([issuer, "sigstore", PERSON, PASSWORD])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{told}");
    String::from_utf8(done.stdout).unwrap()
}
