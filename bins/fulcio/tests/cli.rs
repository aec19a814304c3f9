//! The command line as its users have it: a program, its files, its exit codes and its words.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use authority::Authority;
use serde_json::Value;
use tempfile::TempDir;

/// One authority for all tests of this file.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::start);

const ADA: &str = "ada@example.com";

struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    #[track_caller]
    fn good(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        assert_eq!(self.stderr, "");
        self.stdout
    }

    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    /// It failed with this exit code and one line, which is given without the program's name.
    #[track_caller]
    fn bad(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        let line = self.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.strip_prefix("fulcio: ").unwrap().to_owned()
    }
}

fn fulcio() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fulcio"));
    command.env_clear();
    command
}

fn run(command: &mut Command, input: &str) -> Done {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing may have ended already.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn request(out: &Path) -> Command {
    let mut command = fulcio();
    command
        .args(["request", "--url", &AUTHORITY.url(""), "--out"])
        .arg(out);
    command
}

/// A folder with Ada's certificate in it.
fn issued() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(request(folder.path()).args(["--dev-identity", ADA]), "").good();
    folder
}

fn token() -> String {
    let client =
        fulcio_client::Client::new(&AUTHORITY.url(""), &[], core::time::Duration::from_secs(10));
    client.text(&format!("/dev-idp/token?email={ADA}")).unwrap()
}

fn verify(certificate: &Path) -> Command {
    verify_with(certificate, &AUTHORITY.chain(), &AUTHORITY.log_key())
}

fn verify_with(certificate: &Path, bundle: &Path, log_key: &Path) -> Command {
    let mut command = fulcio();
    command.arg("verify").arg(certificate);
    command.arg("--trust-bundle").arg(bundle);
    command.arg("--ct-log-key").arg(log_key);
    command
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn request_writes_certificate_chain_and_key_that_openssl_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/folder");
    let page = run(request(&out).args(["--dev-identity", ADA]), "").good();
    assert!(page.contains("ada@example.com (email)"), "{page}");
    assert!(page.contains("ECDSA P-256"), "{page}");
    assert_eq!(names(&out), ["certificate.pem", "chain.pem", "key.pem"]);
    for (name, mode) in [
        ("certificate.pem", 0o644),
        ("chain.pem", 0o644),
        ("key.pem", 0o600),
    ] {
        let found = fs::metadata(out.join(name)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }

    let openssl = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        let done = run(command.args(arguments).current_dir(&out), "");
        assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
        done.stdout
    };
    // OpenSSL takes the root for an intermediate too, and trusts what is signed by itself.
    let chain = AUTHORITY.chain();
    let chain = chain.to_str().unwrap();
    let verified = openssl(&[
        "verify",
        "-x509_strict",
        "-purpose",
        "any",
        "-CAfile",
        chain,
        "certificate.pem",
    ]);
    assert_eq!(verified, "certificate.pem: OK\n");
    assert_eq!(
        openssl(&["x509", "-in", "certificate.pem", "-noout", "-pubkey"]),
        openssl(&["pkey", "-in", "key.pem", "-pubout"])
    );
    let text = openssl(&["x509", "-in", "certificate.pem", "-noout", "-text"]);
    assert!(text.contains("email:ada@example.com"), "{text}");
    assert_eq!(
        fs::read_to_string(out.join("chain.pem")).unwrap(),
        fs::read_to_string(chain).unwrap()
    );
}

#[test]
fn request_takes_the_token_from_wherever_it_is() {
    let token = token();
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "token", &format!("{token}\n"));
    let out = |name: &str| folder.path().join(name);

    run(request(&out("argument")).args(["--token", &token]), "").good();
    run(request(&out("file")).arg("--token-file").arg(&file), "").good();
    run(request(&out("input")).args(["--token-file", "-"]), &token).good();
    let mut from_environment = request(&out("environment"));
    from_environment.args(["--token-env", "SIGSTORE_ID_TOKEN"]);
    run(from_environment.env("SIGSTORE_ID_TOKEN", &token), "").good();
    run(request(&out("provider")).args(["--dev-identity", ADA]), "").good();

    for source in ["argument", "file", "input", "environment", "provider"] {
        let certificate = out(source).join("certificate.pem");
        run(verify(&certificate).args(["--identity", ADA]), "").good();
    }
}

#[test]
fn request_prints_json_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let written = run(
        request(folder.path()).args(["--dev-identity", ADA, "--json"]),
        "",
    )
    .json();
    for name in ["certificate", "chain", "key"] {
        let path = folder.path().join(format!("{name}.pem"));
        assert_eq!(written[name], path.to_str().unwrap());
        assert!(path.exists());
    }
    assert_eq!(written["description"]["identities"][0]["value"], ADA);
    assert_eq!(written.as_object().unwrap().len(), 4);

    let certificate = folder.path().join("certificate.pem");
    let inspected = run(fulcio().arg("inspect").arg(&certificate).arg("--json"), "").json();
    assert_eq!(inspected, written["description"]);
}

