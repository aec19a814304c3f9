use std::{fs, path::Path, process::Command};

use crate::common::{Daemon, free_port, openssl, path};

/// The log of signatures that Sigstore's clients write to, version 2 of its protocol. Killed and waited
/// for when it is dropped.
#[derive(Debug)]
pub(crate) struct Rekor {
    port: u16,
    _daemon: Daemon,
}

impl Rekor {
    /// A new log in `folder`, where its public key is `rekor.pub` afterwards.
    #[track_caller]
    pub(crate) fn start(program: &Path, folder: &Path) -> Self {
        for arguments in [
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out rekor.key",
            "pkey -in rekor.key -pubout -out rekor.pub",
        ] {
            let arguments: Vec<_> = arguments.split(' ').collect();
            openssl(folder, &arguments);
        }
        let storage = folder.join("rekor");
        fs::create_dir(&storage).unwrap();
        let (port, grpc, metrics) = (free_port(), free_port(), free_port());
        let key = path(&folder.join("rekor.key"));
        let mut command = Command::new(program);
        command
            .args(["serve", "--hostname=127.0.0.1", "--checkpoint-interval=1s"])
            .arg(format!("--http-port={port}"))
            .arg(format!("--grpc-port={grpc}"))
            .arg(format!("--http-metrics-port={metrics}"))
            .arg(format!("--storage-dir={}", path(&storage)))
            .arg(format!("--signer-filepath={key}"))
            .env_clear();
        Self {
            port,
            _daemon: Daemon::start(&mut command, port),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
