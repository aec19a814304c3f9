//! `openssl s_client` and `curl` as judges.

use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use fulcio_server_core::{Limits, TlsPolicy, TlsVersion};
use http::Version;

use crate::{
    certificates::Authority,
    server::{Client, Running, start},
};

/// What `openssl s_client` reports of a handshake in which it verifies the server.
pub(crate) fn s_client(authority: &Authority, server: &Running, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args([
            "s_client",
            "-verify_return_error",
            "-servername",
            "localhost",
        ])
        .args(["-verify_hostname", "localhost", "-CAfile"])
        .arg(authority.path("ca.crt"))
        .args(["-connect", &server.address.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    said(&output)
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

#[test]
fn openssl_verifies_the_server_and_agrees_on_http2() {
    let authority = Authority::new();
    let server = start(
        &authority.issue("one"),
        TlsPolicy::default(),
        Limits::default(),
    );
    let report = s_client(&authority, &server, &["-alpn", "h2,http/1.1"]);
    assert!(report.contains("Verify return code: 0 (ok)"), "{report}");
    assert!(report.contains("New, TLSv1.3"), "{report}");
    assert!(report.contains("ALPN protocol: h2"), "{report}");
    assert!(
        report.contains("No client certificate CA names sent"),
        "{report}"
    );

    let report = s_client(&authority, &server, &["-alpn", "http/1.1"]);
    assert!(report.contains("ALPN protocol: http/1.1"), "{report}");
    let report = s_client(&authority, &server, &[]);
    assert!(report.contains("No ALPN negotiated"), "{report}");
    assert!(report.contains("Verify return code: 0 (ok)"), "{report}");
    server.stop();
}

#[test]
fn tls_1_2_is_spoken_only_when_allowed() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let strict = start(&files, TlsPolicy::default(), Limits::default());
    let report = s_client(&authority, &strict, &["-tls1_2"]);
    assert!(report.contains("alert protocol version"), "{report}");
    strict.stop();

    let policy = TlsPolicy::new(TlsVersion::V1_2, []).unwrap();
    let lenient = start(&files, policy, Limits::default());
    let report = s_client(&authority, &lenient, &["-tls1_2", "-alpn", "h2"]);
    assert!(report.contains("New, TLSv1.2"), "{report}");
    assert!(report.contains("Verify return code: 0 (ok)"), "{report}");
    assert!(report.contains("ALPN protocol: h2"), "{report}");
    let report = s_client(
        &authority,
        &lenient,
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    );
    assert!(report.contains("Cipher is (NONE)"), "{report}");
    lenient.stop();
}

#[test]
fn every_form_and_kind_of_key_is_read() {
    let authority = Authority::new();
    let ec = |curve: &str| format!("-newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes");
    let kinds = [
        (
            "rsa",
            "-newkey rsa:2048 -nodes".to_owned(),
            "rsa -traditional",
        ),
        ("p256", ec("P-256"), "ec"),
        ("p384", ec("P-384"), "ec"),
        ("p521", ec("P-521"), "ec"),
        ("ed25519", "-newkey ed25519 -nodes".to_owned(), ""),
    ];
    for (name, new_key, older_form) in kinds {
        let mut files = authority.issue_with(name, &new_key);
        let mut forms = vec![files.key.clone()];
        if !older_form.is_empty() {
            authority.openssl(&format!(
                "{older_form} -in {name}.key -out {name}-older.key"
            ));
            forms.push(authority.path(&format!("{name}-older.key")));
        }
        for key in forms {
            files.key = key;
            let policy = TlsPolicy::new(TlsVersion::V1_2, []).unwrap();
            let server = start(&files, policy, Limits::default());
            for version in ["-tls1_2", "-tls1_3"] {
                let report = s_client(&authority, &server, &[version]);
                let verified = report.contains("Verify return code: 0 (ok)");
                assert!(verified, "{} {version}: {report}", files.key.display());
            }
            server.stop();
        }
    }
}

#[test]
fn curl_speaks_http2_and_http1() {
    let authority = Authority::new();
    let server = start(
        &authority.issue("one"),
        TlsPolicy::default(),
        Limits::default(),
    );
    let url = format!("https://localhost:{}/", server.address.port());
    for (flag, version) in [("--http2", "HTTP/2.0"), ("--http1.1", "HTTP/1.1")] {
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--noproxy",
                "*",
                flag,
                "--cacert",
            ])
            .arg(authority.path("ca.crt"))
            .arg(&url)
            .output()
            .unwrap();
        assert_eq!(said(&output), version);
    }
    server.stop();
}

#[test]
fn what_is_in_flight_is_finished_in_tls_too() {
    let authority = Authority::new();
    let mut server = start(
        &authority.issue("one"),
        TlsPolicy::default(),
        Limits::default(),
    );
    // It has not shaken hands, and is not waited for.
    let silent = server.connect();
    let client = Client::new(&authority, &server);
    let answered = server.runtime.spawn(async move {
        let mut connected = client.connect(Version::HTTP_2).await;
        connected.get("/500").await
    });
    server.wait_for_request();
    let begun = Instant::now();
    server.shutdown.begin();
    assert_eq!(server.runtime.block_on(answered).unwrap(), "HTTP/2.0");
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(8));
    drop(silent);
}
