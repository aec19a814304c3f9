//! crypto11's configuration file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use fulcio_signer_pkcs11::{Config, ConfigError, TokenChoice, User};
use proptest::prelude::*;

fn read(json: &str) -> Result<Config, ConfigError> {
    Config::from_json(json.as_bytes())
}

#[track_caller]
fn refused(json: &str) -> String {
    read(json).expect_err("this is a configuration").to_string()
}

#[test]
fn reads_what_the_documentation_of_fulcio_shows() {
    let config = read(
        r#"{
            "Path" : "/usr/lib64/softhsm/libsofthsm.so",
            "TokenLabel": "fulcio",
            "Pin" : "2324"
        }"#,
    )
    .unwrap();
    assert_eq!(config.module, Path::new("/usr/lib64/softhsm/libsofthsm.so"));
    assert_eq!(config.token, TokenChoice::Label("fulcio".into()));
    assert_eq!(config.pin.as_ref().unwrap().as_str(), "2324");
    assert!(config.login);
    assert_eq!(config.user, User::Normal);
}

#[test]
fn reads_every_key_of_crypto11_however_it_is_written() {
    let config = read(
        r#"{"path": "/m.so", "TOKENSERIAL": "0a1b", "SlotNumber": null, "TokenLabel": "",
            "UserType": 2147483649, "LoginNotSupported": true, "MaxSessions": 9,
            "PoolWaitTimeout": 1000000000, "UseGCMIVFromHSM": true, "GCMIVLength": 12,
            "GCMIVFromHSMControl": {"SupplyIvForHSMGCMEncrypt": true}}"#,
    )
    .unwrap();
    assert_eq!(config.token, TokenChoice::Serial("0a1b".into()));
    assert_eq!(config.user, User::CryptoUser);
    assert_eq!(config.max_sessions, 9);
    assert!(!config.login);
    assert!(config.pin.is_none());

    let config = read(r#"{"Path": "/m.so", "SlotNumber": 0, "MaxSessions": 0}"#).unwrap();
    assert_eq!(config.token, TokenChoice::Slot(0));
    let new = Config::new("/m.so", TokenChoice::Slot(0));
    assert_eq!(config.max_sessions, new.max_sessions);
}

#[test]
fn says_which_key_is_wrong() {
    for (json, wanted) in [
        (r#"{"TokenLabel": "x"}"#, "\"Path\""),
        (r#"{"Path": "", "TokenLabel": "x"}"#, "\"Path\""),
        (r#"{"Path": "/m.so"}"#, "\"SlotNumber\""),
        (
            r#"{"Path": "/m.so", "TokenLabel": "x", "SlotNumber": 1}"#,
            "only one of",
        ),
        (
            r#"{"Path": "/m.so", "TokenLable": "x"}"#,
            "\"TokenLable\" is not a key of it; there are Path, TokenLabel",
        ),
        (r#"{"Path": 7}"#, "\"Path\" must be a string"),
        (r#"{"Path": "/m.so", "SlotNumber": -1}"#, "\"SlotNumber\""),
        (r#"{"Path": "/m.so", "SlotNumber": "1"}"#, "\"SlotNumber\""),
        (
            r#"{"Path": "/m.so", "SlotNumber": 1, "UserType": 3}"#,
            "\"UserType\" must be 1",
        ),
        (
            r#"{"Path": "/m.so", "SlotNumber": 1, "MaxSessions": 1}"#,
            "\"MaxSessions\" must be at least 2",
        ),
        (
            r#"{"Path": "/m.so", "SlotNumber": 1, "LoginNotSupported": 1}"#,
            "\"LoginNotSupported\" must be true or false",
        ),
        ("{\"Path\": \"/m.so\",\n}", "line 2, column 1"),
        ("[]", "not a JSON object"),
        ("", "not a JSON object"),
    ] {
        let text = refused(json);
        assert!(text.contains(wanted), "{json}: {text}");
    }
}

#[test]
fn shows_no_pin() {
    let config = read(r#"{"Path": "/m.so", "SlotNumber": 1, "Pin": "hunter2"}"#).unwrap();
    let text = format!("{config:?}");
    assert!(text.contains("pin") && !text.contains("hunter2"), "{text}");
    for wrong in [
        r#"{"Path": "/m.so", "Pin": "hunter2"}"#,
        r#"{"Path": "/m.so", "SlotNumber": 1, "Pin": ["hunter2"]}"#,
        r#"{"Path": "/m.so", "SlotNumber": 1, "Pin": "hunter2",,}"#,
    ] {
        let error = read(wrong).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

proptest! {
    #[test]
    fn takes_any_text_without_a_panic(text in ".*") {
        drop(read(&text));
    }

    #[test]
    fn keeps_any_label_and_pin(label in ".+", pin in ".+") {
        let json = serde_json::json!({"Path": "/m.so", "TokenLabel": label, "Pin": pin});
        let config = read(&json.to_string()).unwrap();
        prop_assert_eq!(config.token, TokenChoice::Label(label));
        let read = config.pin.unwrap();
        prop_assert_eq!(read.as_str(), pin.as_str());
    }
}
