use std::{
    collections::BTreeSet,
    fs,
    net::TcpStream,
    path::Path,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use fulcio_audit_log::{Digest, Expectation, files_of, verify};
use fulcio_client::{Client, ClientKey, Expected, Trust};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{FetchError, Reader};
use pki_types::{CertificateDer, pem::PemObject as _};

use super::{
    row::{Row, Scene},
    stage::Stage,
};
use crate::{
    common::{ask_while, half, rest, signing_request, wait_until},
    load::Load,
};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("SIGTERM under load", terminated),
    Scene::new(
        "a request is still in flight when `--shutdown-grace` is over",
        cut_off,
    ),
    Scene::new(
        "`kill -9` under load, with an embedded log and an audit trail",
        killed,
    ),
    Scene::new(
        "every watched file is overwritten with garbage under load",
        garbage,
    ),
];

/// A number of `/proc/PID/status`, such as kibibytes of `VmRSS`.
pub(super) fn status(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn terminated() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    let address = server.server.http();
    let (answered, connecting) = (Arc::new(AtomicUsize::new(0)), Arc::new(RwLock::new(true)));
    let clients: Vec<_> = (0..4)
        .map(|number| {
            let body = signing_request(&stage.idp).to_string();
            let (answered, connecting) = (Arc::clone(&answered), Arc::clone(&connecting));
            thread::spawn(move || {
                ask_while(address, &body, number % 2 == 0, &answered, &connecting)
            })
        })
        .collect();
    wait_until("some load", || {
        (answered.load(Ordering::SeqCst) > 20).then_some(())
    });
    // What connects while the port closes was never accepted, and who connects cannot tell.
    *connecting.write().unwrap() = false;
    server.server.signal("TERM");
    let said = server.said("stopping", &[]);
    let ended = server.server.finish();
    let told: Vec<String> = clients
        .into_iter()
        .filter_map(|client| client.join().unwrap())
        .collect();
    assert_eq!(told, Vec::<String>::new());
    assert!(ended.success(), "{}", ended.stderr);
    assert!(TcpStream::connect(address).is_err());
    Row {
        client: "200, a certificate, for every request on a connection that was there; further connections are refused"
            .to_owned(),
        operator: format!("{said}; exit code 0"),
        lost: "nothing: no client that was connected was told anything else".to_owned(),
    }
}

fn cut_off() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url=", "--shutdown-grace=1s"]);
    let stuck = half(&server.server, &signing_request(&stage.idp).to_string());
    // It is taken up before the other is answered.
    server.issues();
    server.server.signal("TERM");
    let said = server.said(
        "requests were still in flight when the time",
        &["connections"],
    );
    let ended = server.server.finish();
    assert_eq!((rest(stuck).as_str(), ended.success()), ("", true));
    Row {
        client: "the end of the connection, after `--shutdown-grace`".to_owned(),
        operator: format!("{said}; exit code 0"),
        lost: "that request; no certificate was signed for it".to_owned(),
    }
}

/// Asks for certificates until the server is dead; those that came.
fn until_killed(
    url: &str,
    token: &str,
    dying: &AtomicBool,
    given: &Mutex<Vec<CertificateDer<'static>>>,
) {
    let client = Client::new(url, &[], Duration::from_secs(20));
    loop {
        match client.certificate(token, &ClientKey::generate().unwrap()) {
            Ok(chain) => given.lock().unwrap().push(chain[0].clone()),
            Err(_) if dying.load(Ordering::SeqCst) => return,
            Err(error) => panic!("before the kill: {error}"),
        }
    }
}

