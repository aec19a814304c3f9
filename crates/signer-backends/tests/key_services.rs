//! Keys of key services, by their URIs, with what variables say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(all(
    feature = "aws-kms",
    feature = "azure-keyvault",
    feature = "gcp-kms",
    feature = "hashivault",
    feature = "tink"
))]

use core::time::Duration;
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use fulcio_signer::Signer as _;
use fulcio_signer_backends::{
    Error, LocatedKey, OpenOptions, SCHEMES, SignerUri, locate, open, tink_uri,
};
use fulcio_test_services::{
    azure_key_vault::{AzureKeyVault, KeyKind},
    gcp_kms::{GcpKms, Reply},
};

type Variables = BTreeMap<&'static str, String>;

fn options(variables: Variables) -> OpenOptions {
    OpenOptions::new().with_variables(move |name| variables.get(name).cloned())
}

fn located(uri: &str, options: &OpenOptions) -> Result<LocatedKey, Error> {
    locate(&SignerUri::parse(uri)?, options)
}

const AWS: &str = "awskms:///alias/fulcio";
const AZURE: &str = "azurekms://fulcio.vault.azure.net/ca";
const GCP: &str = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k";
const TINK_AWS: &str = "tink:keyset.json?kek=aws-kms://arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const TINK_GCP: &str =
    "tink:keyset.json?kek=gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k";
const TINK_VAULT: &str = "tink:keyset.json?kek=hcvault://vault:8200/transit/keys/k";
const VAULT: &str = "hashivault://fulcio";

/// Enough for every service to be located.
fn everywhere() -> Variables {
    let said = [
        ("VAULT_ADDR", "http://127.0.0.1:8200"),
        ("VAULT_TOKEN", "hunter2"),
    ];
    said.map(|(name, value)| (name, value.to_owned())).into()
}

#[test]
fn tells_which_service_is_asked_and_where() {
    let options = options(everywhere());
    for (uri, name, address, uses_proxies) in [
        (AWS, "AWS KMS", None, false),
        (
            AZURE,
            "Azure Key Vault",
            Some("https://fulcio.vault.azure.net"),
            false,
        ),
        (
            GCP,
            "Google Cloud KMS",
            Some("https://cloudkms.googleapis.com"),
            true,
        ),
        (VAULT, "Vault", Some("http://127.0.0.1:8200"), false),
        (
            TINK_AWS,
            "AWS KMS",
            Some("https://kms.eu-west-1.amazonaws.com"),
            false,
        ),
        (
            TINK_GCP,
            "Google Cloud KMS",
            Some("https://cloudkms.googleapis.com"),
            true,
        ),
        (TINK_VAULT, "Vault", Some("https://vault:8200"), false),
    ] {
        let located = located(uri, &options).unwrap();
        let service = located.service().unwrap();
        assert_eq!(service.name, name, "{uri}");
        assert_eq!(service.address.as_deref(), address, "{uri}");
        assert_eq!(service.uses_proxies, uses_proxies, "{uri}");
        let shown = format!("{options:?} {located:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let here = located("file:///key.pem", &options);
    assert!(here.is_err() || here.unwrap().service().is_none());
}

#[test]
fn asks_for_no_variable_of_another_service() {
    for (uri, prefixes) in [
        (AWS, &["AWS_"][..]),
        (AZURE, &["AZURE_", "IDENTITY_"]),
        (GCP, &["CLOUDSDK_"]),
        (VAULT, &["VAULT_", "BAO_", "TRANSIT_"]),
        (TINK_AWS, &["AWS_"]),
        (TINK_GCP, &["CLOUDSDK_"]),
        (TINK_VAULT, &["VAULT_", "BAO_", "TRANSIT_"]),
    ] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (noted, said) = (Arc::clone(&asked), everywhere());
        let options = OpenOptions::new().with_variables(move |name| {
            noted.lock().unwrap().push(name.to_owned());
            said.get(name).cloned()
        });
        located(uri, &options).unwrap();
        let names = asked.lock().unwrap();
        let own = |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix));
        assert!(
            !names.is_empty() && names.iter().all(own),
            "{uri}: {names:?}"
        );
    }
}

#[test]
fn reads_no_variables_that_it_was_not_given() {
    for uri in [AWS, AZURE, GCP, VAULT, TINK_AWS, TINK_GCP, TINK_VAULT] {
        let error = located(uri, &OpenOptions::new()).unwrap_err();
        assert!(
            matches!(error, Error::Unconfigured { .. }),
            "{uri}: {error}"
        );
        assert!(error.is_setting());
    }
}

