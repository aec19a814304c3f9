//! `docs/transparency.md` as an operator follows it: every command of the page, with the real server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod program;
mod verify_scene;

use std::{
    fs::{self, File},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use authority::Authority;
use fulcio_client::Client;
use fulcio_test_services::{component, free_port, openssl, skipped, succeed, variable};
use program::{fulcio, run};
use serde_json::Value;
use tempfile::TempDir;

const PAGE: &str = include_str!("../../../docs/transparency.md");

/// The fenced blocks that are marked as `kind`, in their order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let opening = format!("\n```{kind}\n");
    PAGE.split(&opening)
        .skip(1)
        .map(|rest| rest.split_once("```\n").unwrap().0)
        .collect()
}

#[track_caller]
fn wait_until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A program that runs until it is dropped, and what it has printed.
struct Running {
    child: Child,
    output: PathBuf,
}

impl Running {
    #[track_caller]
    fn start(mut command: Command, output: PathBuf, port: u16) -> Self {
        let file = File::create(&output).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let mut running = Self {
            child: command.spawn().unwrap(),
            output,
        };
        wait_until("program that listens", || {
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", running.printed());
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        running
    }

    fn printed(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// Tells it to stop, and waits for its good end.
    #[track_caller]
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        succeed(Command::new("kill").arg(&id));
        let status = wait_until("end", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}: {}", self.printed());
        self.printed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The operator's folder, and where things are that the page only gives a name.
struct Operator {
    folder: TempDir,
    identities: Authority,
    server_port: u16,
    log_port: u16,
}

impl Operator {
    fn new() -> Self {
        let operator = Self {
            folder: tempfile::tempdir().unwrap(),
            identities: Authority::start(),
            server_port: free_port(),
            log_port: free_port(),
        };
        let folder = operator.path("");
        openssl(
            &folder,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 \
             -subj /O=Example/CN=Example -addext keyUsage=critical,keyCertSign,cRLSign \
             -keyout key.pem -out chain.pem",
        );
        fs::copy(folder.join("chain.pem"), folder.join("ca.pem")).unwrap();
        let issuer = operator.identities.url("/dev-idp");
        operator.write(
            "config.yaml",
            &format!(
                "oidc-issuers:\n  {issuer}:\n    issuer-url: {issuer}\n    client-id: sigstore\n    type: email\n"
            ),
        );
        operator.write("password", "of no use\n");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(operator.path("password"), mode).unwrap();
        let [server, logs] = blocks("toml")[..] else {
            panic!("the page has other files");
        };
        operator.write("server.toml", server);
        operator.write("logs.toml", &operator.typed(logs));
        operator
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The text of the page, with the places that are meant here.
    fn typed(&self, text: &str) -> String {
        let server = format!("127.0.0.1:{}", self.server_port);
        text.replace("https://fulcio.example.com", &format!("http://{server}"))
            .replace("fulcio.example.com", &server)
            .replace("https://log.example.com/2026", &self.log_url())
    }

    fn log_url(&self) -> String {
        format!("http://127.0.0.1:{}/test", self.log_port)
    }

    /// The shell that types commands of the page, and finds the programs of this build.
    fn bash(&self, commands: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_fulcio")).parent().unwrap();
        let mut paths = vec![programs.to_owned()];
        paths.extend(std::env::split_paths(&variable("PATH").unwrap_or_default()));
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &self.typed(commands)])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::join_paths(paths).unwrap())
            .stdin(Stdio::null());
        bash
    }

    /// Types commands, which must succeed; gives what they print.
    #[track_caller]
    fn does(&self, commands: &str) -> String {
        let mut bash = self.bash(commands);
        if let Some((_, name)) = commands.split_once("--out ") {
            let identity = format!("/dev-idp/token?email={}@example.com", name.trim());
            let client = Client::new(&self.identities.url(""), &[], Duration::from_secs(10));
            bash.env("TOKEN", client.text(&identity).unwrap());
        }
        succeed(&mut bash)
    }

    /// Starts what the page starts.
    #[track_caller]
    fn serves(&self, command: &str) -> Running {
        let mut bash = self.bash(&format!("exec {command}"));
        bash.env("FULCIO_SERVE_HOST", "127.0.0.1")
            .env("FULCIO_SERVE_GRPC_HOST", "127.0.0.1")
            .env("FULCIO_SERVE_PORT", self.server_port.to_string())
            .env("FULCIO_SERVE_GRPC_PORT", "0")
            .env("FULCIO_SERVE_METRICS_PORT", "0");
        Running::start(bash, self.path("output"), self.server_port)
    }

    fn checkpoint(&self) -> String {
        fs::read_to_string(self.path("log/public/checkpoint")).unwrap()
    }

    /// Waits until the embedded log has published so many entries.
    #[track_caller]
    fn published(&self, entries: usize) {
        let wanted = format!("\n{entries}\n");
        wait_until("checkpoint", || {
            self.checkpoint().contains(&wanted).then_some(())
        });
    }

    /// Nothing at all is wrong with the log's folder.
    #[track_caller]
    fn finds_nothing(&self) {
        let mut check = fulcio();
        check.args(["log", "check", "--json"]);
        let report = run(check.arg(self.path("log"))).json();
        assert_eq!(report["findings"], Value::Array(Vec::new()), "{report}");
    }
}

/// The server beside this build's `fulcio`.
fn server_is_built() -> bool {
    let built = Path::new(env!("CARGO_BIN_EXE_fulcio"))
        .with_file_name("fulcio-server")
        .exists();
    if !built {
        skipped("fulcio-server is not built");
    }
    built
}

#[test]
fn every_command_of_the_page_does_what_it_says() {
    if !server_is_built() {
        return;
    }
    let operator = Operator::new();
    let [serve] = blocks("sh serve")[..] else {
        panic!("the page starts other servers");
    };
    let mut server = operator.serves(serve);
    let all = blocks("sh");
    assert_eq!(all.len(), 11, "a block of commands came or went");
    let (second_key, before) = all.split_last().unwrap();
    let mut issued = 0;
    for commands in before {
        let said = operator.does(commands);
        if commands.starts_with("fulcio request") {
            issued += 1;
            operator.published(issued);
        } else if commands.contains("fulcio log check") {
            assert!(said.contains("The log is consistent"), "{said}");
        } else if commands.contains("checkpoint") {
            assert_eq!(said, operator.checkpoint());
            assert_eq!(said.matches("\n\u{2014} ").count(), 1, "{said}");
        } else if commands.contains("readyz") {
            let parts: Value = serde_json::from_str(&said).unwrap();
            assert!(parts.to_string().contains("ct-log"), "{parts}");
        } else {
            assert!(commands.starts_with("fulcio verify"), "{commands}");
            assert!(
                said.contains("shows that the log holds it") || said.contains("The log proved")
            );
        }
    }
    assert_eq!(issued, 2);
    server.stop();
    operator.finds_nothing();

    operator.does(second_key);
    assert!(!operator.path("log/note-key.pub").exists());
    server = operator.serves(serve);
    let checkpoint = operator.checkpoint();
    assert_eq!(checkpoint.matches("\n\u{2014} ").count(), 2, "{checkpoint}");
    assert!(!server.stop().contains("may be read or changed"));
    operator.finds_nothing();
    let note_key = fs::read_to_string(operator.path("log/note-key.pub")).unwrap();
    let origin = operator.typed("fulcio.example.com/ct-log");
    assert!(note_key.starts_with(&format!("{origin}+")), "{note_key}");
    if let Some(judge) = component("FULCIO_CT_READER") {
        operator.write("promises", "");
        let judged = |key: &str| {
            let mut command = Command::new(&judge);
            command.current_dir(&operator.folder);
            command.args(["-log", "log/public", "-key", "log/public-key.pem"]);
            command.args(["-origin", &origin, "-promises", "promises"]);
            command.args(["-note-key", key]).output().unwrap()
        };
        let good = judged(note_key.trim());
        assert!(good.status.success(), "{good:?}");
        let other = note_key.trim().replace('+', "+0");
        assert!(!judged(&other).status.success());
    }

    // Without the key there is one signature again.
    fs::remove_file(operator.path("log/note-key.pem")).unwrap();
    operator.serves(serve).stop();
    assert_eq!(operator.checkpoint().matches("\n\u{2014} ").count(), 1);
    assert!(!operator.path("log/note-key.pub").exists());
}

#[test]
fn the_commands_with_a_log_of_others_do_what_the_page_says() {
    let Some(program) = component("FULCIO_CTLOG") else {
        return;
    };
    if !server_is_built() {
        return;
    }
    let operator = Operator::new();
    let folder = operator.path("");
    openssl(
        &folder,
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out a.key",
    );
    openssl(&folder, "pkey -in a.key -pubout -out a.pub");
    let mut log = Command::new(program);
    log.current_dir(&folder)
        .args(["-addr", &format!("127.0.0.1:{}", operator.log_port)])
        .args(["-key", "a.key", "-roots", "chain.pem"]);
    let _log = Running::start(log, operator.path("log-output"), operator.log_port);
    // The embedded log of the file is the one that the page has made before.
    operator.serves(blocks("sh serve")[0]).stop();

    let [serve] = blocks("sh serve external")[..] else {
        panic!("the page starts other servers");
    };
    let server = operator.serves(serve);
    let [request, verify] = blocks("sh external")[..] else {
        panic!("the page has other commands with another log");
    };
    operator.does(request);
    let said = operator.does(verify);
    assert!(said.contains("The log proved that it holds it"), "{said}");
    assert!(said.contains("shows that the log holds it"), "{said}");
    // The rule is that both promise.
    operator.published(1);
    assert!(server.stop().contains("further_timestamps"));
    operator.finds_nothing();
}
