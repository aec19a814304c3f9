use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{CaFiles, free_port, wait_until};

/// The RFC 6962 log of certificate-transparency-go, killed and waited for when it is dropped.
#[derive(Debug)]
pub(crate) struct CtLog {
    child: Child,
    port: u16,
}

impl CtLog {
    /// A new log with the key `ct.key` of `ca`, for certificates below the roots in its file `roots`.
    #[track_caller]
    pub(crate) fn start(program: &Path, ca: &CaFiles, roots: &str) -> Self {
        let port = free_port();
        let child = Command::new(program)
            .args(["-addr", &format!("127.0.0.1:{port}")])
            .args(["-key", &ca.path("ct.key"), "-roots", &ca.path(roots)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let log = Self { child, port };
        wait_until("the log", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        log
    }

    /// Where certificates are submitted.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/test", self.port)
    }
}

impl Drop for CtLog {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
