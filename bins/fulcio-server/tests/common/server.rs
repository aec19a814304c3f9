use std::{net::SocketAddr, process::Command};

pub(crate) use fulcio_test_services::free_port;

use super::{
    get,
    process::{Finished, Process, program, wait_until},
};

/// An address where nobody ever listens: the port of tcpmux (RFC 1078).
pub(crate) const NOBODY: &str = "127.0.0.1:1";

/// `serve` with these arguments, on ports that the system gives it.
pub(crate) fn serving(arguments: &[&str], grpc_host: &str) -> Command {
    let mut all = vec!["serve", "--host=127.0.0.1", "--port=0", "--grpc-port=0"];
    let grpc_host = format!("--grpc-host={grpc_host}");
    all.extend([&grpc_host, "--metrics-port=0"]);
    all.extend(arguments);
    program(&all)
}

/// A running server. It is killed, and waited for, when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    http: SocketAddr,
    grpc: SocketAddr,
    metrics: Option<SocketAddr>,
}

impl Server {
    /// `serve` with these arguments, HTTP and gRPC each on a port of its own.
    #[track_caller]
    pub(crate) fn start(arguments: &[&str]) -> Self {
        // With the same address for both, port 0 would mean one port.
        Self::serve(arguments, "127.0.0.2", 3)
    }

    /// Like [`start`](Self::start), where the program may find a reason to end instead.
    #[track_caller]
    pub(crate) fn try_start(arguments: &[&str]) -> Result<Self, Finished> {
        Self::try_serve(arguments, "127.0.0.2", 3)
    }

    /// `serve` with these arguments, HTTP and gRPC on one port.
    #[track_caller]
    pub(crate) fn start_on_one_port(arguments: &[&str]) -> Self {
        Self::serve(arguments, "127.0.0.1", 2)
    }

    #[track_caller]
    fn serve(arguments: &[&str], grpc_host: &str, ports: usize) -> Self {
        Self::try_serve(arguments, grpc_host, ports).unwrap_or_else(|ended| {
            panic!("the server ended with {}: {}", ended.status, ended.stderr)
        })
    }

    #[track_caller]
    fn try_serve(arguments: &[&str], grpc_host: &str, ports: usize) -> Result<Self, Finished> {
        Self::try_spawn(serving(arguments, grpc_host), ports)
    }

    /// A program that is, or becomes, `serve`, and listens on so many ports: 3 with HTTP and gRPC
    /// apart, 2 with both on one.
    #[track_caller]
    pub(crate) fn spawn(command: Command, ports: usize) -> Self {
        Self::try_spawn(command, ports).unwrap_or_else(|ended| {
            panic!(
                "the server ended with {}: {}{}",
                ended.status, ended.stdout, ended.stderr
            )
        })
    }

    #[track_caller]
    fn try_spawn(command: Command, ports: usize) -> Result<Self, Finished> {
        let mut process = Process::start(command);
        let addresses = wait_until("the server to listen", || {
            if process.has_ended() {
                return Some(None);
            }
            let addresses = process.addresses();
            (addresses.len() == ports).then_some(Some(addresses))
        });
        let Some(addresses) = addresses else {
            return Err(process.finish());
        };
        let metrics = SocketAddr::from(([127, 0, 0, 1], addresses[ports - 1].port()));
        let (http, grpc) = (addresses[0], addresses[ports - 2]);
        Ok(Self::answering(process, http, grpc, Some(metrics)))
    }

    /// `quickstart` with these arguments (without `--once`), on a free port unless they name one;
    /// it has its first certificate when this returns.
    #[track_caller]
    pub(crate) fn quickstart(arguments: &[&str]) -> Self {
        let mut all = vec!["quickstart"];
        if !arguments
            .iter()
            .any(|argument| argument.starts_with("--port"))
        {
            all.push("--port=0");
        }
        all.extend(arguments);
        let mut process = Process::start(program(&all));
        let address = wait_until("the first certificate", || {
            process.assert_running();
            let stdout = process.stdout.text();
            let (_, rest) = stdout.split_once("Serving HTTP and gRPC on http://")?;
            let (address, _) = rest.split_once(' ')?;
            Some(address.parse().unwrap())
        });
        Self::answering(process, address, address, None)
    }

    #[track_caller]
    fn answering(
        process: Process,
        http: SocketAddr,
        grpc: SocketAddr,
        metrics: Option<SocketAddr>,
    ) -> Self {
        let server = Self {
            process,
            http,
            grpc,
            metrics,
        };
        let health = get(&server.url("/healthz"));
        assert_eq!(health.status, 200, "{}", health.text());
        wait_until("the first test signature", || {
            let ready = get(&server.url("/readyz")).text();
            (!ready.contains("has not made a test signature yet")).then_some(())
        });
        server
    }

    /// Where HTTP is served.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where gRPC is served.
    pub(crate) fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// The URL of a path, over HTTP.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// The text of the metrics page.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        let address = self.metrics.expect("only `serve` has a metrics port");
        get(&format!("http://{address}/metrics")).text()
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.process.stdout.text()
    }

    /// What it has written to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.process.stderr.text()
    }

    /// What it has written so far.
    pub(crate) fn output(&self) -> String {
        self.process.printed()
    }

    /// Waits until it has written this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        wait_until(text, || self.output().contains(text).then_some(()));
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn finish(self) -> Finished {
        self.process.finish()
    }

    /// Sends SIGTERM, and waits for the end.
    #[track_caller]
    pub(crate) fn terminate(self) -> Finished {
        self.signal("TERM");
        self.process.finish()
    }

    /// Sends SIGKILL, and waits for the end.
    pub(crate) fn kill(mut self) -> Finished {
        self.process.child.kill().unwrap();
        self.process.finish()
    }

    /// Sends a signal, such as `INT`, and does not wait.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }
}
