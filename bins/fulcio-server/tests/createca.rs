//! `createca`: the root certificate of a key in a token, beside that of Fulcio itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod hsm;

use std::fs;

use common::finish;
use fulcio_test_services::{component, succeed};
use hsm::Hsm;
use pki_types::{CertificateDer, pem::PemObject as _};

/// The flags of the walk-through.
const SUBJECT: [&str; 6] = [
    "--org=acme",
    "--country=UK",
    "--locality=SomeTown",
    "--province=SomeProvince",
    "--postal-code=XXXX",
    "--street-address=XXXX",
];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [&SUBJECT[..], more].concat()
}

/// What a certificate says, without what differs in each: serial number, dates, signature.
fn said(hsm: &Hsm, file: &str) -> String {
    let options = "no_serial,no_validity,no_sigdump,ext_dump";
    hsm.openssl(&format!("x509 -in {file} -noout -text -certopt {options}"))
}

#[test]
fn makes_the_certificate_that_fulcio_makes() {
    let Some(reference) = component("FULCIO_REFERENCE") else {
        return;
    };
    for (kind, label) in [
        ("EC:secp384r1", "SHA384"),
        ("EC:prime256v1", "SHA256"),
        ("rsa:3072", "sha256"),
    ] {
        let Some(hsm) = Hsm::with_key(kind, "PKCS11CA") else {
            return;
        };
        let theirs = with(&["--hsm-caroot-id", "98", "--out", "theirs.pem"]);
        succeed(hsm.command(&reference).arg("createca").args(theirs));
        hsm.createca(&with(&["--hsm-caroot-id", "99", "--out", "ours.pem"]));
        assert_eq!(said(&hsm, "ours.pem"), said(&hsm, "theirs.pem"));
        assert!(
            said(&hsm, "ours.pem").contains("Subject: C = UK, ST = SomeProvince, L = SomeTown")
        );
        assert!(
            hsm.openssl("x509 -in ours.pem -noout -text")
                .contains(label)
        );

        // Ten years, to the second, and 20 octets of serial number, each.
        let length = |file: &str, option: &str| {
            hsm.openssl(&format!("x509 -in {file} -noout {option}"))
                .trim()
                .len()
        };
        for file in ["ours.pem", "theirs.pem"] {
            hsm.openssl(&format!("verify -x509_strict -CAfile {file} {file}"));
            let dates = hsm.openssl(&format!("x509 -in {file} -noout -dates"));
            let mut years = dates
                .lines()
                .map(|line| line.rsplit(' ').nth(1).unwrap().parse::<u32>());
            let (from, to) = (
                years.next().unwrap().unwrap(),
                years.next().unwrap().unwrap(),
            );
            assert_eq!(to - from, 10, "{dates}");
        }
        assert_eq!(
            length("ours.pem", "-enddate"),
            length("theirs.pem", "-enddate")
        );

        // Both are in the token, with the same attributes.
        let objects = hsm.pkcs11_tool(&["--list-objects", "--type", "cert"]);
        for id in ["3938", "3939"] {
            assert!(objects.contains(id), "{objects}");
        }
        let about = |id: &str| {
            let start = objects.find(&format!("ID:         {id}")).unwrap();
            let from = objects[..start].rfind("Certificate Object").unwrap();
            let lines = objects[from..start].lines();
            lines
                .filter(|line| !line.contains("serial"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(about("3939"), about("3938"));

        // Each takes the other's for what it is.
        let ended = hsm.run(&["createca", "--hsm-caroot-id", "98"]);
        assert!(
            ended
                .stderr
                .contains("has a certificate with this id already"),
            "{ended:?}"
        );
        let mut theirs = hsm.command(&reference);
        theirs.args(["createca", "--hsm-caroot-id=99"]);
        let theirs = finish(theirs);
        assert!(
            theirs.stdout.contains("certificate already exists"),
            "{theirs:?}"
        );
    }
}

#[test]
fn writes_stores_and_prints_one_certificate() {
    let Some(hsm) = Hsm::with_key("EC:secp384r1", "PKCS11CA") else {
        return;
    };
    let ended = hsm.createca(&with(&["--hsm-caroot-id", "99", "--out", "root.pem"]));
    let written = hsm.read("root.pem");
    assert!(ended.stdout.contains(&written), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("warning: a root should have a common name"),
        "{ended:?}"
    );

    hsm.pkcs11_tool(&[
        "--read-object",
        "--type",
        "cert",
        "--id",
        "3939",
        "--output-file",
        "root.der",
    ]);
    let stored = fs::read(hsm.path("root.der")).unwrap();
    assert_eq!(
        CertificateDer::from_pem_slice(written.as_bytes()).unwrap(),
        stored.into()
    );
    let shown = hsm.openssl("x509 -in root.pem -noout -text");
    assert!(shown.contains("CA:TRUE, pathlen:1"), "{shown}");
}

#[test]
fn leaves_out_what_is_not_said_and_adds_a_common_name() {
    let Some(hsm) = Hsm::with_key("EC:secp384r1", "PKCS11CA") else {
        return;
    };
    hsm.createca(&["--hsm-caroot-id", "99", "--out", "plain.pem"]);
    let subject = hsm.openssl("x509 -in plain.pem -noout -subject");
    assert_eq!(subject.trim(), "subject=O = Fulcio Root CA");

    let named = [
        "--hsm-caroot-id",
        "98",
        "--out",
        "named.pem",
        "--common-name=Example Röt",
    ];
    let ended = hsm.createca(&named);
    assert!(!ended.stderr.contains("warning"), "{ended:?}");
    let subject = hsm.openssl("x509 -in named.pem -noout -subject -nameopt utf8");
    assert_eq!(subject.trim(), "subject=O=Fulcio Root CA, CN=Example Röt");
}

#[test]
fn overwrites_a_file_only_when_told_and_a_certificate_never() {
    let Some(hsm) = Hsm::with_key("EC:secp384r1", "PKCS11CA") else {
        return;
    };
    hsm.write("root.pem", "precious");
    let ended = hsm.run(&["createca", "--hsm-caroot-id", "99", "--out", "root.pem"]);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.contains("--out root.pem is there already"),
        "{ended:?}"
    );
    assert_eq!(hsm.read("root.pem"), "precious");
    // Nothing was stored either.
    let mut arguments = vec!["--hsm-caroot-id", "99", "--out", "root.pem", "--overwrite"];
    hsm.createca(&arguments);
    let first = hsm.read("root.pem");
    assert!(first.starts_with("-----BEGIN CERTIFICATE-----"), "{first}");

    arguments.insert(0, "createca");
    let ended = hsm.run(&arguments);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended
            .stderr
            .contains("--hsm-caroot-id 99: the token has a certificate"),
        "{ended:?}"
    );
    assert_eq!(hsm.read("root.pem"), first);
}

#[test]
fn stores_nothing_in_a_token_of_aws() {
    let Some(hsm) = Hsm::with_key("EC:secp384r1", "PKCS11CA") else {
        return;
    };
    let ended = hsm.createca(&["--hsm=aws", "--hsm-caroot-id", "99"]);
    assert!(ended.stdout.contains("BEGIN CERTIFICATE"), "{ended:?}");
    assert!(
        ended.stderr.contains("warning: there is no --out"),
        "{ended:?}"
    );
    hsm.createca(&["--hsm=aws", "--hsm-caroot-id", "99", "--out", "root.pem"]);
    let objects = hsm.pkcs11_tool(&["--list-objects", "--type", "cert"]);
    assert!(!objects.contains("Certificate"), "{objects}");
}

#[test]
fn takes_the_key_with_the_label_that_it_is_told() {
    let Some(hsm) = Hsm::with_key("EC:prime256v1", "mine") else {
        return;
    };
    let ended = hsm.run(&["createca", "--hsm-caroot-id", "99"]);
    assert_eq!(ended.status.code(), Some(1));
    let wanted = "--hsm-key-label PKCS11CA: the token has no private key labelled \"PKCS11CA\"; \
                  its private keys are \"mine\" (id 01)";
    assert!(ended.stderr.contains(wanted), "{ended:?}");

    hsm.createca(&["--hsm-caroot-id", "99", "--hsm-key-label", "mine"]);
    let objects = hsm.pkcs11_tool(&["--list-objects", "--type", "cert"]);
    assert!(objects.contains("label:      mine"), "{objects}");
}

#[test]
fn says_what_is_wrong_with_the_flags_and_the_configuration() {
    let Some(hsm) = Hsm::with_token() else { return };
    let ended = hsm.run(&["createca"]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.contains("--hsm-caroot-id"), "{ended:?}");
    let ended = hsm.run(&["createca", "--hsm-caroot-id="]);
    assert_eq!(ended.status.code(), Some(2));

    let refused = |wanted: &str| {
        let ended = hsm.run(&["createca", "--hsm-caroot-id", "99"]);
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let flag = "--pkcs11-config-path config/crypto11.conf";
        assert!(
            ended.stderr.contains(flag) && ended.stderr.contains(wanted),
            "{ended:?}"
        );
        assert_eq!(ended.stderr.trim().lines().count(), 1, "{ended:?}");
    };
    hsm.configure("other", "2324");
    refused("the module has no token labelled \"other\"; the tokens that it has are \"fulcio\"");
    hsm.configure("fulcio", "9999");
    refused("the token does not take the PIN");
    hsm.write(
        "config/crypto11.conf",
        r#"{"Path": "/nowhere.so", "TokenLabel": "x"}"#,
    );
    refused("the PKCS#11 module /nowhere.so cannot be loaded");
    hsm.write(
        "config/crypto11.conf",
        r#"{"Path": "/nowhere.so", "Label": "x"}"#,
    );
    refused("\"Label\" is not a key of it");
    fs::remove_file(hsm.path("config/crypto11.conf")).unwrap();
    refused("cannot be read");
}
