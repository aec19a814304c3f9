//! The program, what it answers, and certificates to verify.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use fulcio_test_services::succeed;
use tempfile::TempDir;

use crate::{
    authority::Authority,
    program::{fulcio, run},
};

pub(crate) const ADA: &str = "ada@example.com";

/// A folder with a certificate of Ada, `chain.pem` with its authorities, and `both.pem` with all of them.
pub(crate) fn issued(authority: &Authority) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut request = fulcio();
    request.args(["request", "--url", &authority.url("")]);
    request.args(["--dev-identity", ADA, "--out"]);
    run(request.arg(folder.path())).good();
    let file = |name| fs::read_to_string(folder.path().join(name)).unwrap();
    let both = file("certificate.pem") + &file("chain.pem");
    fs::write(folder.path().join("both.pem"), both).unwrap();
    folder
}

/// `fulcio verify` with what to trust, for a log with this key.
pub(crate) fn verify(authority: &Authority, log_key: &Path) -> Command {
    let mut command = fulcio();
    command.arg("verify");
    command.arg("--trust-bundle").arg(authority.chain());
    command.arg("--ct-log-key").arg(log_key);
    command
}

/// The line that the independent reader has for a saved proof, or how it failed.
pub(crate) fn judged(
    judge: &Path,
    proof: &Path,
    chain: &Path,
    log_key: &Path,
    origin: &str,
) -> Result<String, String> {
    let mut command = Command::new(judge);
    command.arg("-proof").arg(proof).arg("-chain").arg(chain);
    command.arg("-key").arg(log_key).args(["-origin", origin]);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> String {
    succeed(Command::new("openssl").current_dir(folder).args(arguments))
}

pub(crate) fn path(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