#[test]
fn request_replaces_nothing_unless_told_to() {
    let folder = issued();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let before = read("key.pem");
    let line = run(request(folder.path()).args(["--dev-identity", ADA]), "").bad(1);
    assert!(
        line.contains("certificate.pem is there already; use --force"),
        "{line}"
    );
    assert_eq!(read("key.pem"), before);

    for name in ["certificate.pem", "chain.pem"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let line = run(request(folder.path()).args(["--dev-identity", ADA]), "").bad(1);
    assert!(
        line.contains("key.pem is there already; use --force"),
        "{line}"
    );
    assert_eq!(names(folder.path()), ["key.pem"]);

    // Where there was a link, there is a file afterwards, and what it led to is as it was.
    let precious = write(&folder, "precious", "precious");
    fs::remove_file(folder.path().join("key.pem")).unwrap();
    symlink(&precious, folder.path().join("key.pem")).unwrap();
    run(
        request(folder.path()).args(["--dev-identity", ADA, "--force"]),
        "",
    )
    .good();
    assert_ne!(read("key.pem"), before);
    assert_eq!(read("precious"), b"precious");
    let key = fs::symlink_metadata(folder.path().join("key.pem")).unwrap();
    assert_eq!(key.permissions().mode() & 0o7777, 0o600);
    assert!(key.is_file());
}

#[test]
fn request_says_in_one_line_why_there_is_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let secret = "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOiJzZWNyZXQifQ.c2VjcmV0";
    let refused = run(request(&out).args(["--token", secret]), "").bad(1);
    assert!(
        refused.ends_with(
            "/api/v2/signingCert answered 400: There was an error processing the identity token"
        ),
        "{refused}"
    );
    assert!(!refused.contains(secret));

    let file = write(&folder, "empty", "\n");
    let missing = folder.path().join("missing");
    let not_text = folder.path().join("not-text");
    fs::write(&not_text, [0xff, 0xfe]).unwrap();
    let blocked = file.join("out");
    for (command, expected) in [
        (
            request(&out).arg("--token-file").arg(&file),
            "the identity token is empty",
        ),
        (
            request(&out).arg("--token-file").arg(&missing),
            "/missing: No such file",
        ),
        (
            request(&out).arg("--token-file").arg(&not_text),
            "/not-text does not hold a token",
        ),
        (
            request(&out).args(["--token-env", "ABSENT"]),
            "the environment variable ABSENT holds no token",
        ),
        (
            request(&out).args(["--dev-identity", "nobody"]),
            "the server's development identity provider gave no token",
        ),
        (
            request(&blocked).args(["--token", secret]),
            "cannot make the folder ",
        ),
        (
            fulcio()
                .args([
                    "request",
                    "--url",
                    "http://127.0.0.1:1",
                    "--token",
                    "x",
                    "--out",
                ])
                .arg(&out),
            "http://127.0.0.1:1/api/v2/signingCert could not be reached: ",
        ),
        (
            fulcio()
                .args(["request", "--url", "nonsense", "--token", "x", "--out"])
                .arg(&out),
            "nonsense/api/v2/signingCert could not be reached: ",
        ),
        (
            request(&out).args(["--token", "x", "--tls-ca"]).arg(&file),
            "/empty holds no PEM certificate",
        ),
    ] {
        let line = run(command, "").bad(1);
        assert!(line.contains(expected), "{line}");
        assert!(!out.join("key.pem").exists());
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        &[][..],
        &["issue"],
        &["request"],
        &["request", "--token", "x", "--token-file", "y"],
        &["request", "--token", "x", "--unknown"],
        &["request", "--token", "x", "--timeout", "soon"],
        &["inspect"],
        &["verify", "certificate.pem"],
        &[
            "verify",
            "c",
            "--trust-bundle",
            "b",
            "--ct-log-key",
            "k",
            "--log-origin",
            "o",
        ],
    ] {
        let done = run(fulcio().args(arguments), "");
        assert_eq!(done.code, 2, "{arguments:?}: {}", done.stderr);
        assert_eq!(done.stdout, "");
        assert!(done.stderr.contains("--help"), "{}", done.stderr);
    }
    let help = run(fulcio().arg("--help"), "").good();
    assert!(help.contains("Exit codes: 0 done, 1 it failed,"), "{help}");
    assert!(
        run(fulcio().arg("--version"), "")
            .good()
            .starts_with("fulcio ")
    );
}