#[test]
fn shows_the_right_shape_of_a_wrong_reference() {
    let options = options(everywhere());
    for (uri, shape) in [
        ("awskms://fulcio", "awskms:///KEY"),
        (
            "azurekms://vault.azure.net",
            "azurekms://VAULT.vault.azure.net/KEY",
        ),
        ("azurekms:///ca", "azurekms://VAULT.vault.azure.net/KEY"),
        (
            "gcpkms://projects/p",
            "gcpkms://projects/PROJECT/locations/LOCATION",
        ),
        ("hashivault://", "hashivault://KEY"),
        ("tink:", "tink:///path"),
        ("tink:keyset.json", "tink:///path"),
        ("tink:keyset.json?key=x", "tink:///path"),
        ("tink:keyset.json?kek", "tink:///path"),
        ("tink:keyset.json?kek=x", "tink:///path"),
        ("tink:?kek=aws-kms://x", "tink:///path"),
        (
            "tink://elsewhere/keyset.json?kek=aws-kms://x",
            "tink:///path",
        ),
        ("tink:keyset.json?kek=aws-kms://alias/x", "aws-kms://arn:"),
        (
            "tink:keyset.json?kek=gcp-kms://x",
            "gcp-kms://projects/PROJECT",
        ),
        ("tink:keyset.json?kek=hcvault://x", "hcvault://"),
        (
            "tink:keyset.json?kek=azure-kms://x",
            "aws-kms: gcp-kms: hcvault:",
        ),
    ] {
        let error = located(uri, &options).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(shape), "{uri}: {text}");
        assert!(error.is_setting(), "{uri}: {text}");
    }
    for scheme in [
        "awskms:",
        "azurekms:",
        "gcpkms:",
        "hashivault:",
        "openbao:",
        "tink:",
    ] {
        assert!(SCHEMES.contains(&scheme), "{SCHEMES:?}");
    }
}

#[tokio::test]
async fn names_the_version_of_google_that_it_opened() {
    let google = GcpKms::start().await;
    let key = google.signing_key("ca", "EC_SIGN_P384_SHA384");
    let second = google.add_version(&key, "EC_SIGN_P384_SHA384");
    let options = options(google.variables());
    let uri = format!("gcpkms://{key}");
    let opened = open(&SignerUri::parse(&uri).unwrap(), &options)
        .await
        .unwrap();
    assert_eq!(opened.name, format!("gcpkms://{second}"));
    let again = open(&SignerUri::parse(&opened.name).unwrap(), &options).await;
    assert_eq!(
        again.unwrap().signer.public_key(),
        opened.signer.public_key()
    );
}

#[tokio::test]
async fn takes_the_times_that_are_given() {
    let google = GcpKms::start().await;
    let key = google.signing_key("ca", "EC_SIGN_P384_SHA384");
    let times = (Duration::from_millis(40), Duration::from_millis(120));
    let options = options(google.variables()).with_timeouts(times.0, times.1);
    let uri = format!("gcpkms://{key}");
    let opened = open(&SignerUri::parse(&uri).unwrap(), &options)
        .await
        .unwrap();
    google.then(vec![Reply::Hang; 9]);
    let error = opened.signer.sign(b"m").await.unwrap_err();
    let mut text = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    assert!(text.contains("120 ms"), "{text}");
}

#[tokio::test]
async fn names_the_version_of_azure_that_it_opened() {
    let vault = AzureKeyVault::start();
    let version = vault.create_key("ca", KeyKind::P256);
    let options = options(vault.variables()).with_roots(vec![vault.root()]);
    let uri = format!("azurekms://{}/ca", vault.address());
    let opened = open(&SignerUri::parse(&uri).unwrap(), &options)
        .await
        .unwrap();
    let name = format!("https://{}/keys/ca/{version}", vault.address());
    assert_eq!(opened.name, name);
    opened.signer.sign(b"m").await.unwrap();
}

#[tokio::test]
async fn tells_a_wrong_setting_from_a_service_that_is_not_reached() {
    let said = |name: &'static str, value: &str| {
        let mut variables = everywhere();
        variables.insert(name, value.to_owned());
        options(variables)
    };
    let endpoint = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";
    let nobody = "http://127.0.0.1:1";
    for (uri, options, setting, part) in [
        (GCP, said(endpoint, "kms:1"), true, endpoint),
        (
            AZURE,
            said("AZURE_CLIENT_SECRET", "hunter2"),
            true,
            "AZURE_CLIENT_ID",
        ),
        (
            AZURE,
            said("AZURE_ENVIRONMENT", "Mars"),
            true,
            "AZURE_ENVIRONMENT",
        ),
        (VAULT, said("VAULT_ADDR", "vault"), true, "VAULT_ADDR"),
        (VAULT, said("VAULT_ADDR", nobody), false, "Vault"),
        (VAULT, said("VAULT_CACERT", "/nowhere"), false, "/nowhere"),
        (TINK_GCP, said(endpoint, nobody), false, "keyset.json"),
    ] {
        let options = options.with_roots(Vec::new());
        let error = match located(uri, &options) {
            Ok(key) => key.open().await.unwrap_err(),
            Err(error) => error,
        };
        let text = error.to_string();
        assert_eq!(error.is_setting(), setting, "{uri}: {text}");
        assert!(text.contains(part), "{uri}: {part:?} is not in: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn finds_a_keyset_however_its_path_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let google = GcpKms::start().await;
    let kek = format!("gcp-kms://{}", google.wrapping_key("kek"));
    let options = options(google.variables());
    for name in [
        "keyset.json",
        "a key set.json",
        "what?.json",
        "50%.json",
        "#1&2.json",
        "schlüssel",
    ] {
        let path = folder.path().join(name);
        fs::write(&path, "{}").unwrap();
        let uri = tink_uri(path.to_str().unwrap(), &kek);
        let error = located(&uri, &options).unwrap().open().await.unwrap_err();
        let text = error.to_string();
        // It was read, and is no keyset.
        assert!(
            text.contains(name) && text.contains("not an encrypted"),
            "{uri}: {text}"
        );
    }
    let uri = tink_uri("absent.json", &kek);
    assert!(uri.starts_with("tink:absent.json?kek=gcp-kms://"), "{uri}");
    let error = located(&uri, &options).unwrap().open().await.unwrap_err();
    assert!(error.to_string().starts_with("absent.json: "), "{error}");
}
