use std::{path::Path, process::Command};

use super::{CaFiles, Daemon, free_port};

/// The RFC 6962 log of certificate-transparency-go, killed and waited for when it is dropped.
#[derive(Debug)]
pub(crate) struct CtLog {
    port: u16,
    _daemon: Daemon,
}

impl CtLog {
    /// A new log with the key `ct.key` of `ca`, for certificates below the roots in its file `roots`.
    #[track_caller]
    pub(crate) fn start(program: &Path, ca: &CaFiles, roots: &str) -> Self {
        Self::start_on(free_port(), program, ca, roots)
    }

    /// The same on this port.
    #[track_caller]
    pub(crate) fn start_on(port: u16, program: &Path, ca: &CaFiles, roots: &str) -> Self {
        let mut command = Command::new(program);
        command.args(["-addr", &format!("127.0.0.1:{port}")]).args([
            "-key",
            &ca.path("ct.key"),
            "-roots",
            &ca.path(roots),
        ]);
        Self {
            port,
            _daemon: Daemon::start(&mut command, port),
        }
    }

    /// Where certificates are submitted.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/test", self.port)
    }
}
