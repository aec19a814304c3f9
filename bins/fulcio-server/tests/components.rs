//! Judged by software that others wrote: a transparency log, a reader of logs, linters, parsers.
//!
//! The test command installs it, and tells where it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use common::{
    CaFiles, CtLog, IdpServer, Server, chain, free_port, get, openssl, path, request, run,
    wait_until,
};
use fulcio_client::{Client, ClientKey, Expected, Trust, Verified};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::InclusionProof;
use fulcio_test_services::component;
use pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use tempfile::TempDir;

#[track_caller]
fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

// --- The log of certificate-transparency-go ---------------------------------------------------

fn log_files() -> CaFiles {
    let ca = CaFiles::create();
    for name in ["ct", "another"] {
        ca.openssl(&format!(
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"
        ));
        ca.openssl(&format!("pkey -in {name}.key -pubout -out {name}.pub"));
    }
    ca
}

fn issue_through(ca: &CaFiles, idp: &IdpServer, port: u16, key: &str) -> Server {
    let mut flags = ca.flags();
    flags.push(format!("--config-path={}", idp.write_config(ca.folder())));
    flags.push(format!("--ct-log-url=http://127.0.0.1:{port}/test"));
    flags.push(format!("--ct-log-public-key-path={}", ca.path(key)));
    flags.push("--ct-log-timeout=2s".to_owned());
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    Server::start(&flags)
}

fn first_certificate(answer: &common::Answer) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(chain(answer)[0].as_bytes()).unwrap()
}

fn trust(ca: &CaFiles, key: &str) -> Trust {
    let chain = ca.read("chain.pem");
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes());
    let key = LogKey::from_pem(ca.read(key).as_bytes()).unwrap();
    Trust::new(vec![chain.map(Result::unwrap).collect()], vec![key])
}

#[test]
fn a_log_of_certificate_transparency_go_takes_our_precertificates() {
    let Some(program) = component("FULCIO_CTLOG") else {
        return;
    };
    let (ca, idp, port) = (log_files(), IdpServer::start(), free_port());
    let log = CtLog::start_on(port, &program, &ca, "root.pem");
    let server = issue_through(&ca, &idp, port, "ct.pub");

    let trust = trust(&ca, "ct.pub");
    let verified: Vec<Verified> = (0..5)
        .map(|_| {
            let certificate = first_certificate(&request(&server, &idp));
            trust.verify(&certificate, &Expected::default()).unwrap()
        })
        .collect();

    let ask =
        |what: &str| -> Value { get(&format!("http://127.0.0.1:{port}/test/ct/v1/{what}")).json() };
    let head = wait_until("the log to have all entries", || {
        let head = ask("get-sth");
        (head["tree_size"] == 5).then_some(head)
    });
    let hash = |value: &Value| -> [u8; 32] { base64(value).try_into().unwrap() };
    let root = hash(&head["sha256_root_hash"]);
    for verified in &verified {
        // The log keeps under its Merkle tree what it signed for (RFC 6962 sections 3.2 and 3.4).
        let timestamp = &verified.timestamp;
        let entry = verified.precertificate.entry();
        let leaf = entry
            .to_be_signed(timestamp.timestamp(), timestamp.extensions())
            .unwrap();
        let leaf_hash = sha256(&[&[0], &leaf[..]].concat());
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("hash", &BASE64_STANDARD.encode(leaf_hash))
            .append_pair("tree_size", "5")
            .finish();
        let proof = ask(&format!("get-proof-by-hash?{query}"));
        let index = proof["leaf_index"].as_u64().unwrap();
        let proof = InclusionProof {
            index,
            size: 5,
            path: proof["audit_path"]
                .as_array()
                .unwrap()
                .iter()
                .map(hash)
                .collect(),
        };
        proof.verify(&leaf_hash, &root).unwrap();

        let entries = ask(&format!("get-entries?start={index}&end={index}"));
        let entry = &entries["entries"][0];
        assert_eq!(base64(&entry["leaf_input"]), leaf);
        // `PrecertChainEntry`: the precertificate comes first, after its length.
        let chain = base64(&entry["extra_data"]);
        let length = usize::from(chain[1]) << 8 | usize::from(chain[2]);
        fs::write(
            ca.folder().join("precertificate.der"),
            &chain[3..3 + length],
        )
        .unwrap();
        let shown = ca.openssl("x509 -inform DER -in precertificate.der -noout -text");
        assert!(
            shown.contains("CT Precertificate Poison: critical"),
            "{shown}"
        );
        assert!(shown.contains("email:ada@example.com"), "{shown}");
        ca.openssl("x509 -inform DER -in precertificate.der -out precertificate.pem");
        // OpenSSL does not know the poison, and knows no purpose of signing code.
        ca.openssl(
            "verify -x509_strict -ignore_critical -CAfile root.pem -untrusted intermediate.pem \
             precertificate.pem",
        );
    }

    // A server that was told another key does not believe this log.
    let misled = issue_through(&ca, &idp, port, "another.pub");
    let answer = request(&misled, &idp);
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (500, &json!(13)),
        "{}",
        answer.text()
    );

    // Without the log there is no certificate, and the client learns it in time.
    drop(log);
    let begun = Instant::now();
    let answer = request(&server, &idp);
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (503, &json!(14)),
        "{}",
        answer.text()
    );
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");

    // With a new one on the same port it goes on by itself.
    let _log = CtLog::start_on(port, &program, &ca, "root.pem");
    let certificate = first_certificate(&request(&server, &idp));
    trust.verify(&certificate, &Expected::default()).unwrap();
    for server in [server, misled] {
        assert!(server.terminate().status.success());
    }
}

