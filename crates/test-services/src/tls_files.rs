use std::fs;

use tempfile::TempDir;

use crate::openssl;

/// A key and a certificate for 127.0.0.1, which is its own root, made by OpenSSL: `key.pem` and
/// `cert.pem`.
#[derive(Debug)]
pub struct TlsFiles(TempDir);

impl TlsFiles {
    /// Makes them, in a folder that goes away with this value.
    #[must_use]
    #[track_caller]
    pub fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        openssl(
            folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
             -subj /CN=service -addext subjectAltName=IP:127.0.0.1 \
             -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem",
        );
        Self(folder)
    }

    /// Where one of them is.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// One of them.
    #[must_use]
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}
