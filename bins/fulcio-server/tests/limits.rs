//! What the server puts up with, and how it stops, seen by real clients of a real process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    process::Command,
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fulcio_api::proto::v2::{
    CreateSigningCertificateRequest, Credentials, SigningCertificate,
    create_signing_certificate_request::Key, credentials::Credentials as Credential,
};
use fulcio_client::ClientKey;
use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::FakeKey;
use serde_json::{Value, json};

use common::{
    Answer, Scene, Server, Variables, ask_while, get, grpc, half, http, rest, signing_request,
    wait_until,
};

fn start(scene: &Scene, flags: &[&str]) -> Server {
    let all = [&["--ca=ephemeralca"], flags].concat();
    scene.start(scene.serve(&all, &Variables::new()))
}

fn csr() -> Vec<u8> {
    let key = ClientKey::generate().unwrap();
    key.certificate_request().unwrap().into_bytes()
}

fn of(scene: &Scene, email: &str) -> Value {
    json!({
        "credentials": {"oidcIdentityToken": scene.idp().token(email)},
        "certificateSigningRequest": BASE64_STANDARD.encode(csr()),
    })
}

fn sign(server: &Server, request: &Value, forwarded_for: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(forwarded_for.map(|address| ("x-forwarded-for", address)));
    let url = server.url("/api/v2/signingCert");
    http("POST", &url, &headers, Some(request.to_string().as_bytes()))
}

#[track_caller]
fn assert_limited(answer: &Answer) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["code"], 8);
    assert_eq!(body["message"], "too many requests, try again later");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
}

#[test]
fn an_identity_gets_so_many_certificates_and_another_one_its_own() {
    let scene = Scene::new();
    let server = start(&scene, &["--rate-limit-identity=2/h"]);
    for _ in 0..2 {
        assert_eq!(
            sign(&server, &of(&scene, "ada@example.com"), None).status,
            200
        );
    }
    assert_limited(&sign(&server, &of(&scene, "ada@example.com"), None));
    assert_eq!(
        sign(&server, &of(&scene, "bob@example.com"), None).status,
        200
    );

    let call = CreateSigningCertificateRequest {
        credentials: Some(Credentials {
            credentials: Some(Credential::OidcIdentityToken(
                scene.idp().token("ada@example.com"),
            )),
        }),
        key: Some(Key::CertificateSigningRequest(csr())),
    };
    let path = "/dev.sigstore.fulcio.v2.CA/CreateSigningCertificate";
    let refused = grpc::<_, SigningCertificate>(server.grpc(), path, &[], call).unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(refused.metadata().get("retry-after").is_some());
    // Two were refused, each with a line and in the metric.
    server.says("identity=\"ada@example.com\"");
    let metrics = server.metrics();
    assert!(
        metrics.contains("fulcio_refusals_total{reason=\"rate-limited\"} 2\n"),
        "{metrics}"
    );
}

#[test]
fn tokens_of_an_issuer_get_so_many_certificates_whoever_they_are_of() {
    let scene = Scene::new();
    let server = start(&scene, &["--rate-limit-issuer=1/h:2"]);
    // What is not authenticated does not count.
    let mut forged = of(&scene, "ada@example.com");
    forged["credentials"]["oidcIdentityToken"] = "a.b.c".into();
    for _ in 0..3 {
        assert_eq!(sign(&server, &forged, None).status, 400);
    }
    for email in ["ada@example.com", "bob@example.com"] {
        assert_eq!(sign(&server, &of(&scene, email), None).status, 200);
    }
    assert_limited(&sign(&server, &of(&scene, "eve@example.com"), None));
}

#[test]
fn an_address_asks_so_often_and_a_trusted_proxy_tells_which_it_is() {
    let scene = Scene::new();
    let flags = [
        "--rate-limit-address=1/h:2",
        "--trusted-proxies=127.0.0.1,10.0.0.0/8",
    ];
    let server = start(&scene, &flags);
    // Before its token is looked at: what is refused counts too.
    let forged = json!({"certificateSigningRequest": BASE64_STANDARD.encode(csr())});
    let client = Some("6.6.6.6, 192.0.2.1, 10.1.2.3");
    assert_eq!(sign(&server, &forged, client).status, 400);
    assert_eq!(
        sign(&server, &of(&scene, "ada@example.com"), client).status,
        200
    );
    let before = scene.idp().requests();
    assert_limited(&sign(&server, &of(&scene, "ada@example.com"), client));
    // Whatever it says itself, and from wherever in its network.
    assert_limited(&sign(
        &server,
        &of(&scene, "ada@example.com"),
        Some("8.8.8.8, 192.0.2.1"),
    ));
    assert_eq!(scene.idp().requests(), before);
    for other in ["192.0.2.2", "2001:db8:1:1::1", "2001:db8:1:2::1"] {
        assert_eq!(
            sign(&server, &of(&scene, "ada@example.com"), Some(other)).status,
            200
        );
    }
    // The third of one /64.
    assert_eq!(sign(&server, &forged, Some("2001:db8:1:1::2")).status, 400);
    assert_limited(&sign(&server, &forged, Some("2001:db8:1:1:ffff::3")));
    server.says("peer=192.0.2.1:0");
    // Nobody else is slowed down, nor is what is not signing.
    assert_eq!(get(&server.url("/api/v2/trustBundle")).status, 200);
    assert_eq!(get(&server.url("/readyz")).status, 200);
}

