//! What can be said about where Google is, and who issues there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::try_open;
use fulcio_google_ca_service::{Credentials, Error, GoogleConfig, Parent};
use proptest::prelude::*;

#[test]
fn a_pool_and_an_authority_are_read() {
    let pool = "projects/my-project/locations/us-central1/caPools/My_Pool-1";
    let parent: Parent = pool.parse().unwrap();
    assert_eq!((parent.pool(), parent.authority()), (pool, None));
    assert_eq!(parent.to_string(), pool);

    let named = format!("{pool}/certificateAuthorities/root-2026");
    let parent: Parent = named.parse().unwrap();
    assert_eq!(parent.pool(), pool);
    assert_eq!(parent.authority(), Some("root-2026"));
    assert_eq!(parent.to_string(), named);

    for project in ["123456789012", "example.com:old-project"] {
        let pool = format!("projects/{project}/locations/us-central1/caPools/pool");
        pool.parse::<Parent>().unwrap();
    }
}

#[test]
fn the_right_form_is_shown_to_whoever_writes_another() {
    let long = format!("projects/p/locations/l/caPools/{}", "x".repeat(64));
    for wrong in [
        "",
        "pool",
        "projects/p/locations/l/caPools",
        "projects/p/locations/l/caPools/",
        "projects//locations/l/caPools/pool",
        "projects/p/locations/l/capools/pool",
        "/projects/p/locations/l/caPools/pool",
        "projects/p/locations/l/caPools/pool/",
        "projects/p/locations/l/caPools/pool/certificateAuthorities",
        "projects/p/locations/l/caPools/pool/certificateAuthorities/",
        "projects/p/locations/l/caPools/pool/certificateAuthorities/a/b",
        "projects/p/locations/l/caPools/po ol",
        "projects/../locations/l/caPools/pool",
        "projects/p/locations/l/caPools/pool?x",
        "//privateca.googleapis.com/projects/p/locations/l/caPools/pool",
        &long,
    ] {
        let error = wrong.parse::<Parent>().unwrap_err();
        assert!(matches!(&error, Error::Parent { parent } if parent == wrong));
        let text = error.to_string();
        assert!(
            text.ends_with(
                "projects/PROJECT/locations/LOCATION/caPools/POOL, with /certificateAuthorities/CA \
                 behind it for one authority of the pool"
            ),
            "{text}"
        );
    }
}

fn config(variables: &[(&str, &str)]) -> GoogleConfig {
    GoogleConfig::from_variables(|name| {
        let found = variables.iter().find(|(known, _value)| *known == name);
        found.map(|(_name, value)| (*value).to_owned())
    })
}

#[test]
fn a_token_is_never_sent_in_the_open() {
    const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVATECA";
    for (address, endpoint, credentials) in [
        ("", None, Credentials::ApplicationDefault),
        (
            "https://private.example.com/",
            Some("https://private.example.com/"),
            Credentials::ApplicationDefault,
        ),
        (
            "http://127.0.0.1:1/",
            Some("http://127.0.0.1:1/"),
            Credentials::Anonymous,
        ),
    ] {
        let config = config(&[(ENDPOINT, address)]);
        assert_eq!(config.endpoint.as_deref(), endpoint);
        assert_eq!(config.credentials, credentials);
    }
    assert_eq!(config(&[]).credentials, Credentials::ApplicationDefault);
}

#[tokio::test]
async fn an_address_that_is_none_is_not_asked_and_not_repeated() {
    for address in [
        "127.0.0.1:1",
        "ftp://127.0.0.1",
        "http://user:secret@127.0.0.1:1",
        "http://127.0.0.1:1/?secret",
        "http://127.0.0.1:1/#secret",
        "https://",
    ] {
        let mut config = GoogleConfig::new(Credentials::Anonymous);
        config.endpoint = Some(address.to_owned());
        let error = try_open(&config, None).await.unwrap_err();
        assert!(matches!(error, Error::Endpoint), "{address}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
}

proptest! {
    #[test]
    fn a_parent_is_written_as_it_was_read(text in "(projects|p)/[a-z0-9.:-]{0,8}/locations/[a-z0-9-]{0,8}/caPools/[A-Za-z0-9_-]{0,8}(/certificateAuthorities/[a-z/]{0,3})?") {
        if let Ok(parent) = text.parse::<Parent>() {
            prop_assert_eq!(parent.to_string(), text);
        }
    }

    #[test]
    fn whatever_is_written_is_read_or_refused(text in "\\PC*") {
        prop_assert!(text.parse::<Parent>().is_err());
    }
}