fn base64(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// --- A reader of static-ct logs ---------------------------------------------------------------

#[test]
fn an_independent_reader_finds_every_certificate_in_the_embedded_log() {
    let Some(reader) = component("FULCIO_CT_READER") else {
        return;
    };
    const ORIGIN: &str = "log.example.com/2026";
    const COUNT: usize = 270;
    let (ca, idp) = (CaFiles::create(), IdpServer::start());
    let mut flags = ca.flags();
    flags.push(format!("--config-path={}", idp.write_config(ca.folder())));
    flags.push(format!("--ct-log-url=embedded:{}", ca.path("log")));
    flags.push(format!("--ct-log-origin={ORIGIN}"));
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let server = Server::start(&flags);
    ca.write("log.pub", &ca.openssl("pkey -in log/key.pem -pubout"));

    let certificates: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|number| {
                let (url, token) = (
                    server.url(""),
                    idp.token(&format!("user{number}@example.com")),
                );
                scope.spawn(move || -> Vec<_> {
                    let client = Client::new(&url, &[], Duration::from_secs(20));
                    let issue = |_| {
                        let key = ClientKey::generate().unwrap();
                        client.certificate(&token, &key).unwrap().swap_remove(0)
                    };
                    (0..COUNT / 6).map(issue).collect()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let trust = trust(&ca, "log.pub");
    let mut promises = String::new();
    for certificate in &certificates {
        let verified = trust.verify(certificate, &Expected::default()).unwrap();
        promises += &format!(
            "{} precert {} {}\n",
            hex(&verified.timestamp.encode()),
            hex(&verified.precertificate.issuer_key_hash),
            hex(&verified.precertificate.tbs)
        );
    }
    let promises = ca.write("promises", &promises);

    let read = |from: &str, origin: &str| {
        let mut command = Command::new(&reader);
        command.args(["-log", from, "-key", &ca.path("log.pub"), "-origin", origin]);
        output(command.args(["-promises", &promises]))
    };
    let good = |done: &Output| {
        assert!(done.status.success(), "{}", text(&done.stderr));
        let said = text(&done.stdout);
        assert!(
            said.starts_with(&format!("good: {COUNT} entries")),
            "{said}"
        );
        assert!(said.contains(&format!(" {COUNT} promises kept")), "{said}");
    };
    let url = server.url("/ct-log");
    wait_until("the log to publish all entries", || {
        let checkpoint = get(&server.url("/ct-log/checkpoint")).text();
        checkpoint
            .starts_with(&format!("{ORIGIN}\n{COUNT}\n"))
            .then_some(())
    });
    good(&read(&url, ORIGIN));
    assert!(!read(&url, "log.example.com").status.success());
    assert!(server.terminate().status.success());
    good(&read(&ca.path("log/public"), ORIGIN));
}

// --- Linters and parsers ----------------------------------------------------------------------

/// What quickstart makes, as PEM files.
struct Files(TempDir);

impl Files {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = format!("--data-dir={}", path(folder.path()));
        let identity = "--identity=ada@example.com";
        let made = run(&["quickstart", "--once", "--port=0", &data, identity]);
        assert!(made.status.success(), "{made:?}");
        let chain = fs::read_to_string(folder.path().join("issued/chain.pem")).unwrap();
        let (intermediate, root) = chain.split_at(chain.rfind("-----BEGIN").unwrap());
        fs::write(folder.path().join("intermediate.pem"), intermediate).unwrap();
        fs::write(folder.path().join("root.pem"), root).unwrap();
        let leaf = folder.path().join("issued/certificate.pem");
        fs::copy(leaf, folder.path().join("leaf.pem")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.pem"))
    }
}

/// What pkilint finds and is no fault: the certificate, the finding, and why it is there.
const FINDINGS: [(&str, &str, &str); 3] = [
    (
        "leaf",
        "INFO pkix.subject_key_identifier_method_1_identified",
        "says that the identifier is the SHA-1 that Fulcio's clients know, as we want it",
    ),
    (
        "intermediate",
        "INFO pkix.subject_key_identifier_rfc7093_method_1_identified",
        "says that the identifier is the truncated SHA-256 that Go makes, as we want it",
    ),
    (
        "root",
        "INFO pkix.subject_key_identifier_rfc7093_method_1_identified",
        "says that the identifier is the truncated SHA-256 that Go makes, as we want it",
    ),
];

/// The findings in an answer of pkilint, each with its severity.
fn findings(answer: &[u8]) -> Vec<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(answer));
    });
    let results = answer["results"].as_array().unwrap();
    let described = |result: &Value| result["finding_descriptions"].as_array().unwrap().clone();
    let found = results.iter().flat_map(described).map(|finding| {
        let (severity, code) = (&finding["severity"], &finding["code"]);
        format!("{} {}", severity.as_str().unwrap(), code.as_str().unwrap())
    });
    found.collect()
}