#[test]
fn flags_that_cannot_be_meant_end_the_server_with_2() {
    for (flag, said) in [
        (
            "--rate-limit-address=10",
            "a rate is a number and a time, as in 10/m or 5/s:20",
        ),
        (
            "--rate-limit-identity=0/s",
            "a rate is a number from 1 to 1000000000",
        ),
        ("--rate-limit-issuer=1/d", "the time of a rate is s, m or h"),
        (
            "--trusted-proxies=10.0.0.0/8,proxy",
            "`proxy` is neither an address nor a network",
        ),
        ("--max-connections=many", "invalid digit"),
        ("--max-connections=0", "0 is not in 1.."),
    ] {
        let ended = common::run(&["serve", "--ca=ephemeralca", flag]);
        assert_eq!(ended.status.code(), Some(2), "{flag}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{flag}: {}", ended.stderr);
    }
}

#[test]
fn forged_tokens_cause_one_fetch_of_keys_in_ten_seconds_under_whatever_names_of_keys() {
    let scene = Scene::new();
    let server = start(&scene, &[]);
    issues_by_ephemeral(&scene, &server);
    assert_eq!(scene.idp().requests(), 2, "discovery document and key set");
    let begun = Instant::now();
    let mut forged = 0;
    for number in 0..50 {
        let stranger = FakeKey::generate(Algorithm::Es256).named(&format!("made-up-{number}"));
        let token = scene
            .idp()
            .draft("ada@example.com")
            .signed_by(&stranger)
            .mint();
        let mut request = of(&scene, "ada@example.com");
        request["credentials"]["oidcIdentityToken"] = token.into();
        assert_eq!(sign(&server, &request, None).status, 400);
        forged += 1;
    }
    let windows = 1 + usize::try_from(begun.elapsed().as_secs()).unwrap() / 10;
    let fetched = scene.idp().requests() - 2;
    assert!(
        (1..=windows).contains(&fetched),
        "{fetched} fetches for {forged} tokens"
    );
    issues_by_ephemeral(&scene, &server);
}

#[track_caller]
fn issues_by_ephemeral(scene: &Scene, server: &Server) {
    let answer = scene.request(server);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn where_a_token_chooses_the_host_no_private_address_is_asked() {
    let scene = Scene::new();
    let issuer = scene.idp().issuer().to_owned();
    let port = issuer.rsplit(':').next().unwrap();
    scene.write(
        "config.yaml",
        format!(
            "meta-issuers:\n  http://127.0.0.*:{port}:\n    client-id: sigstore\n    type: email\n  \
             http://10.0.*.1:{port}:\n    client-id: sigstore\n    type: email\n  \
             http://169.254.*.254:{port}:\n    client-id: sigstore\n    type: email\n"
        ),
    );
    let server = start(&scene, &[]);
    // Loopback is this machine's own business.
    assert_eq!(
        sign(&server, &of(&scene, "ada@example.com"), None).status,
        200
    );
    for host in ["10.0.0.1", "169.254.169.254"] {
        let draft = scene.idp().draft("ada@example.com");
        let token = draft.claim("iss", format!("http://{host}:{port}")).mint();
        let mut request = of(&scene, "ada@example.com");
        request["credentials"]["oidcIdentityToken"] = token.into();
        let begun = Instant::now();
        let answer = sign(&server, &request, None);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(begun.elapsed() < Duration::from_secs(5), "it was tried");
        server.says(&format!("{host} is an address of a private network"));
    }
}

#[test]
fn a_stop_under_load_loses_no_request_and_ends_with_0() {
    let scene = Scene::new();
    let server = start(&scene, &[]);
    let address = server.http();
    let (answered, connecting) = (Arc::new(AtomicUsize::new(0)), Arc::new(RwLock::new(true)));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let request = signing_request(scene.idp()).to_string();
            let (answered, connecting) = (Arc::clone(&answered), Arc::clone(&connecting));
            // Half of them keep their connections, half make a new one each time.
            thread::spawn(move || {
                ask_while(address, &request, number % 2 == 0, &answered, &connecting)
            })
        })
        .collect();
    let body = signing_request(scene.idp()).to_string();
    let mut half_sent = half(&server, &body);
    // A connection without any request, such as a supervisor's.
    let mut idle = TcpStream::connect(address).unwrap();
    wait_until("some load", || {
        (answered.load(Ordering::SeqCst) > 40).then_some(())
    });
    // What connects in the very moment in which the port closes was never accepted, and who connects cannot tell.
    *connecting.write().unwrap() = false;
    let signalled = Instant::now();
    server.signal("TERM");
    server.says("stopping");
    let asked = idle.write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n");
    // On a machine that is too slow, nobody waits for that question any more.
    if signalled.elapsed() < Duration::from_millis(250) {
        asked.unwrap();
        let ready = rest(idle);
        assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
        assert!(ready.contains("stopping"), "{ready}");
    }
    half_sent
        .write_all(&body.as_bytes()[body.len() / 2..])
        .unwrap();
    let answer = rest(half_sent);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("BEGIN CERTIFICATE"), "{answer}");

    let ended = server.finish();
    let lost: Vec<String> = clients
        .into_iter()
        .filter_map(|client| client.join().unwrap())
        .collect();
    assert_eq!(lost, Vec::<String>::new());
    assert_eq!(
        ended.status.code(),
        Some(0),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}

