//! Versions and cipher suites.

use fulcio_server_core::{Limits, TlsError, TlsPolicy, TlsVersion};

use crate::{
    certificates::Authority,
    openssl::s_client,
    server::{Running, start},
};

/// The suite that OpenSSL and the server agree on.
fn agreed(authority: &Authority, server: &Running, arguments: &[&str]) -> Option<String> {
    let report = s_client(authority, server, arguments);
    let line = report.lines().find(|line| line.starts_with("New, TLS"))?;
    line.rsplit(' ').next().map(str::to_owned)
}

#[test]
fn only_the_named_suites_of_tls_1_2_are_taken() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let names = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
    let policy = TlsPolicy::new(TlsVersion::V1_2, names).unwrap();
    let server = start(&files, policy, Limits::default());
    let with = |arguments: &[&str]| agreed(&authority, &server, arguments);
    assert_eq!(
        with(&["-tls1_2"]).as_deref(),
        Some("ECDHE-ECDSA-AES128-GCM-SHA256")
    );
    assert_eq!(
        with(&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"]),
        None
    );
    // None of TLS 1.3 is named, so all are taken.
    for suite in ALL_OF_1_3 {
        assert_eq!(with(&["-ciphersuites", suite]).as_deref(), Some(suite));
    }
    server.stop();
}

#[test]
fn naming_suites_of_tls_1_3_leaves_those() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let policy = TlsPolicy::new(TlsVersion::V1_2, ["TLS_AES_256_GCM_SHA384"]).unwrap();
    let server = start(&files, policy, Limits::default());
    for suite in ALL_OF_1_3 {
        let expected = (suite == "TLS_AES_256_GCM_SHA384").then_some(suite);
        let agreed = agreed(&authority, &server, &["-tls1_3", "-ciphersuites", suite]);
        assert_eq!(agreed.as_deref(), expected);
    }
    // None of TLS 1.2 is named, so it is not spoken, as in Go.
    let report = s_client(&authority, &server, &["-tls1_2"]);
    assert!(report.contains("alert protocol version"), "{report}");
    server.stop();
}

#[test]
fn naming_only_suites_of_tls_1_2_where_it_is_not_spoken_changes_nothing() {
    let authority = Authority::new();
    let files = authority.issue("one");
    let names = ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"];
    let policy = TlsPolicy::new(TlsVersion::V1_3, names).unwrap();
    let server = start(&files, policy, Limits::default());
    for suite in ALL_OF_1_3 {
        let agreed = agreed(&authority, &server, &["-ciphersuites", suite]);
        assert_eq!(agreed.as_deref(), Some(suite));
    }
    assert_eq!(agreed(&authority, &server, &["-tls1_2"]), None);
    server.stop();
}

const ALL_OF_1_3: [&str; 3] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

#[test]
fn a_suite_that_is_unknown_or_impossible_is_an_error_that_lists_the_known_ones() {
    for name in ["TLS_MADE_UP", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", ""] {
        let error = TlsPolicy::new(TlsVersion::V1_2, [name]).unwrap_err();
        let TlsError::Suite { known, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(known.len(), 9);
        assert_eq!(known, &TlsPolicy::suites());
        assert!(error.to_string().starts_with(&format!(
            "the cipher suite {name:?} is not one that can be used; known are TLS_"
        )));
    }
    for name in TlsPolicy::suites() {
        TlsPolicy::new(TlsVersion::V1_2, [name.as_str()]).unwrap();
        TlsPolicy::new(TlsVersion::V1_3, [name.as_str()]).unwrap();
    }
}

#[test]
fn the_lowest_version_is_1_2_or_1_3() {
    assert_eq!("1.2".parse::<TlsVersion>().unwrap(), TlsVersion::V1_2);
    assert_eq!("1.3".parse::<TlsVersion>().unwrap(), TlsVersion::V1_3);
    for given in ["1.1", "1", "TLS1.2", "VersionTLS12", ""] {
        let error = given.parse::<TlsVersion>().unwrap_err();
        assert!(error.to_string().ends_with("1.2 and 1.3 can"), "{error}");
    }
}
