//! What a reference and a configuration say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use std::collections::HashMap;

use fulcio_remote_key::Fault as _;
use fulcio_signer::ErrorKind;
use fulcio_signer_gcp_kms::{
    Credentials, Error, GcpKmsConfig, GcpKmsUnwrap, KeyReference, UnwrapReference,
};
use kms::{at, open};
use proptest::prelude::*;

const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

fn reference(text: &str) -> Result<KeyReference, Error> {
    text.parse()
}

fn unwrap_reference(text: &str) -> Result<UnwrapReference, Error> {
    text.parse()
}

#[test]
fn reads_a_key_with_and_without_a_version() {
    for (behind, version) in [
        ("", None),
        ("/cryptoKeyVersions/12", Some("12")),
        ("/versions/12", Some("12")),
    ] {
        let text = format!("gcpkms://{KEY}{behind}");
        let read = reference(&text).unwrap();
        assert_eq!((read.key(), read.version()), (KEY, version));
        assert_eq!(read.to_string(), text);
    }
    let key = "projects/example.com:my-project-1/locations/europe-west1/keyRings/Fulcio_1-a/\
               cryptoKeys/CA_1-b";
    assert_eq!(reference(&format!("GCPKMS://{key}")).unwrap().key(), key);
}

#[test]
fn reads_the_key_of_a_tink_keyset() {
    let text = format!("gcp-kms://{KEY}");
    let read = unwrap_reference(&text).unwrap();
    assert_eq!((read.key(), read.to_string()), (KEY, text));
}

#[test]
fn says_how_a_key_is_written() {
    let long = "k".repeat(64);
    for text in [
        String::new(),
        KEY.to_owned(),
        format!("gcp-kms://{KEY}"),
        format!("gcpkms:{KEY}"),
        format!("gcpkms:///{KEY}"),
        format!("gcpkms://{KEY}/"),
        format!("gcpkms://{KEY}/cryptoKeyVersions"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/0"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/01"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/latest"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/1/publicKey"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/1:destroy"),
        format!("gcpkms://{KEY}/cryptoKeyVersions/99999999999999999999"),
        format!("gcpkms://{KEY}?x=y"),
        format!("gcpkms://{KEY}:destroy"),
        "gcpkms://projects/p/locations/l/keyRings/r".to_owned(),
        "gcpkms://projects/../locations/l/keyRings/r/cryptoKeys/k".to_owned(),
        "gcpkms://projects//locations/l/keyRings/r/cryptoKeys/k".to_owned(),
        "gcpkms://projects/p/locations//keyRings/r/cryptoKeys/k".to_owned(),
        "gcpkms://projects/p/locations/l/keyRings/r%2F/cryptoKeys/k".to_owned(),
        "gcpkms://projects/p/locations/l/keyrings/r/cryptoKeys/k".to_owned(),
        format!("gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/{long}"),
    ] {
        let error = reference(&text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let shape = "gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY";
        assert!(error.to_string().contains(shape), "{text}: {error}");
    }
    for text in [
        format!("gcpkms://{KEY}"),
        format!("gcp-kms://{KEY}/cryptoKeyVersions/1"),
        format!("gcp-kms://{KEY}/"),
    ] {
        let error = unwrap_reference(&text).unwrap_err().to_string();
        assert!(
            error.contains("gcp-kms://projects/PROJECT/"),
            "{text}: {error}"
        );
    }
}

#[test]
fn a_reference_that_holds_a_password_is_not_repeated() {
    for text in ["gcpkms://user:hidden@host/key", "gcp-kms://hidden@host/key"] {
        for error in [
            reference(text).unwrap_err().to_string(),
            unwrap_reference(text).unwrap_err().to_string(),
        ] {
            assert!(
                !error.contains("hidden:") && !error.contains("hidden@"),
                "{error}"
            );
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_again(
        project in "[a-z][a-z0-9-]{0,20}", location in "[a-z][a-z0-9-]{0,12}",
        ring in "[A-Za-z0-9_-]{1,63}", key in "[A-Za-z0-9_-]{1,63}",
        version in proptest::option::of(("(cryptoKeyVersions|versions)", 1_u64..)),
    ) {
        let name = format!("projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}");
        let behind = version.as_ref().map_or(String::new(), |(word, number)| format!("/{word}/{number}"));
        let text = format!("gcpkms://{name}{behind}");
        let read = reference(&text).unwrap();
        prop_assert_eq!(read.key(), name);
        let number = version.map(|(_word, number)| number.to_string());
        prop_assert_eq!(read.version(), number.as_deref());
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn nothing_that_is_read_leads_elsewhere(text in "(gcpkms|gcp-kms)://[a-zA-Z0-9/.:@?#%_ -]{0,120}") {
        if let Ok(read) = reference(&text) {
            prop_assert!(!read.key().contains(['?', '#', '%', '@', ' ']));
            prop_assert!(read.key().split('/').all(|part| !part.is_empty() && part != ".."));
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in ".*") {
        drop(reference(&text));
        drop(unwrap_reference(&format!("gcp-kms://{text}")));
    }
}

fn from(variables: &[(&str, &str)]) -> GcpKmsConfig {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    GcpKmsConfig::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()))
}

const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";

#[test]
fn without_variables_google_itself_is_asked_with_the_default_credentials() {
    for config in [from(&[]), from(&[(ENDPOINT, "")])] {
        assert_eq!(config.endpoint, None);
        assert_eq!(config.credentials, Credentials::ApplicationDefault);
        assert_eq!(config.timeout, GcpKmsConfig::TIMEOUT);
    }
}

#[test]
fn credentials_are_not_sent_without_tls() {
    let tls = from(&[(ENDPOINT, "https://cloudkms-mine.p.googleapis.com/")]);
    assert_eq!(tls.credentials, Credentials::ApplicationDefault);
    let plain = from(&[(ENDPOINT, "http://127.0.0.1:8080")]);
    assert_eq!(plain.credentials, Credentials::Anonymous);
    assert_eq!(plain.endpoint.unwrap(), "http://127.0.0.1:8080");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_not_repeated() {
    for address in [
        "",
        "cloudkms.googleapis.com",
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "https://user:hidden@127.0.0.1",
        "https://127.0.0.1/?key=hidden",
        "https://127.0.0.1/#hidden",
    ] {
        let error = open(KEY, &at(address)).await.unwrap_err();
        assert!(matches!(error, Error::Endpoint), "{address}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("hidden"));
        let wrapping = unwrap_reference(&format!("gcp-kms://{KEY}")).unwrap();
        let error = GcpKmsUnwrap::open(&wrapping, &at(address)).await;
        assert!(matches!(error, Err(Error::Endpoint)), "{address}");
    }
}
