//! `fulcio monitor` as an operator has it: logs behind HTTP, a process that is killed, webhooks, mail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod monitor_scene;
mod program;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use fulcio_test_services::{TlsFiles, component, openssl};
use monitor_scene::{CtLog, Inbox, MailServer, Scene, wait_until};
use pki_types::{CertificateDer, pem::PemObject as _};
use program::{Done, run};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

/// Base64, as PEM has it.
fn encode(der: &CertificateDer<'_>) -> String {
    let pem = fulcio_client::to_pem(std::slice::from_ref(der)).unwrap();
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    lines.collect()
}

fn indices(lines: &str) -> Vec<u64> {
    let lines = lines
        .lines()
        .map(|line| -> Value { serde_json::from_str(line).unwrap() });
    lines
        .filter(|event| event["type"] == "certificate")
        .map(|event| event["index"].as_u64().unwrap())
        .collect()
}

#[test]
fn finds_the_certificates_of_an_identity_and_the_next_time_only_new_ones() {
    let scene = Scene::new();
    for email in [ADA, "bob@example.com", ADA] {
        scene.issue(email);
    }
    let found = scene.look(&["--identity", ADA]).good();
    assert_eq!(indices(&found), [0, 2]);
    let event: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    assert_eq!(event["certificate"]["identities"][0]["value"], ADA);
    assert_eq!(event["watches"], json!([ADA]));
    assert_eq!(event["precertificate"], true);
    // What it says is what the certificate says.
    let mut inspect = scene.fulcio();
    inspect.args(["--json", "inspect"]);
    let inspected = run(inspect.arg(scene.folder().join("issued-0/certificate.pem"))).good();
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(
        event["certificate"]["serialNumber"],
        inspected["serialNumber"]
    );
    assert_eq!(event["certificate"]["notAfter"], inspected["notAfter"]);

    assert_eq!(scene.look(&["--identity", ADA]).good(), "");
    scene.issue(ADA);
    assert_eq!(indices(&scene.look(&["--identity", ADA]).good()), [3]);
}

