use std::{
    io::Read,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::Secrets;

/// How long anything that has to happen may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `found` finds something, and panics with `what` when it takes too long.
#[track_caller]
pub(crate) fn wait_until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Our program with these arguments. The environment of the tests does not reach it.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fulcio-server"));
    command.args(arguments).env_clear();
    command
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Finished {
    /// Whether its end was a good one.
    pub(crate) fn success(&self) -> bool {
        self.status.success()
    }
}

/// Runs the program with these arguments until it ends by itself.
#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> Finished {
    finish(program(arguments))
}

/// Runs a program until it ends by itself.
#[track_caller]
pub(crate) fn finish(command: Command) -> Finished {
    Process::start(command).finish()
}

/// The program, killed and waited for when it is dropped. Whatever it has printed until then must hold
/// no secret.
#[derive(Debug)]
pub(crate) struct Process {
    pub(super) child: Child,
    started: Instant,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    secrets: Secrets,
}

impl Process {
    /// A backtrace would show.
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Self {
        let secrets = Secrets::given_to(&command);
        let mut child = command
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            stdout: Output::read(child.stdout.take().unwrap()),
            stderr: Output::read(child.stderr.take().unwrap()),
            started: Instant::now(),
            child,
            secrets,
        }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far, to standard output and then to standard error.
    pub(crate) fn printed(&self) -> String {
        self.stdout.text() + &self.stderr.text()
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    #[track_caller]
    pub(crate) fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the server ended with {status}: {}", self.stderr.text());
        }
    }

    /// What it says it listens on, in the order of HTTP, gRPC, metrics.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        let logs = self.printed();
        logs.split_inclusive('\n')
            .filter(|line| line.ends_with('\n') && line.contains("listening"))
            .filter_map(|line| {
                let (_, rest) = line.split_once("address")?;
                let address = rest.trim_start_matches(['=', '"', ':']);
                let end = address.find(['"', ' ', '\n']).unwrap_or(address.len());
                address[..end].parse().ok()
            })
            .collect()
    }

    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not end: {}",
                self.printed()
            );
            thread::sleep(Duration::from_millis(5));
        };
        Finished {
            status,
            took: self.started.elapsed(),
            stdout: self.stdout.rest(),
            stderr: self.stderr.rest(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended and was waited for.
        drop(self.child.kill());
        drop(self.child.wait());
        // Whoever panics has something else to tell.
        if !thread::panicking() {
            let printed = self.stdout.rest() + &self.stderr.rest();
            self.secrets.assert_absent_from(&printed);
        }
    }
}

/// What a child writes, read all the time so that it never has to wait.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                written.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self {
            bytes,
            reader: Some(reader),
        }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Everything, once the writer is gone.
    fn rest(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// A program of somebody else that listens on a port, killed and waited for when it is dropped.
#[derive(Debug)]
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts it, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut daemon = Self(child);
        wait_until("a program to listen", || {
            let ended = daemon.0.try_wait().unwrap();
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // An error means that it has ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
