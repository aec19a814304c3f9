use core::net::SocketAddr;
use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::exchange::Addresses;
use crate::common::{free_port, path, wait_until};

/// Fulcio itself, killed and waited for when it is dropped.
#[derive(Debug)]
pub(super) struct Reference {
    child: Child,
    folder: TempDir,
    pub(super) addresses: Addresses,
}

impl Reference {
    /// `serve` with these arguments, on ports of its own; what it wrote where it ended by itself.
    pub(super) fn start(program: &Path, arguments: &[String]) -> Result<Self, String> {
        loop {
            match Self::start_once(program, arguments) {
                // Another program has taken a port since it was seen to be free.
                Err(log) if log.contains("bind: address already in use") => {}
                started => return started,
            }
        }
    }

    fn start_once(program: &Path, arguments: &[String]) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let [http, grpc, metrics] = [free_port(), free_port(), free_port()];
        let log = File::create(folder.path().join("log")).unwrap();
        let socket = path(&folder.path().join("legacy"));
        let child = Command::new(program)
            .args(["serve", "--host=127.0.0.1", "--grpc-host=127.0.0.1"])
            .args([format!("--port={http}"), format!("--grpc-port={grpc}")])
            .arg(format!("--metrics-port={metrics}"))
            .arg(format!("--legacy-unix-domain-socket={socket}"))
            .arg("--log_type=prod")
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut reference = Self {
            child,
            folder,
            addresses: Addresses {
                http: address(http),
                grpc: address(grpc),
            },
        };
        let runs = wait_until("Fulcio to answer", || {
            if reference.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            reference.is_healthy().then_some(true)
        });
        if runs {
            Ok(reference)
        } else {
            Err(reference.log())
        }
    }

    fn is_healthy(&self) -> bool {
        std::net::TcpStream::connect(self.addresses.http).is_ok()
            && super::Request::get("/healthz").send(self.addresses).status == 200
    }

    /// What it has written so far.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // An error means that it has ended and was waited for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
