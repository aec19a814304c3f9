use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// Runs a program to its end, which has to be a good one, and returns what it printed.
///
/// # Panics
/// It cannot be started, or fails.
#[track_caller]
pub fn succeed(command: &mut Command) -> String {
    let done = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{command:?}: {}\n{stdout}{}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    stdout
}

/// A service in a process of its own. It says on its first line, in JSON, where it is, and ends
/// when its standard input does: with the test, however that ends.
#[derive(Debug)]
pub(crate) struct Service {
    process: Child,
    said: Value,
}

impl Service {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{command:?} said {line:?}: {error}"));
        Self { process, said }
    }

    /// What it said of itself; empty where it did not.
    pub(crate) fn said(&self, name: &str) -> String {
        self.said[name].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
