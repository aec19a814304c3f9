use std::{
    fs::{self, File},
    process::{Command, ExitStatus, Stdio},
};

use tempfile::TempDir;

use super::super::common::{IdpServer, Secrets, path, wait_until};

/// `serve` with an ephemeral authority, no log and free ports, unless more is said.
#[derive(Debug)]
pub(super) struct Program {
    folder: TempDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

/// What it wrote, and how it ended if it did.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) status: Option<ExitStatus>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Program {
    /// Nothing but an issuer configuration is given.
    pub(super) fn bare() -> Self {
        let folder = TempDir::new().unwrap();
        let config = IdpServer::start().write_config(folder.path());
        Self {
            arguments: vec!["serve".to_owned(), format!("--config-path={config}")],
            variables: Vec::new(),
            folder,
        }
    }

    pub(super) fn new() -> Self {
        Self::bare().with(&[
            "--ca=ephemeralca",
            "--ct-log-url=",
            "--host=127.0.0.1",
            "--grpc-host=127.0.0.2",
            "--grpc-port=0",
            "--metrics-port=0",
        ])
    }

    pub(super) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes `text` into a settings file that is called `name`.
    pub(super) fn settings(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        let file = self.path(name);
        self.with(&["-c", &file])
    }

    pub(super) fn path(&self, name: &str) -> String {
        path(&self.folder.path().join(name))
    }

    /// Runs it until it ends or listens on all of its ports.
    #[track_caller]
    pub(super) fn run(&self) -> Output {
        let file = |name| File::create(self.folder.path().join(name)).unwrap();
        // `env` can set variables whose names no shell takes.
        let mut command = Command::new("/usr/bin/env");
        command
            .arg("-i")
            .args(
                self.variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            )
            .arg(env!("CARGO_BIN_EXE_fulcio-server"))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        let mut secrets = Secrets::given_to(&command);
        let mut child = command.spawn().unwrap();
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap();
        let status = wait_until("the server to listen or to end", || {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(Some(status));
            }
            let listening = |text: &str| text.matches("listening").count();
            let ports = listening(&read("stdout")) + listening(&read("stderr"));
            (ports >= 3).then_some(None)
        });
        // An error means that it has ended.
        drop(child.kill());
        child.wait().unwrap();
        secrets.assert_absent_from(&(read("stdout") + &read("stderr")));
        Output {
            status,
            stdout: read("stdout"),
            stderr: read("stderr"),
        }
    }

    /// Runs it, and tells the port of HTTP.
    #[track_caller]
    pub(super) fn http_port(&self) -> u16 {
        let output = self.run();
        let logs = output.stdout.clone() + &output.stderr;
        let line = logs.lines().find(|line| line.contains("listening"));
        let address = line.and_then(|line| line.split_once("127.0.0.1:"));
        let address = address.map(|(_, rest)| rest);
        let Some(address) = address.filter(|_| output.status.is_none()) else {
            panic!("{output:?}");
        };
        let end = address.find(|c: char| !c.is_ascii_digit());
        let end = end.unwrap_or(address.len());
        address[..end].parse().unwrap()
    }

    /// Runs it, which must end with this exit code and one line that holds all `parts`.
    #[track_caller]
    pub(super) fn ends(&self, code: i32, parts: &[&str]) {
        let output = self.run();
        let status = output
            .status
            .unwrap_or_else(|| panic!("it runs: {output:?}"));
        assert_eq!(status.code(), Some(code), "{output:?}");
        let stderr = &output.stderr;
        assert!(stderr.starts_with("fulcio-server: "), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        for part in parts {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
    }
}
