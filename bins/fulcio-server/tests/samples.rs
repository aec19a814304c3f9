//! Replays `tests/samples`: requests that Fulcio was sent, and what it answered.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod replay;

use std::{collections::BTreeMap, fs, path::Path};

use fulcio_client::{Expected, Trust};
use fulcio_ct_client::LogKey;
use pki_types::{CertificateDer, pem::PemObject as _};
use replay::{Observed, Sample, certificate, differences, mutations};
use serde_json::{Value, json};

use crate::common::{CaFiles, IdpServer, Server, get, openssl};

/// Where we answer otherwise on purpose: what a member of `expect` is here, and why.
const DEVIATIONS: [(&str, &str, &str, &str); 2] = [
    (
        "grpc-health-list",
        "grpc_code",
        "0",
        "List is built: it tells of every service that has a health",
    ),
    (
        "grpc-health-list",
        "body",
        r#"{"statuses":{"":{"status":"SERVING"},"dev.sigstore.fulcio.v2.CA":{"status":"SERVING"}}}"#,
        "List is built: it tells of every service that has a health",
    ),
];

/// The two servers that the recordings were made with, as ours.
struct Stage {
    idp: IdpServer,
    ca: CaFiles,
    ephemeral: Server,
    with_log: Server,
}

impl Stage {
    fn set() -> Self {
        let idp = IdpServer::start();
        let ca = CaFiles::create();
        let config = format!("--config-path={}", idp.write_config(ca.folder()));
        let ephemeral = Server::start(&["--ca=ephemeralca", "--ct-log-url=", &config]);
        let log = format!("--ct-log-url=embedded:{}", ca.path("log"));
        let mut flags = ca.flags();
        flags.extend([config, log, "--ct-log-origin=log.example.com".to_owned()]);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        let with_log = Server::start(&flags);
        Self {
            idp,
            ca,
            ephemeral,
            with_log,
        }
    }

    fn server(&self, sample: &Sample) -> &Server {
        match sample.server() {
            "ephemeral-without-log" => &self.ephemeral,
            "file-p384-with-log" => &self.with_log,
            other => panic!("no server is called {other}"),
        }
    }

    fn replay(&self, sample: &Sample) -> Observed {
        sample.replay(&self.idp, self.server(sample))
    }

    /// Has OpenSSL judge the chain, and our client the timestamp.
    fn judge(&self, sample: &Sample, observed: &Observed) {
        let name = sample.name();
        let server = self.server(sample);
        let (leaf, issuers) = observed.chain().split_first().unwrap();
        let (root, intermediates) = issuers.split_last().unwrap();
        let trusted = get(&server.url("/api/v1/rootCert")).text();
        // Here, and here only, Fulcio has an empty line between two certificates.
        assert_eq!(trusted, issuers.join("\n\n"), "{name}");
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        write("leaf.pem", leaf);
        write("root.pem", root);
        write("intermediates.pem", &intermediates.join("\n"));
        let mut arguments = vec!["verify", "-x509_strict", "-CAfile", "root.pem"];
        if !intermediates.is_empty() {
            arguments.extend(["-untrusted", "intermediates.pem"]);
        }
        arguments.push("leaf.pem");
        assert_eq!(
            openssl(folder.path(), &arguments).trim(),
            "leaf.pem: OK",
            "{name}"
        );
        if sample.server() != "file-p384-with-log" {
            return;
        }

        let key = self.ca.openssl("pkey -in log/key.pem -pubout");
        let roots: Vec<_> = CertificateDer::pem_slice_iter(trusted.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        let trust = Trust::new(vec![roots], vec![LogKey::from_pem(key.as_bytes()).unwrap()]);
        let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
        let verified = trust.verify(&leaf, &Expected::default()).unwrap();
        let index = verified.timestamp.leaf_index().unwrap();
        assert!(index.is_some(), "{name}: the timestamp holds no leaf index");
    }
}

fn samples(issuer: &str) -> BTreeMap<String, Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let samples: BTreeMap<_, _> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let sample = Sample::read(&path, issuer);
            assert_eq!(sample.name(), stem);
            (stem, sample)
        })
        .collect();
    assert_eq!(samples.len(), 80, "samples are missing");
    samples
}

#[test]
fn answers_every_sample_as_fulcio_did() {
    let stage = Stage::set();
    let mut samples = samples(stage.idp.issuer());
    for (name, member, value, _reason) in DEVIATIONS {
        let value: Value = serde_json::from_str(value).unwrap();
        samples.get_mut(name).unwrap().deviate(member, value);
    }

    let mut wrong = Vec::new();
    let mut unnoticed = Vec::new();
    let (mut judged, mut changes) = (0, 0);
    for sample in samples.values() {
        let observed = stage.replay(sample);
        let found = differences(sample.expect(), &observed);
        if !found.is_empty() {
            wrong.push(format!("{}:\n  {}\n", sample.name(), found.join("\n  ")));
            continue;
        }
        // What is not noticed when it is expected to be otherwise was not looked at.
        for (changed, expect) in mutations(sample.expect()) {
            changes += 1;
            if differences(&expect, &observed).is_empty() {
                unnoticed.push(format!("{}: {changed}", sample.name()));
            }
        }
        if !observed.chain().is_empty() {
            stage.judge(sample, &observed);
            judged += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    assert_eq!(judged, 33);
    assert!(changes > 1500, "only {changes} changes were tried");
}

#[test]
fn describes_a_certificate_that_another_program_made() {
    let ca = CaFiles::create();
    let der = CertificateDer::from_pem_slice(ca.read("intermediate.pem").as_bytes()).unwrap();

    let facts = certificate::facts(&der);

    assert_eq!(facts["lifetime_seconds"], 1000 * 24 * 60 * 60);
    assert_eq!(facts["subject"], "CN=intermediate,O=Example");
    assert_eq!(facts["extensions"][1]["oid"], "2.5.29.15");
    assert_eq!(facts["extensions"][1]["critical"], true);
    assert_eq!(
        facts["extensions"][1]["value"],
        json!(["keyCertSign", "cRLSign"])
    );
}
