//! `quickstart`: from nothing to a certificate, again with the same CA and log, and to the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    collections::HashSet,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use common::{Finished, Process, Server, free_port, get, grpc, openssl, path, program, run};
use fulcio_api::proto::{
    health::{HealthCheckRequest, HealthCheckResponse},
    v2::{GetTrustBundleRequest, TrustBundle},
};
use fulcio_client::{Client, ClientKey};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{Checkpoint, FetchError, Reader};
use tempfile::TempDir;

/// One data folder, and the port that its log was made with.
struct Trial {
    folder: TempDir,
    port: u16,
}

impl Trial {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir().join(name)).unwrap()
    }

    fn flags(&self) -> [String; 2] {
        [
            format!("--data-dir={}", path(&self.dir())),
            format!("--port={}", self.port),
        ]
    }

    #[track_caller]
    fn once(&self, more: &[&str]) -> Finished {
        let flags = self.flags();
        let mut arguments = vec!["quickstart", "--once", &flags[0], &flags[1]];
        arguments.extend(more);
        run(&arguments)
    }

    #[track_caller]
    fn serve(&self) -> Server {
        let flags = self.flags();
        Server::quickstart(&[&flags[0], &flags[1]])
    }

    /// The log on disk, as a reader with its key sees it.
    fn log(&self) -> Reader<impl Fn(&str) -> Result<Option<Vec<u8>>, FetchError>> {
        let public = self.dir().join("log/public");
        let key = LogKey::from_pem(self.read("log/public-key.pem").as_bytes()).unwrap();
        let origin = format!("127.0.0.1:{}/ct-log", self.port);
        let fetch =
            move |path: &str| -> Result<_, FetchError> { Ok(Some(fs::read(public.join(path))?)) };
        Reader::new(fetch, origin, key)
    }

    fn checkpoint(&self) -> Checkpoint {
        self.log().checkpoint().unwrap()
    }
}

#[track_caller]
fn good(finished: &Finished) {
    assert!(finished.status.success(), "{finished:?}");
    assert_eq!(finished.stderr, "");
}

/// It failed with one line that says all this, and printed no panic.
#[track_caller]
fn bad(finished: &Finished, expected: &[&str]) {
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    let line = finished.stderr.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.starts_with("fulcio-server: "), "{line}");
    for expected in expected {
        assert!(line.contains(expected), "{expected}: {line}");
    }
}