#[test]
fn pkilint_finds_no_fault() {
    let Some(programs) = component("FULCIO_PKILINT") else {
        return;
    };
    let files = Files::make();
    for name in ["leaf", "intermediate", "root"] {
        let mut lint = Command::new(programs.join("lint_pkix_cert"));
        lint.args(["lint", "-f", "JSON", "-s", "ALL"])
            .arg(files.path(name));
        let done = output(&mut lint);
        let expected: Vec<_> = FINDINGS
            .iter()
            .filter(|(certificate, _, _)| *certificate == name)
            .map(|(_, finding, _reason)| (*finding).to_owned())
            .collect();
        assert_eq!(findings(&done.stdout), expected, "{name}");
    }
    for (issuer, subject) in [("intermediate", "leaf"), ("root", "intermediate")] {
        let mut lint = Command::new(programs.join("lint_pkix_signer_signee_cert_chain"));
        lint.args(["lint", "-f", "JSON", "-s", "ALL"]);
        let done = output(lint.arg(files.path(issuer)).arg(files.path(subject)));
        assert_eq!(findings(&done.stdout), [""; 0], "{issuer} and {subject}");
    }
    // It would find something: the root did not issue the leaf.
    let mut lint = Command::new(programs.join("lint_pkix_signer_signee_cert_chain"));
    lint.args(["lint", "-f", "JSON"]);
    let done = output(lint.arg(files.path("root")).arg(files.path("leaf")));
    assert!(!findings(&done.stdout).is_empty());
}

