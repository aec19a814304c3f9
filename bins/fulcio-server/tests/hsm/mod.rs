//! SoftHSM with a folder of tokens for each test, and programs that use it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A folder as in the walk-through: `config/crypto11.conf`, `config/softhsm2.conf`, `tokens`.
#[derive(Debug)]
pub(crate) struct Hsm {
    folder: TempDir,
    module: PathBuf,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Hsm {
    /// A folder without a token; nothing where SoftHSM is neither installed nor demanded.
    pub(crate) fn empty() -> Option<Self> {
        Some(Self {
            module: installed()?,
            folder: TempDir::new().unwrap(),
        })
    }

    /// A token, and its configuration.
    pub(crate) fn with_token() -> Option<Self> {
        let hsm = Self::empty()?;
        for folder in ["config", "tokens"] {
            fs::create_dir(hsm.path(folder)).unwrap();
        }
        let tokens = hsm.path("tokens");
        let text = format!("directories.tokendir = {}\n", tokens.display());
        hsm.write("config/softhsm2.conf", &text);
        hsm.configure("fulcio", "2324");
        let made = [
            "--init-token",
            "--free",
            "--so-pin",
            "1234",
            "--pin",
            "2324",
        ];
        hsm.succeed(
            hsm.command("softhsm2-util")
                .args(made)
                .args(["--label", "fulcio"]),
        );
        Some(hsm)
    }

    /// The same with a key pair.
    pub(crate) fn with_key(kind: &str, label: &str) -> Option<Self> {
        let hsm = Self::with_token()?;
        hsm.key_pair(kind, "01", label);
        Some(hsm)
    }

    /// Says in `config/crypto11.conf` which token is meant.
    pub(crate) fn configure(&self, token: &str, pin: &str) {
        let module = self.module.display();
        let json = format!(r#"{{"Path": "{module}", "TokenLabel": "{token}", "Pin": "{pin}"}}"#);
        self.write("config/crypto11.conf", &json);
    }

    pub(crate) fn key_pair(&self, kind: &str, id: &str, label: &str) {
        let pair = [
            "--keypairgen",
            "--key-type",
            kind,
            "--id",
            id,
            "--label",
            label,
        ];
        self.pkcs11_tool(&pair);
    }

    /// Runs pkcs11-tool, logged in.
    #[track_caller]
    pub(crate) fn pkcs11_tool(&self, arguments: &[&str]) -> String {
        let mut command = self.command("pkcs11-tool");
        command
            .args(["--login", "--pin", "2324", "--module"])
            .arg(&self.module);
        self.succeed(command.args(arguments))
    }

    /// Where SoftHSM is.
    pub(crate) fn module(&self) -> &Path {
        &self.module
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs OpenSSL in the folder; the arguments are separated by spaces.
    #[track_caller]
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        self.succeed(self.command("openssl").args(arguments.split_whitespace()))
    }

    /// Runs the program in the folder until it ends by itself.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.finish(self.command(PROGRAM).args(arguments))
    }

    /// The same, where it must succeed.
    #[track_caller]
    pub(crate) fn createca(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(&[&["createca"], arguments].concat());
        assert!(ended.status.success(), "{ended:?}");
        ended
    }

    /// A program in the folder, that finds the tokens.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        // No setting of whoever runs the tests reaches it.
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", path_variable())
            .env("SOFTHSM2_CONF", self.path("config/softhsm2.conf"))
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn finish(&self, command: &mut Command) -> Ended {
        let done = command
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Ended {
            status: done.status,
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn succeed(&self, command: &mut Command) -> String {
        let ended = self.finish(command);
        assert!(ended.status.success(), "{command:?}: {ended:?}");
        ended.stdout
    }

    /// Starts `command`, which becomes a server, and waits until it listens.
    #[track_caller]
    pub(crate) fn serve(&self, mut command: Command) -> Running {
        let output = self.path("output");
        let file = File::create(&output).unwrap();
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut running = Running {
            child,
            output,
            http: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let begun = Instant::now();
        loop {
            let text = running.output();
            if let Some(address) = listening(&text) {
                running.http = address;
                return running;
            }
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended with {ended:?}: {text}");
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not listen: {text}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `serve` with these arguments, on ports of its own and without a log.
    pub(crate) fn serving(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        let ports = [
            "--port=0",
            "--grpc-port=0",
            "--metrics-port=0",
            "--ct-log-url=",
        ];
        let hosts = ["--host=127.0.0.1", "--grpc-host=127.0.0.1"];
        command.arg("serve").args(hosts).args(ports).args(arguments);
        command
    }
}

/// A server, stopped when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    output: PathBuf,
    http: SocketAddr,
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// What it has logged so far.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// Tells it to end, and waits until it has.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(told.unwrap().success());
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The first address that is listened on, which is that of HTTP.
fn listening(output: &str) -> Option<SocketAddr> {
    output
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n') && line.contains("listening"))
        .find_map(|line| {
            let (_, rest) = line.split_once("address")?;
            let address = rest.trim_start_matches(['=', '"', ':']);
            let end = address.find(['"', ' ', '\n']).unwrap_or(address.len());
            address[..end].parse().ok()
        })
}

/// Where SoftHSM is; nothing where it is not installed, and components are not demanded.
fn installed() -> Option<PathBuf> {
    const PLACES: [&str; 4] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    let found = PLACES
        .into_iter()
        .map(PathBuf::from)
        .find(|place| place.exists());
    if found.is_none() {
        let demanded = variable("FULCIO_TEST_COMPONENTS").is_some();
        assert!(
            !demanded,
            "SoftHSM is not installed (Debian: softhsm2, opensc)"
        );
        eprintln!("skipped: SoftHSM is not installed");
    }
    found
}

/// Where programs are, ours among them.
pub(crate) fn path_variable() -> OsString {
    let ours = Path::new(PROGRAM).parent().unwrap().to_owned();
    let others = variable("PATH").unwrap();
    env::join_paths([ours].into_iter().chain(env::split_paths(&others))).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where components are"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_fulcio-server");
const PATIENCE: Duration = Duration::from_secs(30);
