//! A server that is killed under load has every certificate in its log that it ever gave out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    env,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{CaFiles, IdpServer, Server};
use fulcio_client::{Client, ClientKey, Expected, Trust};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{Checkpoint, FetchError, Reader};
use pki_types::{CertificateDer, pem::PemObject as _};

const ORIGIN: &str = "log.example.com";
const CLIENTS: usize = 6;

/// How often the server is killed.
#[expect(clippy::disallowed_methods, reason = "the test command asks for more")]
fn kills() -> usize {
    if env::var_os("FULCIO_TEST_FULL").is_some() {
        50
    } else {
        8
    }
}

/// Some time up to `most`.
fn random(most: Duration) -> Duration {
    let mut octets = [0; 2];
    aws_lc_rs::rand::fill(&mut octets).unwrap();
    most * u32::from(u16::from_le_bytes(octets)) / 0x1_0000
}

struct Stage {
    ca: CaFiles,
    idp: IdpServer,
}

impl Stage {
    fn server(&self) -> Server {
        let mut flags = self.ca.flags();
        flags.push(format!(
            "--config-path={}",
            self.idp.write_config(self.ca.folder())
        ));
        flags.push(format!("--ct-log-url=embedded:{}", self.ca.path("log")));
        flags.push(format!("--ct-log-origin={ORIGIN}"));
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        Server::start_on_one_port(&flags)
    }

    fn log_key(&self) -> LogKey {
        let pem = self.ca.openssl("pkey -in log/key.pem -pubout");
        LogKey::from_pem(pem.as_bytes()).unwrap()
    }
}

/// What a server gave out before it was killed.
#[derive(Default)]
struct Given {
    certificates: Mutex<Vec<CertificateDer<'static>>>,
    checkpoints: Vec<Vec<u8>>,
}

/// Asks for certificates and checkpoints, and kills the server after some time.
fn load_and_kill(stage: &Stage, given: &mut Given, life: Duration) {
    let server = stage.server();
    let url = server.url("");
    let dying = AtomicBool::new(false);
    let (certificates, checkpoints) = (&given.certificates, &mut given.checkpoints);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (url, dying) = (&url, &dying);
            scope.spawn(move || {
                let client = Client::new(url, &[], Duration::from_secs(20));
                let token = stage.idp.token(&format!("user{number}@example.com"));
                loop {
                    let key = ClientKey::generate().unwrap();
                    match client.certificate(&token, &key) {
                        Ok(chain) => certificates.lock().unwrap().push(chain[0].clone()),
                        Err(_) if dying.load(Ordering::SeqCst) => return,
                        Err(error) => panic!("before the kill: {error}"),
                    }
                }
            });
        }
        let client = Client::new(&url, &[], Duration::from_secs(20));
        let begun = Instant::now();
        while begun.elapsed() < life {
            let note = client.bytes("/ct-log/checkpoint").unwrap();
            if checkpoints.last() != Some(&note) {
                checkpoints.push(note);
            }
            thread::sleep(Duration::from_millis(5));
        }
        dying.store(true, Ordering::SeqCst);
        let finished = server.kill();
        assert!(finished.status.code().is_none(), "{finished:?}");
    });
}

#[test]
fn every_certificate_that_was_given_out_is_in_the_log_after_kills_under_load() {
    let stage = Stage {
        ca: CaFiles::create(),
        idp: IdpServer::start(),
    };
    let mut given = Given::default();
    for _ in 0..kills() {
        let life = random(Duration::from_secs(2));
        load_and_kill(&stage, &mut given, life);
    }

    let server = stage.server();
    let client = Client::new(&server.url(""), &[], Duration::from_secs(20));
    let key = stage.log_key();
    let known = RefCell::new(HashMap::new());
    let fetch = |path: &str| -> Result<Option<Vec<u8>>, FetchError> {
        // Of what the log serves, only the checkpoint changes, and that is fetched once.
        if let Some(bytes) = known.borrow().get(path) {
            return Ok(Some(Vec::clone(bytes)));
        }
        let bytes = client.bytes(&format!("/ct-log/{path}"))?;
        known.borrow_mut().insert(path.to_owned(), bytes.clone());
        Ok(Some(bytes))
    };
    let reader = Reader::new(fetch, ORIGIN, key.clone());
    let last = reader.checkpoint().unwrap();

    let chain = stage.ca.read("chain.pem");
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes());
    let trust = Trust::new(vec![chain.map(Result::unwrap).collect()], vec![key.clone()]);
    let certificates = given.certificates.into_inner().unwrap();
    let mut indices = HashSet::new();
    for certificate in &certificates {
        let verified = trust.verify(certificate, &Expected::default()).unwrap();
        let entry = verified.precertificate.entry();
        let proof = reader
            .inclusion_of(&last, entry, &verified.timestamp)
            .unwrap();
        assert!(indices.insert(proof.index), "index {} twice", proof.index);
    }
    for note in &given.checkpoints {
        let earlier = Checkpoint::verify(note, ORIGIN, &key).unwrap();
        reader.consistency(&earlier, &last).unwrap();
    }

    let token = stage.idp.token("after@example.com");
    client
        .certificate(&token, &ClientKey::generate().unwrap())
        .unwrap();
    let finished = server.terminate();
    assert!(finished.status.success(), "{finished:?}");
    eprintln!(
        "{} kills: {} certificates given out and found, {} entries in the log, {} checkpoints",
        kills(),
        certificates.len(),
        last.size(),
        given.checkpoints.len()
    );
    assert!(
        certificates.len() > 10 * kills(),
        "{} certificates",
        certificates.len()
    );
    assert!(
        given.checkpoints.len() >= kills(),
        "{} checkpoints",
        given.checkpoints.len()
    );
}