fn killed() -> Row {
    let stage = Stage::set();
    let flags = [
        "--ct-log-url=embedded:@log",
        "--ct-log-origin=log.example.com",
        "--audit-log=@audit.jsonl",
        "--audit-log-node=ca-1",
        "--audit-log-sync",
    ];
    let given = Mutex::<Vec<CertificateDer<'static>>>::default();
    for _ in 0..2 {
        let server = stage.serve(&flags);
        let (url, dying) = (server.server.url(""), AtomicBool::new(false));
        let wanted = given.lock().unwrap().len() + 25;
        thread::scope(|scope| {
            for number in 0..3 {
                let token = stage.idp.token(&format!("client-{number}@example.com"));
                let (url, dying, given) = (&url, &dying, &given);
                scope.spawn(move || until_killed(url, &token, dying, given));
            }
            wait_until("certificates", || {
                (given.lock().unwrap().len() >= wanted).then_some(())
            });
            dying.store(true, Ordering::SeqCst);
            assert!(server.server.kill().status.code().is_none());
        });
    }
    let server = stage.serve(&flags);
    server.issues();
    let url = server.server.url("");
    let given = given.into_inner().unwrap();
    are_in_log(&stage, &url, &given);
    assert!(server.server.terminate().success());
    let files = files_of(&stage.ca.folder().join("audit.jsonl")).unwrap();
    assert_eq!(
        verify(&files, &Expectation::default()).unwrap().findings,
        []
    );
    let text: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let recorded: BTreeSet<&str> = text
        .split("\"certificate\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    for certificate in &given {
        let digest = Digest::of(certificate).to_string();
        assert!(recorded.contains(digest.as_str()), "{digest}");
    }
    Row {
        client: "the end of the connection".to_owned(),
        operator: "the next start goes on with the same tree and the same chain of records, and is ready".to_owned(),
        lost: "nothing: after two kills, every certificate that a client got is in the log, by a proof of inclusion, and in \
               the trail, which verifies"
            .to_owned(),
    }
}

fn are_in_log(stage: &Stage, url: &str, given: &[CertificateDer<'static>]) {
    let pem = fs::read(stage.ca.folder().join("log/public-key.pem")).unwrap();
    let key = LogKey::from_pem(&pem).unwrap();
    let client = Client::new(url, &[], Duration::from_secs(20));
    let fetch = |path: &str| -> Result<Option<Vec<u8>>, FetchError> {
        Ok(Some(client.bytes(&format!("/ct-log/{path}"))?))
    };
    let reader = Reader::new(fetch, "log.example.com", key.clone());
    let head = reader.checkpoint().unwrap();
    let chain = stage.ca.read("chain.pem");
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap);
    let trust = Trust::new(vec![chain.collect()], vec![key]);
    for certificate in given {
        let verified = trust.verify(certificate, &Expected::default()).unwrap();
        let entry = verified.precertificate.entry();
        reader
            .inclusion_of(&head, entry, &verified.timestamp)
            .unwrap();
    }
}

fn garbage() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&[
        "--ct-log-url=embedded:@log",
        "--ct-log-origin=log.example.com",
    ]);
    let log = stage.ca.path("log");
    let load = Load::start(&server.server.url(""), Path::new(&log), &stage.idp);
    load.goes_on();
    for name in ["config.yaml", "intermediate.key.pem", "chain.pem"] {
        stage.ca.write(name, "garbage");
    }
    let lines = [
        "the issuer configuration stays as it was, because",
        "the issuing key with its chain stays as it was, because",
    ]
    .map(|line| {
        let said = server.said(line, &[]);
        let (severity, _) = said.split_once(':').unwrap();
        format!("{severity}: `{line} …`")
    });
    load.goes_on();
    server.server.signal("HUP");
    server.said("SIGHUP", &[]);
    load.goes_on();
    wait_until("both to be counted", || {
        let page = server.server.metrics();
        let count = page
            .lines()
            .filter(|line| {
                line.starts_with("fulcio_reload_last_successful{") && line.ends_with(" 0")
            })
            .count();
        (count == 2).then_some(())
    });
    let ready = server.becomes(200, "");
    let served: usize = load.end().values().sum();
    assert!(served > 0);
    Row {
        client: "200, a certificate, for every request".to_owned(),
        operator: format!(
            "{ready}; {}; `fulcio_reload_last_successful{{part=…}} 0` for both",
            lines.join(", ")
        ),
        lost: "nothing: what was in use stays in use, and every certificate verifies".to_owned(),
    }
}