#[test]
fn once_prints_a_table_and_writes_what_openssl_accepts() {
    let trial = Trial::new();
    let finished = trial.once(&["--identity", "ada@example.com"]);
    good(&finished);
    let base = format!("http://127.0.0.1:{}", trial.port);
    for shown in [
        "  Identity    ada@example.com\n".to_owned(),
        format!("  Vouched by  {base}/dev-idp (for development only)\n"),
        "  Key         ECDSA P-256\n".to_owned(),
        "  Issued by   CN=Fulcio quickstart intermediate,O=Fulcio quickstart\n".to_owned(),
        format!("  Log         {base}/ct-log\n"),
        "  Index       0 of 1 entries\n".to_owned(),
        format!(
            "  Certificate {}/issued/certificate.pem\n",
            path(&trial.dir())
        ),
        format!("  Private key {}/issued/key.pem\n", path(&trial.dir())),
    ] {
        assert!(
            finished.stdout.contains(&shown),
            "{shown}: {}",
            finished.stdout
        );
    }
    assert!(!finished.stdout.contains("Serving"), "{}", finished.stdout);

    for (name, mode) in [
        ("", 0o700),
        ("ca", 0o700),
        ("ca/chain.pem", 0o644),
        ("ca/intermediate.key.pem", 0o600),
        ("ca/root.key.pem", 0o600),
        ("log/public-key.pem", 0o644),
        ("dev-idp", 0o700),
        ("dev-idp/p256.der", 0o600),
        ("dev-idp/rsa.der", 0o600),
        ("issued", 0o700),
        ("issued/certificate.pem", 0o644),
        ("issued/chain.pem", 0o644),
        ("issued/key.pem", 0o600),
        ("log/key.pem", 0o600),
        ("password", 0o600),
    ] {
        let found = fs::metadata(trial.dir().join(name)).unwrap().permissions();
        assert_eq!(found.mode() & 0o7777, mode, "{name}");
    }

    let folder = trial.dir().join("issued");
    let openssl = |arguments: &[&str]| openssl(&folder, arguments);
    let chain = trial.read("issued/chain.pem");
    let (intermediate, root) = split(&chain);
    fs::write(folder.join("intermediate.pem"), intermediate).unwrap();
    fs::write(folder.join("root.pem"), root).unwrap();
    let verified = openssl(&[
        "verify",
        "-x509_strict",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "intermediate.pem",
        "certificate.pem",
    ]);
    assert_eq!(verified, "certificate.pem: OK\n");
    let text = openssl(&["x509", "-in", "certificate.pem", "-noout", "-text"]);
    for shown in [
        "ASN1 OID: prime256v1",
        "Digital Signature",
        "Code Signing",
        "email:ada@example.com",
        "Signed Certificate Timestamp",
        "Issuer: O = Fulcio quickstart, CN = Fulcio quickstart intermediate",
        "ecdsa-with-SHA384",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    for authority in ["intermediate.pem", "root.pem"] {
        let text = openssl(&["x509", "-in", authority, "-noout", "-text"]);
        assert!(text.contains("ASN1 OID: secp384r1"), "{text}");
        assert!(text.contains("CA:TRUE, pathlen:"), "{text}");
    }
    let certified = openssl(&["x509", "-in", "certificate.pem", "-noout", "-pubkey"]);
    assert_eq!(certified, openssl(&["pkey", "-in", "key.pem", "-pubout"]));
    for key in ["intermediate", "root"] {
        let pem = trial.read(&format!("ca/{key}.key.pem"));
        assert!(
            pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
            "{pem}"
        );
        // The password opens it outside of our code, and it is the key of the certificate.
        let opened = format!("../ca/{key}.key.pem");
        let opened = openssl(&[
            "pkey",
            "-in",
            &opened,
            "-passin",
            "file:../password",
            "-pubout",
        ]);
        let certificate = format!("{key}.pem");
        assert_eq!(
            opened,
            openssl(&["x509", "-in", &certificate, "-noout", "-pubkey"])
        );
    }
}

fn split(chain: &str) -> (&str, &str) {
    let second = chain.rfind("-----BEGIN").unwrap();
    assert_eq!(chain.matches("-----BEGIN CERTIFICATE").count(), 2);
    chain.split_at(second)
}

#[test]
fn a_second_start_goes_on_with_the_same_ca_and_log() {
    let trial = Trial::new();
    good(&trial.once(&[]));
    let kept = [
        "ca/chain.pem",
        "ca/intermediate.key.pem",
        "ca/root.key.pem",
        "log/public-key.pem",
        "log/key.pem",
        "password",
    ];
    let before = kept.map(|name| trial.read(name));
    let first = trial.checkpoint();
    assert_eq!(first.size(), 1);
    let certificate = trial.read("issued/certificate.pem");
    let identity_key = fs::read(trial.dir().join("dev-idp/rsa.der")).unwrap();

    let finished = trial.once(&[]);
    good(&finished);
    assert!(
        finished.stdout.contains("Index       1 of 2 entries"),
        "{}",
        finished.stdout
    );
    assert!(
        !finished.stdout.contains("random password"),
        "{}",
        finished.stdout
    );
    assert_eq!(kept.map(|name| trial.read(name)), before);
    assert_eq!(
        fs::read(trial.dir().join("dev-idp/rsa.der")).unwrap(),
        identity_key
    );
    assert_ne!(trial.read("issued/certificate.pem"), certificate);
    assert_eq!(trial.read("issued/chain.pem"), before[0]);

    let second = trial.checkpoint();
    assert_eq!(second.size(), 2);
    trial.log().consistency(&first, &second).unwrap();

    // On another port too, and the log keeps the name that it was made with.
    let data = &trial.flags()[0];
    good(&run(&["quickstart", "--once", data, "--port=0"]));
    let third = trial.checkpoint();
    assert_eq!(third.size(), 3);
    trial.log().consistency(&second, &third).unwrap();
    assert_eq!(kept.map(|name| trial.read(name)), before);
}

#[test]
fn the_password_may_come_from_a_file() {
    let trial = Trial::new();
    let password_file = trial.folder.path().join("a password");
    fs::write(&password_file, "correct horse battery\nsecond line\n").unwrap();
    let flag = format!("--password-file={}", path(&password_file));
    good(&trial.once(&[&flag]));
    assert!(!trial.dir().join("password").exists());
    openssl(
        &trial.dir(),
        &[
            "pkey",
            "-in",
            "ca/root.key.pem",
            "-passin",
            "pass:correct horse battery",
            "-noout",
        ],
    );
    good(&trial.once(&[&flag]));

    for wrong in ["correct horse", "correct horse battery ", "wrong-one"] {
        fs::write(&password_file, wrong).unwrap();
        let finished = trial.once(&[&flag]);
        bad(&finished, &["intermediate.key.pem", "password"]);
        assert!(
            !finished.stderr.contains(wrong.trim()),
            "{}",
            finished.stderr
        );
        assert_eq!(finished.stdout, "");
    }
    fs::write(&password_file, "\ncorrect horse battery\n").unwrap();
    bad(
        &trial.once(&[&flag]),
        &["--password-file", "a password", "empty first line"],
    );
    fs::remove_file(&password_file).unwrap();
    bad(
        &trial.once(&[&flag]),
        &["--password-file", "a password", "No such file"],
    );
    assert_eq!(trial.checkpoint().size(), 2);
}

#[test]
fn what_is_wrong_with_the_start_is_told_in_one_line() {
    let trial = Trial::new();
    let port = trial.port.to_string();
    let taken = TcpListener::bind(("127.0.0.1", trial.port)).unwrap();
    bad(
        &trial.once(&[]),
        &[&format!("127.0.0.1:{port} is in use"), "choose another"],
    );
    assert!(
        !trial.dir().exists(),
        "nothing is made before the port is there"
    );
    drop(taken);

    let file = trial.folder.path().join("data");
    fs::write(&file, "").unwrap();
    bad(&trial.once(&[]), &["data", "--data-dir"]);
    fs::remove_file(&file).unwrap();

    bad(
        &trial.once(&["--identity", "nobody"]),
        &["--identity nobody"],
    );
    good(&trial.once(&[]));

    let chain = trial.read("ca/chain.pem");
    let (intermediate, root) = split(&chain);
    for (content, expected) in [
        ("", "ca/chain.pem is empty"),
        ("nonsense", "ca/chain.pem"),
        (intermediate, "ca/chain.pem"),
        (root, "ca/chain.pem"),
    ] {
        fs::write(trial.dir().join("ca/chain.pem"), content).unwrap();
        let finished = trial.once(&[]);
        if content == intermediate {
            // A chain may begin anywhere above its issuer.
            good(&finished);
        } else {
            bad(&finished, &[expected]);
        }
    }
    fs::write(trial.dir().join("ca/chain.pem"), &chain).unwrap();
    fs::rename(
        trial.dir().join("ca/intermediate.key.pem"),
        trial.dir().join("elsewhere"),
    )
    .unwrap();
    bad(&trial.once(&[]), &["ca/intermediate.key.pem"]);
    fs::copy(
        trial.dir().join("ca/root.key.pem"),
        trial.dir().join("ca/intermediate.key.pem"),
    )
    .unwrap();
    bad(
        &trial.once(&[]),
        &["ca/intermediate.key.pem", "ca/chain.pem"],
    );
}

#[test]
fn serves_everything_on_one_port_of_the_loopback_device() {
    let trial = Trial::new();
    let server = trial.serve();
    let page = |path: &str| {
        let answer = get(&server.url(path));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer
    };
    let bundle = page("/api/v2/trustBundle").json();
    let certificates = &bundle["chains"][0]["certificates"];
    let served = certificates.as_array().unwrap().iter();
    let served: String = served.map(|pem| pem.as_str().unwrap()).collect();
    assert_eq!(served, trial.read("ca/chain.pem"));
    let issuer = &page("/api/v2/configuration").json()["issuers"][0];
    assert_eq!(issuer["issuerUrl"], server.url("/dev-idp"));
    assert_eq!(page("/readyz").status, 200);

    let checkpoint = page("/ct-log/checkpoint").text();
    assert!(
        checkpoint.starts_with(&format!("127.0.0.1:{}/ct-log\n1\n", trial.port)),
        "{checkpoint}"
    );
    assert_eq!(get(&server.url("/ct-log/key.pem")).status, 404);
    assert_eq!(get(&server.url("/ct-log/../key.pem")).status, 404);

    for path in ["/dev-idp", "/dev-idp/"] {
        let answer = page(path);
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        assert!(answer.text().contains("For development only"));
    }
    let discovery = page("/dev-idp/.well-known/openid-configuration").json();
    assert_eq!(discovery["issuer"], server.url("/dev-idp"));
    assert_eq!(discovery["development"], true);
    let keys = page("/dev-idp/keys").json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert!(keys["keys"][0].get("d").is_none(), "{keys}");

    let address = server.http();
    let check = HealthCheckRequest::default();
    let health: HealthCheckResponse =
        grpc(address, "/grpc.health.v1.Health/Check", &[], check).unwrap();
    assert_eq!(health.status, 1);
    let bundle: TrustBundle = grpc(
        address,
        "/dev.sigstore.fulcio.v2.CA/GetTrustBundle",
        &[],
        GetTrustBundleRequest::default(),
    )
    .unwrap();
    assert_eq!(bundle.chains[0].certificates.concat(), served);

    assert_eq!(
        listens_on(server.id()),
        [format!("127.0.0.1:{}", trial.port)]
    );
    let stdout = server.stdout();
    for next in [
        "\n  curl ",
        "--bin fulcio -- request --url ",
        "cosign sign-blob ",
    ] {
        assert!(stdout.contains(next), "{stdout}");
    }
    good(&server.terminate());
}

/// What a process listens on.
fn listens_on(id: u32) -> Vec<String> {
    let sockets: HashSet<_> = fs::read_dir(format!("/proc/{id}/fd"))
        .unwrap()
        .filter_map(|descriptor| {
            let target = fs::read_link(descriptor.ok()?.path()).ok()?;
            let inode = path(&target)
                .strip_prefix("socket:[")?
                .strip_suffix(']')?
                .to_owned();
            Some(inode)
        })
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        for line in fs::read_to_string(format!("/proc/{id}/net/{table}"))
            .unwrap()
            .lines()
            .skip(1)
        {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (address, state, inode) = (fields[1], fields[3], fields[9]);
            if state != "0A" || !sockets.contains(inode) {
                continue;
            }
            let (host, port) = address.split_once(':').unwrap();
            let port = u16::from_str_radix(port, 16).unwrap();
            match host {
                "0100007F" => found.push(format!("127.0.0.1:{port}")),
                other => found.push(format!("{other}:{port}")),
            }
        }
    }
    found
}