#[test]
fn zlint_finds_no_fault() {
    let Some(program) = component("FULCIO_ZLINT") else {
        return;
    };
    let files = Files::make();
    for name in ["leaf", "intermediate", "root"] {
        let mut lint = Command::new(&program);
        lint.args([
            "-includeSources",
            "RFC3279,RFC5280,RFC5480,RFC8813,Community",
        ]);
        let done = output(lint.arg(files.path(name)));
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        let mut passed = 0;
        for (lint, outcome) in answer.as_object().unwrap() {
            match outcome["result"].as_str().unwrap() {
                "pass" => passed += 1,
                "NA" | "NE" => {}
                other => panic!("{name}: {lint} gives {other}: {outcome}"),
            }
        }
        assert!(passed > 30, "{name}: only {passed} lints were applied");
    }
}

#[test]
fn pythons_cryptography_reads_and_verifies_the_certificate() {
    let Some(programs) = component("FULCIO_PKILINT") else {
        return;
    };
    let files = Files::make();
    let mut python = Command::new(programs.join("python"));
    python.args(["-c", SCRIPT]);
    for name in ["leaf", "intermediate", "root"] {
        python.arg(files.path(name));
    }
    let done = output(&mut python);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let read: Value = serde_json::from_slice(&done.stdout).unwrap();

    let shown = |arguments: &[&str]| {
        let mut all = vec!["x509", "-in", "leaf.pem", "-noout"];
        all.extend(arguments);
        openssl(files.0.path(), &all)
    };
    let serial = shown(&["-serial"])
        .trim()
        .replace("serial=", "")
        .to_lowercase();
    assert_eq!(
        read["serial"].as_str().unwrap(),
        serial.trim_start_matches('0')
    );
    assert_eq!(read["version"], "v3");
    assert_eq!(read["subject"], "");
    assert_eq!(read["seconds"], 600);
    assert_eq!(read["emails"], json!(["ada@example.com"]));
    assert_eq!(read["key_usage"], json!(["digital_signature"]));
    assert_eq!(read["extended_key_usage"], json!(["1.3.6.1.5.5.7.3.3"]));
    assert_eq!(read["timestamps"], json!([["v1", "PRE_CERTIFICATE"]]));
    let order: Vec<_> = [
        ("2.5.29.15", true),
        ("2.5.29.37", false),
        ("2.5.29.14", false),
        ("2.5.29.35", false),
        ("2.5.29.17", true),
        ("1.3.6.1.4.1.57264.1.1", false),
        ("1.3.6.1.4.1.57264.1.8", false),
        ("1.3.6.1.4.1.57264.1.24", false),
        ("1.3.6.1.4.1.11129.2.4.2", false),
    ]
    .map(|(oid, critical)| json!([oid, critical]))
    .to_vec();
    assert_eq!(read["extensions"], Value::Array(order));
}

/// Prints what the first certificate says, after it has checked each signature up to the last one.
const SCRIPT: &str = r#"
import json, sys
from cryptography import x509

certificates = [x509.load_pem_x509_certificate(open(name, "rb").read()) for name in sys.argv[1:]]
for lower, upper in zip(certificates, certificates[1:] + certificates[-1:]):
    lower.verify_directly_issued_by(upper)
leaf = certificates[0]
value = lambda kind: leaf.extensions.get_extension_for_class(kind).value
usage = value(x509.KeyUsage)
names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "key_cert_sign", "crl_sign"]
timestamps = value(x509.PrecertificateSignedCertificateTimestamps)
print(json.dumps({
    "serial": format(leaf.serial_number, "x"),
    "version": leaf.version.name,
    "subject": leaf.subject.rfc4514_string(),
    "seconds": (leaf.not_valid_after_utc - leaf.not_valid_before_utc).seconds,
    "emails": value(x509.SubjectAlternativeName).get_values_for_type(x509.RFC822Name),
    "key_usage": [name for name in names if getattr(usage, name)],
    "extended_key_usage": [oid.dotted_string for oid in value(x509.ExtendedKeyUsage)],
    "timestamps": [[t.version.name, t.entry_type.name] for t in timestamps],
    "extensions": [[e.oid.dotted_string, e.critical] for e in leaf.extensions],
}))
"#;
