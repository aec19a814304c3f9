//! Certificates and keys, all made by OpenSSL.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use fulcio_server_core::TlsFiles;
use tempfile::TempDir;

/// A private authority in a folder of its own.
pub(crate) struct Authority {
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        openssl(
            dir.path(),
            &format!("req -x509 {NEW_KEY} -subj /CN=authority -keyout ca.key -out ca.crt -days 2"),
        );
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn files(&self, name: &str) -> TlsFiles {
        TlsFiles {
            certificate: self.path(&format!("{name}.crt")),
            key: self.path(&format!("{name}.key")),
        }
    }

    /// A certificate for localhost whose common name is `name`, with its chain, and its key.
    pub(crate) fn issue(&self, name: &str) -> TlsFiles {
        self.issue_with(name, NEW_KEY)
    }

    /// The same with arguments that make another key, or other dates.
    pub(crate) fn issue_with(&self, name: &str, arguments: &str) -> TlsFiles {
        let files = self.files(name);
        openssl(
            self.dir.path(),
            &format!(
                "req -x509 -CA ca.crt -CAkey ca.key {arguments} -subj /CN={name} -days 1 -keyout {name}.key -out {name}.crt \
                 -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
            ),
        );
        let chain = [&files.certificate, &self.path("ca.crt")].map(|path| fs::read(path).unwrap());
        fs::write(&files.certificate, chain.concat()).unwrap();
        files
    }

    /// Runs OpenSSL in the folder.
    pub(crate) fn openssl(&self, arguments: &str) {
        openssl(self.dir.path(), arguments);
    }
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
}
