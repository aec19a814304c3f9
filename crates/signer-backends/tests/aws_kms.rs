//! Keys located by an `awskms:` URI; what is signed with them is the matter of their own crate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "aws-kms")]

use core::time::Duration;
use std::sync::{Arc, Mutex};

use fulcio_signer_aws_kms::{AwsConfig, Credentials};
use fulcio_signer_backends::{Error, KeyService, LocatedKey, OpenOptions, SignerUri, locate};

/// These variables, and what is asked for.
fn variables(said: &'static [(&str, &str)]) -> (OpenOptions, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let options = OpenOptions::new().with_variables(move |name| {
        noted.lock().unwrap().push(name.to_owned());
        let found = said.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    (options, asked)
}

fn located(uri: &str, options: &OpenOptions) -> Result<LocatedKey, Error> {
    locate(&SignerUri::parse(uri)?, options)
}

fn service(uri: &str, options: &OpenOptions) -> KeyService {
    let located = located(uri, options).unwrap();
    located.service().cloned().unwrap()
}

const KEY: &str = "awskms:///alias/fulcio";
const ARN: &str = "awskms:///arn:aws:kms:eu-west-1:111122223333:alias/fulcio";

#[test]
fn tells_where_the_key_is_asked_for() {
    let address = |uri, said| service(uri, &variables(said).0).address;
    let region = &[("AWS_REGION", "us-east-2")];
    for (uri, wanted) in [
        (KEY, "https://kms.us-east-2.amazonaws.com"),
        (ARN, "https://kms.eu-west-1.amazonaws.com"),
        ("AwsKms://kms:4/alias/fulcio", "https://kms:4"),
    ] {
        assert_eq!(address(uri, region).as_deref(), Some(wanted), "{uri}");
    }
    let endpoint = &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")];
    assert_eq!(address(KEY, endpoint).as_deref(), Some(endpoint[0].1));
    assert_eq!(address(KEY, &[]), None);
    let fips = &[
        ("AWS_REGION", "eu-west-1"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
    ];
    assert_eq!(address(KEY, fips), None);
}

#[test]
fn tells_when_anybody_is_trusted() {
    let trusts = |value| {
        let options = OpenOptions::new().with_variables(move |name| {
            (name == "AWS_TLS_INSECURE_SKIP_VERIFY").then(|| String::from(value))
        });
        service(KEY, &options).trusts_anyone
    };
    assert!(trusts("1"));
    assert!(!trusts("0"));
    assert!(!trusts(""));
}

#[test]
fn asks_for_variables_of_its_own_only_and_for_none_where_the_configuration_is_given() {
    let (options, asked) = variables(&[]);
    located(KEY, &options).unwrap();
    let names = std::mem::take(&mut *asked.lock().unwrap());
    assert!(names.iter().any(|name| name == "AWS_REGION"), "{names:?}");
    assert!(
        names.iter().all(|name| name.starts_with("AWS_")),
        "{names:?}"
    );

    let mut config = AwsConfig::new(Credentials::Chain);
    config.endpoint = Some("http://127.0.0.1:2".to_owned());
    let service = service(KEY, &options.with_aws(config));
    assert_eq!(service.address.as_deref(), Some("http://127.0.0.1:2"));
    let names = asked.lock().unwrap();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn reads_no_variables_that_it_was_not_given() {
    let error = located(KEY, &OpenOptions::new()).unwrap_err();
    assert!(
        matches!(error, Error::Unconfigured { service: "AWS KMS" }),
        "{error}"
    );
    assert!(error.is_setting());
}

#[tokio::test]
async fn tells_a_wrong_setting_from_what_fails() {
    let is_setting = async |uri: &str, said| {
        let (options, _asked) = variables(said);
        let error = match located(uri, &options) {
            Ok(key) => key.open().await.unwrap_err(),
            Err(error) => error,
        };
        (error.is_setting(), error.to_string())
    };
    let key = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_REGION", "us-east-2"),
    ];
    let at = |address| -> &'static [(&'static str, &'static str)] {
        let mut all = key.to_vec();
        all.push(("AWS_ENDPOINT_URL", address));
        all.leak()
    };
    for (uri, said, setting, part) in [
        (
            "awskms://fulcio",
            at("http://127.0.0.1:1"),
            true,
            "awskms:///KEY",
        ),
        (
            "awskms:///KEY NAME",
            at("http://127.0.0.1:1"),
            true,
            "awskms:///KEY",
        ),
        (
            KEY,
            at("http://user:horse@127.0.0.1:1"),
            true,
            "AWS_ENDPOINT_URL",
        ),
        (KEY, at("127.0.0.1:1"), true, "AWS_ENDPOINT_URL"),
        (KEY, at("https://127.0.0.1:1"), false, "root certificate"),
    ] {
        let (is_setting, text) = is_setting(uri, said).await;
        assert_eq!(is_setting, setting, "{text}");
        assert!(text.contains(part), "{part:?} is not in: {text}");
        assert!(
            !text.contains("horse") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_service_that_is_not_reached_is_no_wrong_setting() {
    let mut config = AwsConfig::new(Credentials::Key {
        id: "id".to_owned(),
        secret: "hunter2".to_owned().into(),
        session_token: None,
    });
    config.endpoint = Some("http://127.0.0.1:1".to_owned());
    config.region = Some("us-east-2".to_owned());
    config.open_timeout = Duration::from_millis(300);
    let options = OpenOptions::new().with_aws(config);
    let error = located(KEY, &options).unwrap().open().await.unwrap_err();
    assert!(!error.is_setting(), "{error}");
    assert!(error.to_string().contains("within 300 ms"), "{error}");
}

#[test]
fn shows_no_secret() {
    let (options, _asked) = variables(&[
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "hunter3"),
    ]);
    let located = located(KEY, &options).unwrap();
    let text = format!("{options:?} {located:?}");
    assert!(text.contains("alias/fulcio"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}