#[test]
fn serve_says_where_the_server_is() {
    let line = run(
        fulcio().args(["serve", "--ca=fileca", "--port", "5555"]),
        "",
    )
    .bad(1);
    assert!(line.contains("`fulcio-server serve`"), "{line}");
}

#[test]
fn inspect_shows_all_fields() {
    let folder = issued();
    let certificate = folder.path().join("certificate.pem");
    let issuer = AUTHORITY.url("/dev-idp");
    let page = run(fulcio().arg("inspect").arg(&certificate), "").good();
    for shown in [
        "Identity                   ada@example.com (email)",
        "Issued by                  CN=intermediate,O=Example",
        "Key                        ECDSA P-256",
        "Signed with                ecdsa-with-SHA384",
        "  at index ",
        "1.3.6.1.4.1.57264.1.8",
        "1.3.6.1.4.1.57264.1.24",
        &format!("  Issuer (V2)              {issuer}"),
        "  Key Usage                DigitalSignature (critical)",
        "  Extended Key Usage       id-kp-codeSigning",
        "  Subject Key Identifier",
        "  Authority Key Identifier",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }

    let pem = fs::read_to_string(&certificate).unwrap();
    assert_eq!(run(fulcio().args(["inspect", "-"]), &pem).good(), page);

    let json = run(fulcio().args(["--json", "inspect", "-"]), &pem).json();
    let mut names: Vec<_> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "extensions",
            "identities",
            "identityIssuer",
            "issuer",
            "notAfter",
            "notBefore",
            "otherExtensions",
            "publicKey",
            "serialNumber",
            "signatureAlgorithm",
            "subject",
            "timestamps",
        ]
    );
    assert_eq!(
        json["identities"],
        serde_json::json!([{"kind": "email", "value": ADA}])
    );
    assert_eq!(json["identityIssuer"], issuer);
    let timestamp = &json["timestamps"][0];
    assert!(
        timestamp["leafIndex"].is_u64() && timestamp["timestampMs"].is_u64(),
        "{timestamp}"
    );
    assert_eq!(timestamp["logId"].as_str().unwrap().len(), 64);
}

#[test]
fn inspect_says_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = write(&folder, "nothing", "nothing\n");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let garbage = write(&folder, "garbage", garbage);
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let broken = write(&folder, "broken", broken);
    for (path, expected) in [
        (
            folder.path().join("missing"),
            "/missing: No such file or directory",
        ),
        (folder.path().to_owned(), ": Is a directory"),
        (nothing, "/nothing holds no PEM certificate"),
        (broken, "/broken is not a PEM file of certificates"),
        (garbage, "/garbage: the certificate cannot be read"),
    ] {
        let line = run(fulcio().arg("inspect").arg(path), "").bad(1);
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn nothing_that_strangers_wrote_controls_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("openssl");
    command.current_dir(folder.path()).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "evil.pem",
        "-utf8",
        "-subj",
        "/CN=\u{1b}[2Jcleared \u{202e}reversed",
        "-addext",
        "subjectAltName=email:\u{1b}]0;title\u{7}@example.com",
    ]);
    let made = run(&mut command, "");
    assert_eq!(made.code, 0, "{}", made.stderr);
    let evil = folder.path().join("evil.pem");
    let page = run(fulcio().arg("inspect").arg(&evil), "").good();
    assert!(!page.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{page:?}");
    assert!(page.contains(r"\u{1b}]0;title\u{7}@example.com"), "{page}");
    let json = run(fulcio().arg("inspect").arg(&evil).arg("--json"), "").json();
    assert_eq!(
        json["identities"][0]["value"],
        "\u{1b}]0;title\u{7}@example.com"
    );
}

#[test]
fn verify_accepts_a_good_certificate_and_has_the_log_prove_it() {
    let folder = issued();
    let certificate = folder.path().join("certificate.pem");
    let page = run(&mut verify(&certificate), "").good();
    assert!(
        page.contains("chain, usage and timestamp were verified"),
        "{page}"
    );
    assert!(page.contains("Any identity was accepted"), "{page}");

    let issuer = AUTHORITY.url("/dev-idp");
    let whole = |command: &mut Command| {
        command.args(["--identity", ADA, "--issuer", &issuer]);
        command.args(["--log-url", &AUTHORITY.url("/ct-log/")]);
    };
    let mut command = verify(&certificate);
    whole(&mut command);
    let page = run(&mut command, "").good();
    assert!(
        page.contains("chain, usage, timestamp and identity were verified"),
        "{page}"
    );
    assert!(
        page.contains("The log proved that it holds it: entry "),
        "{page}"
    );
    assert!(!page.contains("Any identity"), "{page}");

    let pem = fs::read_to_string(&certificate).unwrap();
    let mut command = verify(Path::new("-"));
    whole(&mut command);
    let report = run(command.arg("--json"), &pem).json();
    assert_eq!(report["verified"], true);
    assert_eq!(report["description"]["identities"][0]["value"], ADA);
    let inclusion = &report["inclusion"];
    let index = inclusion["leafIndex"].as_u64().unwrap();
    assert!(
        index < inclusion["treeSize"].as_u64().unwrap(),
        "{inclusion}"
    );
    assert_eq!(index, report["description"]["timestamps"][0]["leafIndex"]);

    let report = run(verify(&certificate).arg("--json"), "").json();
    assert_eq!(report["inclusion"], Value::Null);
}

