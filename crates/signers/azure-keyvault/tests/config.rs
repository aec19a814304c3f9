//! References and variables, right and wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, path::Path};

use fulcio_remote_key::Fault as _;
use fulcio_signer::ErrorKind;
use fulcio_signer_azure_keyvault::{
    AzureConfig, AzureKeyVaultSigner, Credentials, Error, KeyReference,
};
use fulcio_test_services::azure_key_vault::AzureKeyVault;
use proptest::prelude::*;
use zeroize::Zeroizing;

const VERSION: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn reads_the_references_that_fulcio_takes() {
    for (text, host, key, version) in [
        (
            "azurekms://name.vault.azure.net/fulcio".to_owned(),
            "name.vault.azure.net",
            "fulcio",
            None,
        ),
        (
            format!("azurekms://name.vault.azure.net/Fulcio-1/{VERSION}"),
            "name.vault.azure.net",
            "Fulcio-1",
            Some(VERSION),
        ),
        (
            "azurekms://name.managedhsm.azure.net/k/".to_owned(),
            "name.managedhsm.azure.net",
            "k",
            None,
        ),
        (
            "AzureKMS://[::1]:8443/k/a1".to_owned(),
            "[::1]:8443",
            "k",
            Some("a1"),
        ),
        (
            "azurekms://127.0.0.1:8443/k".to_owned(),
            "127.0.0.1:8443",
            "k",
            None,
        ),
    ] {
        let reference: KeyReference = text.parse().unwrap();
        assert_eq!(
            (reference.host(), reference.key(), reference.version()),
            (host, key, version),
            "{text}"
        );
        assert_eq!(reference.address(), format!("https://{host}"));
        let again: KeyReference = reference.to_string().parse().unwrap();
        assert_eq!(again, reference);
    }
}

#[test]
fn shows_the_right_shape_of_a_reference_that_is_wrong() {
    let long = format!("azurekms://name.vault.azure.net/{}", "k".repeat(128));
    for text in [
        "",
        "fulcio",
        "azurekms:",
        "azurekms://",
        "azurekms:///fulcio",
        "azurekms://name.vault.azure.net",
        "azurekms://name.vault.azure.net/",
        "azurekms://name.vault.azure.net//",
        "azurekms://name.vault.azure.net//fulcio",
        "azurekms://name.vault.azure.net/fulcio/V1",
        "azurekms://name.vault.azure.net/fulcio/1/2",
        "azurekms://name.vault.azure.net/fulcio/1/",
        "azurekms://name.vault.azure.net/keys/fulcio/1",
        "azurekms://name.vault.azure.net/a_b",
        "azurekms://name.vault.azure.net/a?b",
        "azurekms://name.vault.azure.net/a%62",
        "azurekms://na me/fulcio",
        "azurekms://:8443/fulcio",
        "https://name.vault.azure.net/keys/fulcio",
        "azurekms:name=fulcio;vault=name",
        &long,
    ] {
        let error = text.parse::<KeyReference>().unwrap_err();
        assert!(matches!(error, Error::Reference { .. }), "{text}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let shown = error.to_string();
        assert!(
            shown.contains("azurekms://VAULT.vault.azure.net/KEY"),
            "{shown}"
        );
    }
}

#[test]
fn a_password_in_a_reference_is_refused_and_not_repeated() {
    let text = "azurekms://user:not-to-be-seen@name.vault.azure.net/fulcio";
    let error = text.parse::<KeyReference>().unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("not-to-be-seen"), "{shown}");
}

proptest! {
    #[test]
    fn a_reference_is_refused_or_says_what_was_said(
        text in "azurekms://[a-z.:@]{0,6}/[a-zA-Z0-9/_-]{0,40}.{0,3}"
    ) {
        if let Ok(reference) = text.parse::<KeyReference>() {
            prop_assert_eq!(reference.to_string(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        drop(text.parse::<KeyReference>());
    }
}

fn read(variables: &[(&str, &str)]) -> Result<AzureConfig, Error> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    AzureConfig::from_variables(
        |name| variables.get(name).map(|value| (*value).to_owned()),
        Vec::new(),
    )
}

const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "t");
const CLIENT: (&str, &str) = ("AZURE_CLIENT_ID", "c");
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "s");
const FILE: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/f");
const ENDPOINT: (&str, &str) = ("IDENTITY_ENDPOINT", "http://127.0.0.1:1");

#[test]
fn chooses_the_credentials_as_azures_own_tools_do() {
    let which = |variables: &[(&str, &str)]| read(variables).unwrap().credentials;
    let secret = which(&[TENANT, CLIENT, SECRET, FILE, ENDPOINT]);
    assert!(
        matches!(&secret, Credentials::ClientSecret { client, secret, tenant }
            if client == "c" && secret.as_str() == "s" && tenant == "t"),
        "{secret:?}"
    );
    let workload = which(&[TENANT, CLIENT, FILE, ENDPOINT]);
    assert!(
        matches!(&workload, Credentials::WorkloadIdentity { client, tenant, token_file }
            if client == "c" && tenant == "t" && token_file == Path::new("/f")),
        "{workload:?}"
    );
    let managed = which(&[CLIENT, ENDPOINT]);
    assert!(
        matches!(&managed, Credentials::ManagedIdentity { client: Some(client) } if client == "c"),
        "{managed:?}"
    );
    for nothing in [&[][..], &[("AZURE_CLIENT_SECRET", "")]] {
        let chain = which(nothing);
        assert!(
            matches!(chain, Credentials::Chain { client: None }),
            "{chain:?}"
        );
    }
}

