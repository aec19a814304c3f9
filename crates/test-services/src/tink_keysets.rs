use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{component, succeed};

/// Keysets that Tink's own library has made, encrypted with a key of a key service.
#[derive(Debug)]
pub struct TinkKeysets(TempDir);

impl TinkKeysets {
    /// The kinds of keys that sign here; the files of each are `NAME.json` and `NAME.binary`.
    pub const SIGNING: [&str; 7] = [
        "ECDSA_P256",
        "ECDSA_P256_IEEE_P1363",
        "ECDSA_P256_RAW",
        "ECDSA_P384_SHA384",
        "ECDSA_P384_SHA512",
        "ECDSA_P521",
        "ED25519",
    ];

    /// The folder of the Python that has Tink; nothing where this is a run without components.
    #[must_use]
    #[track_caller]
    pub fn programs() -> Option<PathBuf> {
        component("FULCIO_TINK_PYTHON")
    }

    /// Makes all of them: `aws-kms://ARN` or `hcvault:///MOUNT/keys/KEY`, of the service that
    /// `variables` tell of.
    #[must_use]
    #[track_caller]
    pub fn make(
        programs: &Path,
        key_uri: &str,
        variables: &BTreeMap<&'static str, String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(programs.join("python"));
        succeed(
            command
                .arg(SCRIPT)
                .arg(folder.path())
                .arg(key_uri)
                .envs(variables),
        );
        Self(folder)
    }

    /// Where one is, such as `ED25519.json`.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// What is in one.
    #[must_use]
    #[track_caller]
    pub fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap()
    }

    /// The public half of the primary key as Tink's library sees it, in hexadecimal: an
    /// uncompressed point, or the 32 bytes of Ed25519.
    #[must_use]
    #[track_caller]
    pub fn public_half(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}.public"))).unwrap()
    }
}

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/components/tink-python/keysets.py"
);
