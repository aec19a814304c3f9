//! References and variables, right and wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use std::collections::BTreeMap;

use fulcio_signer_aws_kms::{AwsConfig, Credentials, Error, KeyReference, Trust};
use kms::{SECRET, SESSION, config, open};
use proptest::prelude::*;

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

#[test]
fn reads_the_references_that_fulcio_takes() {
    let arn = format!("arn:aws:kms:us-east-2:111122223333:key/{ID}");
    let multi_region = "mrk-1234abcd12ab34cd56ef1234567890ab";
    for (text, host, key, region) in [
        (format!("awskms:///{ID}"), None, ID, None),
        (
            format!("awskms://localhost:4566/{ID}"),
            Some("localhost:4566"),
            ID,
            None,
        ),
        (
            format!("awskms:///{multi_region}"),
            None,
            multi_region,
            None,
        ),
        (format!("awskms:///{arn}"), None, &arn, Some("us-east-2")),
        (
            format!("awskms://[::1]:8443/{arn}"),
            Some("[::1]:8443"),
            &arn,
            Some("us-east-2"),
        ),
        (
            "awskms:///alias/Example_Alias/a-1".to_owned(),
            None,
            "alias/Example_Alias/a-1",
            None,
        ),
        (
            "awskms://kms.example.com/arn:aws-cn:kms:cn-north-1:111122223333:alias/x".to_owned(),
            Some("kms.example.com"),
            "arn:aws-cn:kms:cn-north-1:111122223333:alias/x",
            Some("cn-north-1"),
        ),
        (
            "AWSKMS:///arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/x".to_owned(),
            None,
            "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/x",
            Some("us-gov-west-1"),
        ),
    ] {
        let reference: KeyReference = text.parse().unwrap();
        assert_eq!(
            (reference.host(), reference.key(), reference.region()),
            (host, key, region),
            "{text}"
        );
        let again: KeyReference = reference.to_string().parse().unwrap();
        assert_eq!(again, reference);
    }
}

#[test]
fn a_wrong_reference_shows_the_right_shape() {
    for text in [
        "",
        "alias/fulcio",
        "awskms:alias/fulcio",
        "awskms:/alias/fulcio",
        "awskms://",
        "awskms:///",
        "awskms://alias/fulcio",
        "awskms:///alias/",
        "awskms:///alias/ful cio",
        "awskms:///fulcio",
        "awskms:///key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "awskms:///1234abcd-12ab-34cd-56ef-1234567890a",
        "awskms:///1234abcd-12ab-34cd-56ef-1234567890ag",
        "awskms:///1234abcd+12ab-34cd-56ef-1234567890ab",
        "awskms:///arn:aws:kms:us-east-2:11112222333:alias/x",
        "awskms:///arn:aws:kms:us-east-2:111122223333:x",
        "awskms:///arn:aws:s3:us-east-2:111122223333:alias/x",
        "awskms:///arn:gcp:kms:us-east-2:111122223333:alias/x",
        "awskms:///arn:aws:kms::111122223333:alias/x",
        "awskms://user:password@host/alias/x",
        "awskms://a b/alias/x",
        "awskms://:8443/alias/x",
        "gcpkms:///alias/x",
    ] {
        let error = text.parse::<KeyReference>().unwrap_err().to_string();
        assert!(error.contains("awskms:///KEY"), "{error}");
        assert!(error.contains("alias/NAME"), "{error}");
        assert!(!error.contains("password"), "{error}");
    }
}

proptest! {
    #[test]
    fn a_reference_is_refused_or_says_what_was_said(
        text in "awskms://[a-z.:@]{0,6}/(alias/|arn:aws:kms:us-east-2:111122223333:)?.{0,40}"
    ) {
        if let Ok(reference) = text.parse::<KeyReference>() {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        drop(text.parse::<KeyReference>());
    }
}

fn read(variables: &[(&str, &str)]) -> AwsConfig {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    AwsConfig::from_variables(
        |name| variables.get(name).map(|value| (*value).to_owned()),
        Vec::new(),
    )
}

#[test]
fn reads_the_variables_that_awss_tools_know() {
    let config = read(&[
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_REGION", "us-east-2"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
    ]);
    let Credentials::Key {
        id,
        secret,
        session_token,
    } = config.credentials
    else {
        panic!("{config:?}")
    };
    assert_eq!((id.as_str(), secret.as_str()), ("id", "secret"));
    assert_eq!(session_token.unwrap().as_str(), "token");
    assert_eq!(config.endpoint.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(config.region.as_deref(), Some("us-east-2"));
    assert!(config.fips && !config.dual_stack);
    assert!(matches!(config.trust, Trust::Roots(_)));
}

#[test]
fn without_variables_the_sdk_looks_for_everything() {
    for variables in [
        &[][..],
        &[("AWS_ACCESS_KEY_ID", ""), ("AWS_ENDPOINT_URL", "")],
        &[("AWS_ACCESS_KEY_ID", "id")],
    ] {
        let config = read(variables);
        assert!(matches!(config.credentials, Credentials::Chain));
        assert_eq!((config.endpoint, config.region), (None, None));
    }
}

#[test]
fn the_address_of_the_service_counts_for_more_than_that_of_all() {
    let both = [
        ("AWS_ENDPOINT_URL", "http://all"),
        ("AWS_ENDPOINT_URL_KMS", "http://kms"),
    ];
    assert_eq!(read(&both).endpoint.as_deref(), Some("http://kms"));
    let mut ignored = both.to_vec();
    ignored.push(("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE"));
    assert_eq!(read(&ignored).endpoint, None);
}

#[test]
fn anyone_is_trusted_only_where_it_is_said_as_fulcio_reads_it() {
    let trust = |value| read(&[("AWS_TLS_INSECURE_SKIP_VERIFY", value)]).trust;
    assert!(matches!(trust("1"), Trust::Anyone));
    for other in ["", "0", "true", "yes"] {
        assert!(matches!(trust(other), Trust::Roots(_)), "{other}");
    }
}

#[tokio::test]
async fn refuses_an_address_that_is_none_and_does_not_repeat_it() {
    for address in [
        "",
        "127.0.0.1:5577",
        "ftp://127.0.0.1",
        "http://user:password@127.0.0.1",
        "http://127.0.0.1/?password",
    ] {
        let error = open("awskms:///alias/x", &config(address))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Endpoint), "{address}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("password"));
    }
}

#[tokio::test]
async fn needs_roots_for_tls() {
    let mut settings = config("https://127.0.0.1:1");
    let error = open("awskms:///alias/x", &settings).await.unwrap_err();
    assert!(matches!(error, Error::NoRoots), "{error:?}");
    settings.endpoint = None;
    let error = open("awskms:///alias/x", &settings).await.unwrap_err();
    assert!(matches!(error, Error::NoRoots), "{error:?}");
    settings.endpoint = Some("http://127.0.0.1:1".to_owned());
    let error = open("awskms://127.0.0.1:1/alias/x", &settings)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NoRoots), "{error:?}");
}

#[test]
fn nothing_shows_the_credentials() {
    let shown = format!("{:?}", config("http://127.0.0.1"));
    assert!(
        !shown.contains(SECRET) && !shown.contains(SESSION),
        "{shown}"
    );
}
