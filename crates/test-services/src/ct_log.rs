use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::free_port;

/// The RFC 6962 log of certificate-transparency-go, killed and waited for when it is dropped.
#[derive(Debug)]
pub struct CtLog {
    process: Child,
    url: String,
}

impl CtLog {
    /// Starts `program`, with the key in the PEM file `key`, for certificates below those in `roots`,
    /// and waits until it listens.
    #[must_use]
    pub fn start(program: &Path, key: &Path, roots: &Path) -> Self {
        let port = free_port();
        let process = Command::new(program)
            .arg(format!("-addr=127.0.0.1:{port}"))
            .arg("-key")
            .arg(key)
            .arg("-roots")
            .arg(roots)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = Self {
            process,
            url: format!("http://127.0.0.1:{port}/test"),
        };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = log.process.try_wait().unwrap();
            assert!(ended.is_none(), "the log has ended: {ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(60), "no log");
            thread::sleep(Duration::from_millis(20));
        }
        log
    }

    /// Where certificates are submitted, and entries read.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for CtLog {
    fn drop(&mut self) {
        // An error means that it has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