#[test]
fn flags_choose_what_is_watched_for() {
    let scene = Scene::new();
    scene.issue(ADA);
    scene.issue("bob@example.org");
    let issuer = scene.authority.url("/dev-idp");
    let issuer = format!("issuer={issuer}");
    for (state, flags, expected) in [
        ("a", &["--all"][..], &[0, 1][..]),
        ("b", &["--identity-regex", r"@example\.org$"], &[1]),
        ("c", &["--extension", &issuer], &[0, 1]),
        (
            "d",
            &["--identity", "BOB@EXAMPLE.ORG", "--identity", ADA],
            &[0, 1],
        ),
        ("e", &["--extension", "build-trigger=push"], &[]),
    ] {
        let found = scene.look_with(state, flags).good();
        assert_eq!(indices(&found), expected, "{flags:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_read() {
    let scene = Scene::new();
    let bad = |flags: &[&str]| scene.look(flags).bad(1);
    assert!(bad(&[]).contains("nothing to watch for"));
    assert!(bad(&["--identity-regex", "("]).contains("not a regular expression"));
    let error = bad(&["--extension", "source-repository=x"]);
    assert!(error.contains("did you mean source-repository-"), "{error}");
    assert!(bad(&["--all", "--webhook", "ftp://x"]).contains("not an http"));

    let write = |name: &str, text: &str| {
        fs::write(scene.folder().join(name), text).unwrap();
        let mut command = scene.fulcio();
        command.args(["monitor", "--once", "--config", name]);
        run(&mut command).bad(1)
    };
    let log = r#"{"url": "http://127.0.0.1:1/", "key": "log.pem"}"#;
    for (text, said) in [
        (
            r#"{"state": "s", "logs": [], "watches": [{"all": true}]}"#.to_owned(),
            "no log",
        ),
        (
            format!(r#"{{"state": "s", "logs": [{log}, {log}], "watches": [{{"all": true}}]}}"#),
            "two logs",
        ),
        (
            format!(r#"{{"state": "s", "logs": [{log}], "watches": [{{}}]}}"#),
            "no condition",
        ),
        (
            format!(
                r#"{{"state": "s", "logs": [{log}], "watches": [{{"all": true, "identity": "x"}}]}}"#
            ),
            "for all",
        ),
        (
            format!(
                r#"{{"state": "s", "logs": [{log}], "watches": [{{"all": true, "tell": ["x"]}}]}}"#
            ),
            "no channel",
        ),
        (
            format!(
                r#"{{"state": "s", "logs": [{log}], "watches": [{{"all": true}}], "stdout": false}}"#
            ),
            "nobody to tell",
        ),
        (
            format!(
                r#"{{"state": "s", "logs": [{log}], "watches": [{{"all": true}}], "colour": 1}}"#
            ),
            "colour",
        ),
    ] {
        let error = write("wrong.json", &text);
        assert!(error.contains(said), "{text}: {error}");
    }
    assert!(write("wrong.ini", "").contains(".toml"));
}

#[test]
fn the_same_configuration_reads_the_same_in_toml_yaml_and_json() {
    let scene = Scene::new();
    scene.issue(ADA);
    let url = scene.log_url();
    let toml = format!(
        "state = 's1'\npoll-interval = '1m'\n[[logs]]\nurl = '{url}'\nkey = 'log.pem'\nname = 'ours'\n[[watches]]\nidentity = '{ADA}'\n"
    );
    let yaml = format!(
        "state: s2\npoll-interval: 1m\nlogs:\n- url: {url}\n  key: log.pem\n  name: ours\nwatches:\n- identity: {ADA}\n"
    );
    let json = json!({
        "state": "s3", "poll-interval": "1m",
        "logs": [{"url": url, "key": "log.pem", "name": "ours"}],
        "watches": [{"identity": ADA}],
    });
    let mut told = BTreeSet::new();
    for (name, text) in [
        ("c.toml", toml),
        ("c.yaml", yaml),
        ("c.json", json.to_string()),
    ] {
        told.insert(scene.configured(name, &text).good());
    }
    assert_eq!(told.len(), 1);
    assert_eq!(indices(told.first().unwrap()), [0]);
}

#[test]
fn a_wrong_key_is_an_alarm_and_an_exit_code() {
    let scene = Scene::new();
    scene.issue(ADA);
    openssl(
        scene.folder(),
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key",
    );
    openssl(scene.folder(), "pkey -in other.key -pubout -out other.pem");
    let mut command = scene.monitor("state");
    command.args(["--once", "--identity", ADA, "--key", "other.pem"]);
    let done = run(&mut command);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let event: Value = serde_json::from_str(done.stdout.trim()).unwrap();
    assert_eq!(
        (&event["type"], &event["kind"]),
        (&json!("alarm"), &json!("bad-signature"))
    );
    assert!(done.stderr.contains("bad signature"), "{}", done.stderr);
}

#[test]
fn a_log_that_cannot_be_reached_is_a_failure() {
    let scene = Scene::new();
    let mut command = scene.fulcio();
    command.args([
        "monitor", "--once", "--all", "--key", "log.pem", "--state", "state",
    ]);
    let done = run(command.args(["--log", "http://127.0.0.1:1/log"]));
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(
        done.stderr.contains("cannot fetch `checkpoint`"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_process_that_is_killed_again_and_again_tells_of_every_certificate() {
    let scene = Scene::new();
    let out = scene.folder().join("told.jsonl");
    let mut issued = 0;
    for round in 0..6 {
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&out)
            .unwrap();
        let mut command = scene.monitor("state");
        command.args([
            "--key",
            "log.pem",
            "--identity",
            ADA,
            "--poll-interval",
            "100ms",
        ]);
        let mut child = command.stdout(file).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..3 {
            scene.issue(ADA);
            issued += 1;
        }
        let told = || fs::read_to_string(&out).unwrap();
        // Sometimes it is killed while it is at it, sometimes after it has told.
        if round % 2 == 0 {
            wait_until("the certificates to be told of", || {
                let told: BTreeSet<_> = whole_lines(&told()).into_iter().collect();
                (told.len() == issued).then_some(())
            });
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let left = scene.look_with("state", &["--identity", ADA]).good();
    let mut told: BTreeSet<u64> = whole_lines(&fs::read_to_string(&out).unwrap())
        .into_iter()
        .collect();
    told.extend(indices(&left));
    assert_eq!(
        told.into_iter().collect::<Vec<_>>(),
        (0..issued as u64).collect::<Vec<_>>()
    );
}

/// The last line may have been cut by the kill.
fn whole_lines(text: &str) -> Vec<u64> {
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    indices(&text[..end])
}

#[test]
fn a_webhook_is_told_again_until_it_takes_it_and_can_check_who_tells() {
    let scene = Scene::new();
    scene.issue(ADA);
    let inbox = Inbox::answering(&[503, 429, 200]);
    fs::write(scene.folder().join("webhook.secret"), "between us\n").unwrap();
    let url = inbox.url();
    let webhook = ["--webhook", &url, "--webhook-secret-file", "webhook.secret"];
    let found = scene
        .look(&[&["--identity", ADA][..], &webhook].concat())
        .good();
    let taken = inbox.taken();
    assert_eq!(taken.len(), 3, "refused, refused, taken");
    for request in &taken {
        assert_eq!(request.body, found.trim_end());
        assert_eq!(request.header("content-type").unwrap(), "application/json");
        fs::write(scene.folder().join("body.json"), &request.body).unwrap();
        let mut command = Command::new("openssl");
        command.args(["dgst", "-sha256", "-hmac", "between us", "body.json"]);
        let output = command.current_dir(scene.folder()).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let hex = output.trim().rsplit(' ').next().unwrap();
        assert_eq!(
            request.header("fulcio-signature").unwrap(),
            format!("sha256={hex}")
        );
    }
}

#[test]
fn a_webhook_that_refuses_is_a_failure_and_gets_it_the_next_time() {
    let scene = Scene::new();
    scene.issue(ADA);
    let inbox = Inbox::answering(&[403, 200]);
    let url = inbox.url();
    let flags = ["--identity", ADA, "--webhook", &url];
    let done = scene.look(&flags);
    assert_eq!(done.code, 1);
    assert_eq!(indices(&done.stdout), [0]);
    assert!(
        done.stderr
            .contains("webhook-1 was not told, 1 events wait: it answers with status 403")
    );
    assert_eq!(scene.look(&flags).good(), "");
    let taken = inbox.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].body, taken[1].body);
    assert_eq!(taken[0].header("fulcio-signature"), None);
}

#[test]
fn several_logs_are_followed_at_once_and_a_secret_may_be_in_a_variable() {
    let (scene, other) = (Scene::new(), Scene::new());
    scene.issue(ADA);
    other.issue("bob@example.com");
    other.issue(ADA);
    fs::copy(
        other.folder().join("log.pem"),
        scene.folder().join("other.pem"),
    )
    .unwrap();
    let inbox = Inbox::answering(&[200]);
    let configuration = |variable: &str| {
        json!({
            "state": "state",
            "logs": [
                {"url": scene.log_url(), "key": "log.pem", "name": "one"},
                {"url": other.log_url(), "key": "other.pem", "name": "../two"},
                {"url": "http://127.0.0.1:1/", "key": "log.pem", "name": "gone"},
            ],
            "watches": [{"identity": ADA, "name": "Ada"}],
            "webhooks": [{"url": inbox.url(), "secret-env": variable}],
        })
        .to_string()
    };
    let done = scene.configured("m.json", &configuration("NO_SUCH_VARIABLE"));
    assert!(done.bad(1).contains("NO_SUCH_VARIABLE"));
    let done = scene.configured("m.json", &configuration(monitor_scene::SECRET.0));
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("not done: gone"), "{}", done.stderr);
    let told: BTreeSet<String> = done.stdout.lines().map(str::to_owned).collect();
    let ids: Vec<_> = told
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, ["../two#1", "one#0"]);
    let taken = inbox.taken();
    let bodies: BTreeSet<String> = taken.iter().map(|posted| posted.body.clone()).collect();
    assert_eq!(bodies, told);
    for posted in taken {
        let mut command = Command::new("openssl");
        command.args([
            "dgst",
            "-sha256",
            "-hmac",
            monitor_scene::SECRET.1,
            "body.json",
        ]);
        fs::write(scene.folder().join("body.json"), &posted.body).unwrap();
        let judged = run(command.current_dir(scene.folder())).good();
        let hex = judged.trim().rsplit(' ').next().unwrap();
        assert!(posted.header("fulcio-signature").unwrap().ends_with(hex));
    }
    let folders = fs::read_dir(scene.folder().join("state")).unwrap();
    let folders: BTreeSet<_> = folders.map(|it| it.unwrap().file_name()).collect();
    let folders: Vec<_> = folders.iter().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(folders, ["%2E.%2Ftwo", "gone", "one"]);
}

fn mail_configuration(scene: &Scene, server: &MailServer, more: &str) -> String {
    format!(
        "state = 'state'\nstdout = false\n[[logs]]\nurl = '{}'\nkey = 'log.pem'\nname = 'ours'\n\
         [[watches]]\nidentity = '{ADA}'\n\
         [[mails]]\nserver = '127.0.0.1'\nport = {}\nfrom = 'Monitor <monitor@example.com>'\n{more}\n",
        scene.log_url(),
        server.port
    )
}

#[test]
fn mail_reaches_another_address_over_starttls_and_over_tls_with_a_password() {
    let Some(programs) = component("FULCIO_SMTP") else {
        return;
    };
    let tls = TlsFiles::create();
    for mode in ["starttls", "tls"] {
        let scene = Scene::new();
        scene.issue(ADA);
        let (certificate, key) = (tls.path("cert.pem"), tls.path("key.pem"));
        let arguments = [
            "--tls",
            mode,
            &certificate,
            &key,
            "--login",
            "monitor",
            "a secret",
        ];
        let server = MailServer::start(&programs, &arguments);
        fs::write(scene.folder().join("mail.password"), "a secret\n").unwrap();
        let more = format!(
            "to = ['Ada <ada@elsewhere.example>', 'security@example.org']\ntls = '{mode}'\nca-file = '{certificate}'\n\
             username = 'monitor'\npassword-file = 'mail.password'"
        );
        scene
            .configured("monitor.toml", &mail_configuration(&scene, &server, &more))
            .good();
        let mail = server.next();
        assert_eq!(mail["from"], "monitor@example.com");
        assert_eq!(
            mail["to"],
            json!(["ada@elsewhere.example", "security@example.org"])
        );
        assert_eq!(
            (&mail["tls"], &mail["login"]),
            (&json!(true), &json!("monitor"))
        );
        let content = mail["content"].as_str().unwrap();
        assert!(
            content.contains("Subject: Certificate for ada@example.com in ours"),
            "{content}"
        );
        assert!(
            content.contains("Message-ID: <ours.0@fulcio-monitor>"),
            "{content}"
        );
        assert!(content.contains("Identity: ada@example.com"), "{content}");

        // Without the password, or without trust in the server, nothing is sent.
        fs::write(scene.folder().join("mail.password"), "another\n").unwrap();
        scene.issue(ADA);
        // This server does not hang up on who does not know the password either.
        let unknown = mail_configuration(&scene, &server, &more);
        let refused = scene.configured("monitor.toml", &format!("timeout = '5s'\n{unknown}"));
        assert_eq!(refused.code, 1);
        assert!(
            refused
                .stderr
                .contains("mail-1 was not told, 1 events wait"),
            "{}",
            refused.stderr
        );
        assert!(!refused.stderr.contains("another"), "{}", refused.stderr);
        fs::write(scene.folder().join("mail.password"), "a secret\n").unwrap();
        let distrusting = more.replace(&certificate, "log-tls.pem");
        let other = TlsFiles::create();
        fs::copy(other.path("cert.pem"), scene.folder().join("log-tls.pem")).unwrap();
        // A server whose handshake failed does not hang up by itself.
        let distrusting = mail_configuration(&scene, &server, &distrusting);
        let refused = scene.configured("monitor.toml", &format!("timeout = '2s'\n{distrusting}"));
        assert_eq!(refused.code, 1);
        scene
            .configured("monitor.toml", &mail_configuration(&scene, &server, &more))
            .good();
        assert!(
            server.next()["content"]
                .as_str()
                .unwrap()
                .contains("<ours.1@fulcio-monitor>")
        );
    }
}

#[test]
fn mail_that_the_server_puts_off_is_sent_the_next_time_and_to_the_watched_address_only_with_a_warning()
 {
    let Some(programs) = component("FULCIO_SMTP") else {
        return;
    };
    let scene = Scene::new();
    scene.issue(ADA);
    let more = format!("to = ['{ADA}']\ntls = 'none'");
    let busy = MailServer::start(&programs, &["--refuse"]);
    let done = scene.configured("monitor.toml", &mail_configuration(&scene, &busy, &more));
    assert_eq!(done.code, 1);
    assert!(
        done.stderr
            .contains("warning: mail-1 sends to ada@example.com, which is watched")
    );
    assert!(
        done.stderr.contains("The mailbox is busy"),
        "{}",
        done.stderr
    );
    let server = MailServer::start(&programs, &[]);
    let done = scene.configured("monitor.toml", &mail_configuration(&scene, &server, &more));
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(server.next()["to"], json!([ADA]));
}

#[test]
fn a_log_of_certificate_transparency_go_is_followed_while_it_grows() {
    let Some(program) = component("FULCIO_CTLOG") else {
        return;
    };
    let scene = Scene::new();
    let log = CtLog::start(&program, &scene);
    let add = |email: &str| {
        let folder = scene.issue(email);
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        let chain: Vec<_> = [read("certificate.pem"), read("chain.pem")]
            .iter()
            .flat_map(|pem| {
                CertificateDer::pem_slice_iter(pem)
                    .map(Result::unwrap)
                    .collect::<Vec<_>>()
            })
            .map(|der| encode(&der))
            .collect();
        log.add_chain(&json!({ "chain": chain }));
    };
    let look = || {
        let mut command = scene.fulcio();
        command.args([
            "monitor",
            "--once",
            "--protocol",
            "rfc6962",
            "--state",
            "ctfe",
        ]);
        command.args(["--log", log.url(), "--key", "ctfe.pem", "--identity", ADA]);
        run(&mut command).good()
    };
    let mut told = String::new();
    for (round, email) in [ADA, "bob@example.com", ADA, ADA].iter().enumerate() {
        add(email);
        log.wait_for(round as u64 + 1);
        told += &look();
    }
    let mut found = indices(&told);
    found.sort_unstable();
    assert_eq!(found, [0, 2, 3]);
    let event: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(event["precertificate"], false);
    let state = fs::read_dir(scene.folder().join("ctfe")).unwrap().count();
    assert_eq!(state, 1);
}

const PAGE: &str = include_str!("../../../docs/monitor.md");

fn blocks(kind: &str) -> Vec<&'static str> {
    let opening = format!("\n```{kind}\n");
    let parts = PAGE.split(&opening).skip(1);
    parts
        .map(|rest| rest.split_once("```\n").unwrap().0)
        .collect()
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let scene = Scene::new();
    let shell = |commands: &str| -> Done {
        let program = Path::new(env!("CARGO_BIN_EXE_fulcio")).parent().unwrap();
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", commands])
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", program.display()),
            )
            .env("FULCIO", scene.authority.url(""))
            .current_dir(scene.folder());
        run(&mut command)
    };
    let [request, first, second, configured, signature] = blocks("sh")[..] else {
        panic!("the page has other commands")
    };
    shell(request).good();
    scene.wait_for(1);
    assert_eq!(indices(&shell(first).good()), [0]);
    assert_eq!(shell(second).good(), "");

    let inbox = Inbox::answering(&[200]);
    let url = scene.log_url();
    let configuration = blocks("toml")[0]
        .replace("https://fulcio.example.com/ct-log", &url)
        .replace(
            "fulcio.example.com/ct-log",
            url.strip_prefix("http://").unwrap(),
        )
        .replace("https://hooks.example.com/fulcio", &inbox.url())
        .replace(
            "tell = [\"ada\", \"stdout\"]",
            "tell = [\"incidents\", \"stdout\"]",
        );
    let file = |name: &str, text: &str| fs::write(scene.folder().join(name), text).unwrap();
    file("monitor.toml", &configuration);
    file("webhook.secret", "secret\n");
    file("mail.password", "secret\n");
    assert_eq!(indices(&shell(configured).good()), [0]);
    let taken = inbox.taken();
    file("body.json", &taken[0].body);
    let judged = shell(signature).good();
    let hex = judged.trim().rsplit(' ').next().unwrap();
    assert_eq!(
        taken[0].header("fulcio-signature").unwrap(),
        format!("sha256={hex}")
    );
}

#[test]
fn the_monitor_ends_when_it_is_told_to() {
    let scene = Scene::new();
    let mut command = scene.monitor("state");
    command.args(["--key", "log.pem", "--all", "--poll-interval", "100ms"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the state", || {
        let state = scene.folder().join("state");
        fs::read_dir(state).ok()?.next().map(drop)
    });
    let kill = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(kill.success());
    let status = wait_until("the end", || {
        std::thread::sleep(Duration::from_millis(5));
        child.try_wait().unwrap()
    });
    assert_eq!(status.code(), Some(0));
}
