//! Files that cannot be used.

use std::{fs, path::Path, sync::Arc};

use fulcio_issuance::SystemClock;
use fulcio_server_core::{Limits, Tls, TlsError, TlsFiles, TlsPolicy};
use tokio::runtime::Runtime;

use crate::{certificates::Authority, openssl::s_client, server::start};

/// Why `files` are refused.
fn refused(files: &TlsFiles) -> TlsError {
    let runtime = Runtime::new().unwrap();
    let opened = Tls::open(files.clone(), TlsPolicy::default(), Arc::new(SystemClock));
    runtime.block_on(opened).unwrap_err()
}

fn names(error: &TlsError, path: &Path) {
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
}

#[test]
fn a_file_that_is_missing_is_named() {
    let authority = Authority::new();
    let files = authority.issue("one");
    for missing in [&files.certificate, &files.key] {
        let kept = fs::read(missing).unwrap();
        fs::remove_file(missing).unwrap();
        let error = refused(&files);
        assert!(matches!(error, TlsError::Unreadable { .. }), "{error}");
        names(&error, missing);
        fs::write(missing, kept).unwrap();
    }
}

#[test]
fn a_file_without_what_belongs_in_it_is_named() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let swapped = TlsFiles {
        certificate: files.key.clone(),
        key: files.certificate.clone(),
    };
    let error = refused(&swapped);
    assert!(matches!(error, TlsError::NoCertificate { .. }), "{error}");
    names(&error, &files.key);

    let certificate_twice = TlsFiles {
        key: files.certificate.clone(),
        ..files.clone()
    };
    let error = refused(&certificate_twice);
    assert!(matches!(error, TlsError::NoKey { .. }), "{error}");
    names(&error, &files.certificate);

    for contents in ["", "not PEM at all"] {
        fs::write(&files.certificate, contents).unwrap();
        let error = refused(&files);
        assert!(matches!(error, TlsError::NoCertificate { .. }), "{error}");
    }
}

#[test]
fn damaged_files_are_named_and_nothing_of_a_key_is_told() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let whole = fs::read_to_string(&files.certificate).unwrap();
    fs::write(&files.certificate, whole.replacen("MII", "M!I", 1)).unwrap();
    let error = refused(&files);
    assert!(matches!(error, TlsError::CertificatePem { .. }), "{error}");
    names(&error, &files.certificate);

    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(&files.certificate, whole.clone() + no_certificate).unwrap();
    let error = refused(&files);
    assert!(matches!(error, TlsError::Certificate { .. }), "{error}");
    fs::write(&files.certificate, whole).unwrap();

    let key = fs::read_to_string(&files.key).unwrap();
    let in_one_line = key.replace('\n', "");
    let half = key.get(..key.len() / 2).unwrap().to_owned();
    let bad_base64 = key.replacen("MIG", "M!G", 1);
    for damaged in [in_one_line, half, bad_base64] {
        fs::write(&files.key, damaged).unwrap();
        let error = refused(&files);
        assert!(matches!(error, TlsError::KeyPem { .. }), "{error}");
        assert_eq!(
            format!("{error:?}"),
            format!("KeyPem {{ path: {:?} }}", files.key)
        );
    }
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    fs::write(&files.key, no_key).unwrap();
    let error = refused(&files);
    assert!(matches!(error, TlsError::Key { .. }), "{error}");
    names(&error, &files.key);
}

#[test]
fn an_encrypted_key_is_refused_in_both_forms() {
    let authority = Authority::new();
    let mut files = authority.issue("one");
    authority.openssl("pkcs8 -topk8 -in one.key -passout pass:secret -out new.key");
    authority.openssl("ec -aes128 -in one.key -passout pass:secret -out old.key");
    for name in ["new.key", "old.key"] {
        files.key = authority.path(name);
        let error = refused(&files);
        assert!(matches!(error, TlsError::EncryptedKey { .. }), "{error}");
        names(&error, &files.key);
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let authority = Authority::new();
    let files = TlsFiles {
        key: authority.issue("another").key,
        ..authority.issue("one")
    };
    let error = refused(&files);
    assert!(matches!(error, TlsError::KeyMismatch { .. }), "{error}");
    names(&error, &files.certificate);
    names(&error, &files.key);
}

#[test]
fn a_chain_in_the_wrong_order_is_refused() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let chain = [&authority.path("ca.crt"), &files.certificate].map(|path| fs::read(path).unwrap());
    fs::write(&files.certificate, chain.concat()).unwrap();
    let error = refused(&files);
    assert!(matches!(error, TlsError::KeyMismatch { .. }), "{error}");
}

#[test]
fn certificate_and_key_can_be_one_file() {
    let authority = Authority::new();
    let mut files = authority.issue("one");
    let both = [&files.key, &files.certificate].map(|path| fs::read(path).unwrap());
    files.certificate = authority.path("both.pem");
    files.key = files.certificate.clone();
    fs::write(&files.key, both.concat()).unwrap();
    let server = start(&files, TlsPolicy::default(), Limits::default());
    let report = s_client(&authority, &server, &[]);
    assert!(report.contains("Verify return code: 0 (ok)"), "{report}");
    server.stop();
}

#[test]
fn an_expired_certificate_is_served_and_clients_judge_it() {
    let authority = Authority::new();
    let files = authority.issue("one");
    sign(&authority, "-days -1 -extfile names");
    let server = start(&files, TlsPolicy::default(), Limits::default());
    let report = s_client(&authority, &server, &[]);
    assert!(report.contains("certificate has expired"), "{report}");
    server.stop();
}

#[test]
fn a_certificate_of_version_1_is_refused_as_what_it_is() {
    let authority = Authority::new();
    let files = authority.issue("one");
    sign(&authority, "-days 1");
    let error = refused(&files);
    assert!(matches!(error, TlsError::Certificate { .. }), "{error}");
    names(&error, &files.certificate);
}

/// Replaces `one.crt` by one that `openssl x509` makes for the same key.
fn sign(authority: &Authority, arguments: &str) {
    fs::write(authority.path("names"), "subjectAltName=DNS:localhost").unwrap();
    authority.openssl("req -new -key one.key -subj /CN=one -out one.csr");
    authority.openssl(&format!(
        "x509 -req -in one.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out one.crt {arguments}"
    ));
}
