//! What the tests of the monitor share: an authority with its log, who is told, and another log.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::{
    cell::Cell,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use fulcio_test_services::openssl;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    authority::Authority,
    program::{Done, run},
};

/// A variable that the monitor finds, and what is in it.
pub(crate) const SECRET: (&str, &str) = ("MONITOR_SECRET", "of a variable");

const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
pub(crate) fn wait_until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// An authority of its own, whose log begins empty, and a folder with the log's key in `log.pem`.
pub(crate) struct Scene {
    pub(crate) authority: Authority,
    folder: TempDir,
    issued: Cell<usize>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (authority, folder) = (Authority::start(), tempfile::tempdir().unwrap());
        fs::copy(authority.log_key(), folder.path().join("log.pem")).unwrap();
        Self {
            authority,
            folder,
            issued: Cell::new(0),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn log_url(&self) -> String {
        self.authority.url("/ct-log")
    }

    pub(crate) fn fulcio(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fulcio"));
        command.env_clear().env(SECRET.0, SECRET.1);
        command.current_dir(self.folder());
        command
    }

    /// Has a certificate issued, and waits until the log has published it; gives its folder.
    pub(crate) fn issue(&self, email: &str) -> PathBuf {
        let number = self.issued.replace(self.issued.get() + 1);
        let name = format!("issued-{number}");
        let mut command = self.fulcio();
        command.args(["request", "--url", &self.authority.url("")]);
        command.args(["--dev-identity", email, "--out", &name]);
        run(&mut command).good();
        self.wait_for(number + 1);
        self.folder().join(name)
    }

    /// Waits until the log has published so many certificates.
    pub(crate) fn wait_for(&self, count: usize) {
        wait_until("the certificate to be published", || {
            let mut answer = ureq::get(format!("{}/checkpoint", self.log_url()))
                .call()
                .ok()?;
            let checkpoint = answer.body_mut().read_to_string().ok()?;
            let size: usize = checkpoint.lines().nth(1)?.parse().ok()?;
            (size >= count).then_some(())
        });
    }

    /// The monitor of this log, with its state in a folder.
    pub(crate) fn monitor(&self, state: &str) -> Command {
        let mut command = self.fulcio();
        command.args(["monitor", "--log", &self.log_url(), "--state", state]);
        command
    }

    pub(crate) fn look(&self, flags: &[&str]) -> Done {
        self.look_with("state", flags)
    }

    pub(crate) fn look_with(&self, state: &str, flags: &[&str]) -> Done {
        let mut command = self.monitor(state);
        run(command.args(["--once", "--key", "log.pem"]).args(flags))
    }

    /// One look with this configuration.
    pub(crate) fn configured(&self, name: &str, configuration: &str) -> Done {
        fs::write(self.folder().join(name), configuration).unwrap();
        run(self.fulcio().args(["monitor", "--once", "--config", name]))
    }
}

/// A request that an [`Inbox`] got.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }
}

/// An HTTP server that takes what is posted and answers with one status after the other, the last
/// for ever.
pub(crate) struct Inbox {
    port: u16,
    taken: Arc<Mutex<Vec<Posted>>>,
}

impl Inbox {
    pub(crate) fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (statuses, list) = (statuses.to_vec(), Arc::clone(&taken));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let turn = list.lock().unwrap().len();
                let status = *statuses.get(turn).or(statuses.last()).unwrap();
                if let Some(posted) = answer(stream.unwrap(), status) {
                    list.lock().unwrap().push(posted);
                }
            }
        });
        Self { port, taken }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(crate) fn taken(&self) -> Vec<Posted> {
        self.taken.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, status: u16) -> Option<Posted> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(line.starts_with("POST /hook HTTP/1.1"), "{line}");
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let posted = Posted {
        headers,
        body: String::new(),
    };
    let length = posted.header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    Some(Posted {
        body: String::from_utf8(body).unwrap(),
        ..posted
    })
}

/// A mail server that others wrote; it ends with this value.
pub(crate) struct MailServer {
    pub(crate) port: u64,
    lines: mpsc::Receiver<Value>,
    child: Child,
    _stdin: ChildStdin,
}

impl MailServer {
    pub(crate) fn start(programs: &Path, arguments: &[&str]) -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/components/smtp/server.py"
        );
        let mut child = Command::new(programs.join("python"))
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Nobody listens any more when the test has ended.
                drop(sender.send(serde_json::from_str(&line).unwrap()));
            }
        });
        let stdin = child.stdin.take().unwrap();
        let started: Value = lines
            .recv_timeout(PATIENCE)
            .expect("the mail server to start");
        Self {
            port: started["port"].as_u64().unwrap(),
            lines,
            child,
            _stdin: stdin,
        }
    }

    /// The next mail that it took.
    #[track_caller]
    pub(crate) fn next(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).expect("a mail")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // An error means that it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An RFC 6962 log, with its key in `ctfe.pem` of the scene's folder.
pub(crate) struct CtLog(fulcio_test_services::CtLog);

impl CtLog {
    pub(crate) fn start(program: &Path, scene: &Scene) -> Self {
        let folder = scene.folder();
        openssl(
            folder,
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ctfe.key",
        );
        openssl(folder, "pkey -in ctfe.key -pubout -out ctfe.pem");
        let (key, roots) = (folder.join("ctfe.key"), scene.authority.chain());
        Self(fulcio_test_services::CtLog::start(program, &key, &roots))
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    #[track_caller]
    pub(crate) fn add_chain(&self, chain: &Value) {
        let url = format!("{}/ct/v1/add-chain", self.url());
        let answer = ureq::post(url)
            .content_type("application/json")
            .send(chain.to_string());
        assert_eq!(answer.unwrap().status(), 200);
    }

    /// Waits until its tree has so many entries.
    #[track_caller]
    pub(crate) fn wait_for(&self, size: u64) {
        wait_until("the log to grow", || {
            let mut answer = ureq::get(format!("{}/ct/v1/get-sth", self.url()))
                .call()
                .ok()?;
            let text = answer.body_mut().read_to_string().ok()?;
            let head: Value = serde_json::from_str(&text).ok()?;
            (head["tree_size"].as_u64()? >= size).then_some(())
        });
    }
}