#[test]
fn what_is_still_in_flight_when_the_grace_is_over_is_cut_off_and_counted() {
    let scene = Scene::new();
    let server = start(&scene, &["--shutdown-grace=1s"]);
    let stuck = half(&server, &signing_request(scene.idp()).to_string());
    // It is taken up before the other is answered.
    issues_by_ephemeral(&scene, &server);
    let ended = server.terminate();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let output = ended.stdout + &ended.stderr;
    assert!(
        output.contains("requests were still in flight when the time"),
        "{output}"
    );
    assert!(output.contains("connections=1"), "{output}");
    assert_eq!(rest(stuck), "");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let scene = Scene::new();
    let server = start(&scene, &["--shutdown-grace=1h"]);
    let stuck = half(&server, &signing_request(scene.idp()).to_string());
    issues_by_ephemeral(&scene, &server);
    server.signal("INT");
    server.says("stopping");
    let ended = server.terminate();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("a second signal ended what was still in flight"),
        "{}",
        ended.stderr
    );
    assert_eq!(rest(stuck), "");
}

#[test]
fn while_the_stop_is_delayed_it_is_not_ready_and_serves_whoever_comes() {
    let scene = Scene::new();
    let server = start(&scene, &["--shutdown-delay=1h"]);
    issues_by_ephemeral(&scene, &server);
    server.signal("TERM");
    server.says("not ready any more, and stopping later delay=3600s");
    let ready = get(&server.url("/readyz"));
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("stopping"), "{}", ready.text());
    assert_eq!(get(&server.url("/healthz")).status, 200);
    issues_by_ephemeral(&scene, &server);
    assert_eq!(server.terminate().status.code(), Some(1));

    let server = start(&scene, &["--shutdown-delay=1s"]);
    let begun = Instant::now();
    let ended = server.terminate();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

fn soft_limit(server: &Server) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap()
}

/// The server, where so many files may be open at first.
fn with_ulimit(scene: &Scene, ulimit: &str, flags: &[&str]) -> Server {
    let all = [&["--ca=ephemeralca"], flags].concat();
    let inner = scene.serve(&all, &Variables::new());
    let mut command = Command::new("sh");
    command.current_dir(scene.folder()).env_clear();
    command.args(["-c", &format!("{ulimit} && exec \"$0\" \"$@\"")]);
    command.arg(inner.get_program()).args(inner.get_args());
    scene.start(command)
}

#[test]
fn the_soft_limit_of_open_files_is_raised_and_a_hard_one_that_is_too_low_is_told() {
    let scene = Scene::new();
    let server = with_ulimit(&scene, "ulimit -Sn 256", &["--max-connections=500"]);
    assert_eq!(soft_limit(&server), 1500);
    drop(server);
    let server = with_ulimit(&scene, "ulimit -n 600", &["--max-connections=500"]);
    assert_eq!(soft_limit(&server), 600);
    server.says("fewer files may be open than --max-connections needs");
    server.says("wanted=1500");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test command says how much is tested"
)]
fn full() -> bool {
    std::env::var_os("FULCIO_TEST_FULL").is_some()
}

/// Memory is told, not judged: `cargo test … -- --nocapture` shows it.
#[test]
fn ten_thousand_idle_connections_do_not_keep_others_from_their_certificates() {
    if !full() {
        return;
    }
    let count = 9_900;
    rlimit::increase_nofile_limit(count + 1000).unwrap();
    let scene = Scene::new();
    let server = start(&scene, &["--idle-connection-timeout=10m"]);
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    issues_by_ephemeral(&scene, &server);
    let before = memory();
    let idle: Vec<_> = (0..count)
        .map(|_| TcpStream::connect(server.http()).unwrap())
        .collect();
    let begun = Instant::now();
    issues_by_ephemeral(&scene, &server);
    println!(
        "{count} idle connections: {} KiB more than the {before} KiB before; a certificate in {:?}",
        memory() - before,
        begun.elapsed()
    );
    drop(idle);
    let ended = server.terminate();
    assert_eq!(ended.status.code(), Some(0));
}
