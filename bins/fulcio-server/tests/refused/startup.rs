use std::net::TcpListener;

use super::super::common::{CaFiles, Finished, IdpServer, path, run};

/// What is asked of `serve` in every case; later flags of the case come on top.
const SERVE: [&str; 6] = [
    "serve",
    "--host=127.0.0.1",
    "--grpc-host=127.0.0.2",
    "--port=0",
    "--grpc-port=0",
    "--metrics-port=0",
];

/// Runs `serve` with these flags, which must end at once with one line that holds all `parts`.
#[track_caller]
pub(super) fn refuses(flags: &[&str], parts: &[&str]) {
    let flags: Vec<_> = SERVE.iter().chain(flags).copied().collect();
    ends_with_one_line(&run(&flags), parts);
}

#[track_caller]
pub(super) fn ends_with_one_line(finished: &Finished, parts: &[&str]) {
    ends_with(1, finished, parts);
}

/// Runs `serve` with these flags, which cannot be meant together; one line says why.
#[track_caller]
pub(super) fn refuses_to_understand(flags: &[&str], parts: &[&str]) {
    let flags: Vec<_> = SERVE.iter().chain(flags).copied().collect();
    ends_with(2, &run(&flags), parts);
}

#[track_caller]
fn ends_with(code: i32, finished: &Finished, parts: &[&str]) {
    let stderr = &finished.stderr;
    assert_eq!(finished.status.code(), Some(code), "{finished:?}");
    assert!(stderr.starts_with("fulcio-server: "), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
    }
    assert!(!stderr.contains("backtrace"), "{stderr}");
    assert!(!finished.stdout.contains("listening"), "{finished:?}");
}

/// Command lines that cannot be understood get clap's explanation instead.
#[track_caller]
pub(super) fn explains_usage(arguments: &[&str], parts: &[&str]) {
    let finished = run(arguments);
    assert_eq!(finished.status.code(), Some(2), "{finished:?}");
    assert!(finished.stderr.starts_with("error: "), "{finished:?}");
    for part in parts {
        assert!(
            finished.stderr.contains(part),
            "{part:?} is not in: {}",
            finished.stderr
        );
    }
}

pub(super) const EPHEMERAL: &str = "--ca=ephemeralca";
pub(super) const NO_LOG: &str = "--ct-log-url=";

/// A folder with an issuer configuration in it.
pub(super) struct Folder {
    pub(super) folder: tempfile::TempDir,
    pub(super) config: String,
}

impl Folder {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let idp = IdpServer::start();
        let config = format!("--config-path={}", idp.write_config(folder.path()));
        Self { folder, config }
    }

    pub(super) fn path(&self, name: &str) -> String {
        path(&self.folder.path().join(name))
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self.path(name)
    }
}

#[test]
fn asks_for_a_ca_and_knows_which_there_are() {
    explains_usage(&["serve"], &["--ca <CA>"]);
    explains_usage(
        &["serve", "--ca=nope"],
        &["'nope'", "--ca", "fileca", "ephemeralca"],
    );
    explains_usage(&["serve", EPHEMERAL, "--prot=1"], &["--prot", "--port"]);
    explains_usage(&["serve", EPHEMERAL, "--port=99999"], &["99999", "--port"]);
    explains_usage(&["quickstart", "--port=x"], &["'x'", "--port"]);
    explains_usage(&["sevre"], &["sevre", "serve"]);
}

#[test]
fn tells_which_port_is_busy() {
    let folder = Folder::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    for flag in ["--port", "--grpc-port", "--metrics-port"] {
        let named = format!("{flag}={port}");
        let mut all = vec!["serve", "--host=127.0.0.1", "--grpc-host=127.0.0.1", &named];
        let others = ["--port=0", "--grpc-port=0", "--metrics-port=0"];
        all.extend(others.iter().filter(|other| !other.starts_with(flag)));
        all.extend([EPHEMERAL, NO_LOG, &folder.config]);
        let said = format!("{flag} {port}: ");
        ends_with_one_line(
            &run(&all),
            &[&said, "in use by another program", "choose another"],
        );
    }
    let data = folder.path("data");
    let finished = run(&["quickstart", &format!("--port={port}"), "--data-dir", &data]);
    ends_with_one_line(
        &finished,
        &[&format!("--port {port}: "), "in use by another program"],
    );
    assert!(!folder.folder.path().join("data").exists());
}

#[test]
fn does_not_start_without_an_issuer_configuration() {
    refuses(
        &[EPHEMERAL, NO_LOG],
        &["--config-path", "--public-good-issuers"],
    );
    let folder = Folder::new();
    let absent = folder.path("absent.yaml");
    let flag = format!("--config-path={absent}");
    refuses(
        &[EPHEMERAL, NO_LOG, &flag],
        &[
            "--config-path",
            &absent,
            "cannot be read",
            "check the path",
            "No such file",
        ],
    );
    let flag = format!("--config-path={}", folder.path(""));
    refuses(
        &[EPHEMERAL, NO_LOG, &flag],
        &["--config-path", "cannot be read", "directory"],
    );
}

#[test]
fn says_where_the_issuer_configuration_is_wrong() {
    let folder = Folder::new();
    let good = std::fs::read_to_string(folder.path("config.yaml")).unwrap();
    let refused = |text: &str, parts: &[&str]| {
        let path = folder.write("wrong.yaml", text);
        let mut parts = parts.to_vec();
        parts.push("wrong.yaml");
        refuses(
            &[EPHEMERAL, NO_LOG, &format!("--config-path={path}")],
            &parts,
        );
    };
    refused(
        &good.replace("client-id", "client_id"),
        &[
            "wrong.yaml:4: ",
            ".client_id",
            "not a known key",
            "did you mean `client-id`",
        ],
    );
    refused(
        &good.replace("oidc-issuers", "oidc-issuer"),
        &[
            "oidc-issuer",
            "not a known key",
            "did you mean `oidc-issuers`",
        ],
    );
    refused(
        &good.replace("type: email", "type: emial"),
        &["emial", "did you mean `email`"],
    );
    refused(": : [", &["wrong.yaml:1: "]);
    refused("\u{1}", &[]);
}

#[test]
fn tells_nothing_of_a_secret_that_is_given_as_configuration() {
    let ca = CaFiles::create();
    let key = ca.path("intermediate.plain.pem");
    let finished = run(&["serve", EPHEMERAL, NO_LOG, "--config-path", &key]);
    ends_with_one_line(&finished, &["intermediate.plain.pem"]);
    let secret = ca.read("intermediate.plain.pem");
    for line in secret.lines() {
        assert!(!finished.stderr.contains(line), "{}", finished.stderr);
    }
}

#[test]
fn knows_the_algorithms_that_clients_may_sign_with() {
    let folder = Folder::new();
    let flag = "--client-signing-algorithms=ed25519,ecdsa-sha2-256-nistp265";
    explains_usage(
        &["serve", EPHEMERAL, NO_LOG, &folder.config, flag],
        &[
            "--client-signing-algorithms",
            "ecdsa-sha2-256-nistp265",
            "ecdsa-sha2-256-nistp256",
        ],
    );
}