#[test]
fn both_signals_end_it_with_0_and_a_log_that_is_whole() {
    let trial = Trial::new();
    let mut size = 0;
    for signal in ["INT", "TERM"] {
        let server = trial.serve();
        let client = Client::new(&server.url(""), &[], Duration::from_secs(10));
        for _ in 0..3 {
            let token = client.text("/dev-idp/token?email=bob@example.com").unwrap();
            client
                .certificate(token.trim(), &ClientKey::generate().unwrap())
                .unwrap();
        }
        size += 4;
        // A connection that idles does not hold the end up.
        let idle = std::net::TcpStream::connect(server.http()).unwrap();
        let begun = Instant::now();
        server.signal(signal);
        let finished = ended(server);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        good(&finished);
        drop(idle);
        // What was promised just now has been published before the end.
        assert_eq!(trial.checkpoint().size(), size);
    }
}

/// Waits for a server that was told to end; the signal that is sent to its remains does nothing.
fn ended(server: Server) -> Finished {
    let stat = format!("/proc/{}/stat", server.id());
    common::wait_until("the end", || {
        let stat = fs::read_to_string(&stat).unwrap();
        stat.rsplit_once(')')?.1.starts_with(" Z ").then_some(())
    });
    server.terminate()
}

#[test]
fn a_first_start_that_was_cut_short_is_gone_on_with() {
    // In the way of the making of keys and log, and of the first certificate.
    for (signal, after) in [
        ("KILL", 0),
        ("KILL", 20),
        ("KILL", 80),
        ("KILL", 300),
        ("INT", 5),
    ] {
        let trial = Trial::new();
        let flags = trial.flags();
        let process = Process::start(program(&["quickstart", &flags[0], &flags[1]]));
        common::wait_until("the data folder", || trial.dir().exists().then_some(()));
        thread::sleep(Duration::from_millis(after));
        let id = process.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
        let begun = Instant::now();
        process.finish();
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
        good(&trial.once(&[]));
    }
}