#[test]
fn verify_ends_with_3_when_the_certificate_is_not_to_be_trusted() {
    let folder = issued();
    let certificate = folder.path().join("certificate.pem");
    let another = Authority::start();
    let log_url = AUTHORITY.url("/ct-log");
    let (chain, log_key) = (AUTHORITY.chain(), AUTHORITY.log_key());
    for (command, expected) in [
        (
            verify(&certificate).args(["--identity", "bob@example.com"]),
            "the certificate is for ada@example.com, not for bob@example.com",
        ),
        (
            verify(&certificate).args(["--issuer", "https://example.com"]),
            "/dev-idp, not by https://example.com",
        ),
        (
            &mut verify_with(&certificate, &another.chain(), &log_key),
            "the certificate is not under a trusted root for code signing",
        ),
        (
            &mut verify_with(&certificate, &chain, &another.log_key()),
            "the certificate holds no timestamp of this log",
        ),
        (
            &mut verify_with(&chain, &chain, &log_key),
            "the certificate holds no timestamp of this log",
        ),
        (
            verify(&certificate).args(["--log-url", &another.url("/ct-log")]),
            "the log does not prove that it holds the certificate: \
             the checkpoint is not signed by the log's key",
        ),
        (
            verify(&certificate).args(["--log-url", &log_url, "--log-origin", "log.example.com"]),
            "the log does not prove that it holds the certificate: \
             the checkpoint is another log's",
        ),
    ] {
        let line = run(command, "").bad(3);
        assert!(line.starts_with("not trusted: "), "{line}");
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn verify_ends_with_1_when_it_could_not_be_done() {
    let folder = issued();
    let certificate = folder.path().join("certificate.pem");
    let key = folder.path().join("key.pem");
    let missing = folder.path().join("missing");
    let (chain, log_key) = (AUTHORITY.chain(), AUTHORITY.log_key());
    for (command, expected) in [
        (&mut verify(&missing), "cannot read ".to_owned()),
        (
            &mut verify_with(&certificate, &missing, &log_key),
            "cannot read ".to_owned(),
        ),
        (
            &mut verify_with(&certificate, &chain, &missing),
            "cannot read ".to_owned(),
        ),
        (
            &mut verify_with(&certificate, &key, &log_key),
            format!("{} holds no PEM certificate", key.display()),
        ),
        (
            &mut verify_with(&certificate, &chain, &chain),
            format!("{} is not a log's key: ", chain.display()),
        ),
        (
            verify(&certificate).args(["--log-url", "http://127.0.0.1:1/ct-log"]),
            "http://127.0.0.1:1/ct-log/checkpoint could not be reached".to_owned(),
        ),
    ] {
        let line = run(command, "").bad(1);
        assert!(line.contains(&expected), "{line}");
        assert!(!line.contains("not trusted"), "{line}");
    }
}

#[test]
fn there_is_colour_only_where_it_is_seen_or_demanded() {
    let folder = issued();
    let certificate = folder.path().join("certificate.pem");
    let page = run(&mut verify(&certificate), "").good();
    assert!(!page.contains('\u{1b}'), "{page:?}");
    let coloured = run(verify(&certificate).env("CLICOLOR_FORCE", "1"), "").good();
    assert!(coloured.contains("\u{1b}[1m"), "{coloured:?}");
    let json = run(
        verify(&certificate)
            .arg("--json")
            .env("CLICOLOR_FORCE", "1"),
        "",
    )
    .good();
    assert!(!json.contains('\u{1b}'), "{json:?}");
    let errors = run(
        fulcio()
            .args(["inspect", "/missing"])
            .env("CLICOLOR_FORCE", "1"),
        "",
    )
    .bad(1);
    assert!(!errors.contains('\u{1b}'), "{errors:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = issued();
    for json in [&[][..], &["--json"]] {
        let mut child = fulcio()
            .arg("inspect")
            .arg("-")
            .args(json)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let pem = fs::read(folder.path().join("certificate.pem")).unwrap();
        child.stdin.take().unwrap().write_all(&pem).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
    }
}