#[test]
fn looks_for_no_more_than_it_is_told_to() {
    let all = [TENANT, CLIENT, SECRET, FILE];
    let which = |said| {
        let mut variables = all.to_vec();
        variables.push(("AZURE_TOKEN_CREDENTIALS", said));
        read(&variables).unwrap().credentials
    };
    assert!(matches!(which("prod"), Credentials::ClientSecret { .. }));
    assert!(matches!(which("dev"), Credentials::DeveloperTools));
    assert!(matches!(
        which("EnvironmentCredential"),
        Credentials::ClientSecret { .. }
    ));
    assert!(matches!(
        which("workloadidentitycredential"),
        Credentials::WorkloadIdentity { .. }
    ));
    assert!(matches!(
        which("ManagedIdentityCredential"),
        Credentials::ManagedIdentity { .. }
    ));
    let alone = read(&[("AZURE_TOKEN_CREDENTIALS", "prod")]).unwrap();
    assert!(matches!(
        alone.credentials,
        Credentials::ManagedIdentity { client: None }
    ));
}

#[test]
fn says_which_variable_is_missing() {
    for (variables, missing) in [
        (&[SECRET][..], "AZURE_CLIENT_ID"),
        (&[SECRET, CLIENT], "AZURE_TENANT_ID"),
        (&[FILE, TENANT], "AZURE_CLIENT_ID"),
        (&[FILE, CLIENT], "AZURE_TENANT_ID"),
        (
            &[("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")],
            "AZURE_CLIENT_SECRET",
        ),
        (
            &[("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential")],
            "AZURE_FEDERATED_TOKEN_FILE",
        ),
    ] {
        let error = read(variables).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(
            matches!(&error, Error::CredentialsIncomplete { missing: said } if *said == missing),
            "{error:?}"
        );
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[test]
fn says_what_it_does_not_know() {
    for (name, value) in [
        ("AZURE_TOKEN_CREDENTIALS", "AzurePowerShellCredential"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "/certificate.pem"),
        ("AZURE_PASSWORD", "not-to-be-seen"),
        ("AZURE_ENVIRONMENT", "AzureStackCloud"),
    ] {
        let error = read(&[TENANT, CLIENT, (name, value)]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(name) && text.len() > 60, "{text}");
        assert!(!text.contains("not-to-be-seen"), "{text}");
    }
}

#[test]
fn logs_in_where_the_cloud_is() {
    let authority = |variables: &[(&str, &str)]| read(variables).unwrap().authority;
    assert_eq!(authority(&[]), "https://login.microsoftonline.com");
    for (name, address) in [
        ("AzureCloud", "https://login.microsoftonline.com"),
        ("AZUREPUBLICCLOUD", "https://login.microsoftonline.com"),
        ("AZUREUSGOVERNMENT", "https://login.microsoftonline.us"),
        ("AzureUSGovernmentCloud", "https://login.microsoftonline.us"),
        ("AZURECHINACLOUD", "https://login.chinacloudapi.cn"),
    ] {
        assert_eq!(authority(&[("AZURE_ENVIRONMENT", name)]), address);
    }
    let both = [
        ("AZURE_ENVIRONMENT", "AZURECHINACLOUD"),
        ("AZURE_AUTHORITY_HOST", "https://login.example.com/"),
    ];
    assert_eq!(authority(&both), "https://login.example.com/");
    let bare = [("AZURE_AUTHORITY_HOST", "login.example.com")];
    assert_eq!(authority(&bare), "https://login.example.com");
    let resource = [("AZURE_KEYVAULT_RESOURCE", "https://vault.azure.net")];
    let config = read(&resource).unwrap();
    assert_eq!(config.resource.as_deref(), Some("https://vault.azure.net"));
}

#[tokio::test]
async fn an_address_of_entra_that_is_none_is_refused_and_not_repeated() {
    let vault = AzureKeyVault::start();
    for address in [
        "",
        "login.example.com",
        "http://login.example.com",
        "https://",
        "https://user:not-to-be-seen@login.example.com",
        "https://login.example.com/tenant",
        "https://login.example.com?query",
    ] {
        let mut config = AzureConfig::new(Credentials::DeveloperTools);
        address.clone_into(&mut config.authority);
        config.roots = vec![vault.root()];
        let reference = "azurekms://127.0.0.1:1/k".parse().unwrap();
        let error = AzureKeyVaultSigner::open(&reference, &config).await;
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Authority), "{address}: {error:?}");
        assert!(!format!("{error:?} {error}").contains("not-to-be-seen"));
    }
}

#[tokio::test]
async fn without_roots_nobody_is_trusted() {
    let config = AzureConfig::new(Credentials::DeveloperTools);
    let reference = "azurekms://127.0.0.1:1/k".parse().unwrap();
    let error = AzureKeyVaultSigner::open(&reference, &config).await;
    assert!(matches!(error, Err(Error::NoRoots)), "{error:?}");
}

#[test]
fn no_secret_is_shown() {
    let config = AzureConfig::new(Credentials::ClientSecret {
        client: "c".to_owned(),
        secret: Zeroizing::new(AzureKeyVault::SECRET.to_owned()),
        tenant: "t".to_owned(),
    });
    let shown = format!("{config:?}");
    assert!(shown.contains("ClientSecret"), "{shown}");
    assert!(!shown.contains(AzureKeyVault::SECRET), "{shown}");
}
