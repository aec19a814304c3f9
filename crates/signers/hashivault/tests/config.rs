//! References and variables, right and wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use std::{collections::BTreeMap, fs};

use fulcio_signer_hashivault::{Error, KeyReference, TokenSource, VaultConfig};
use pki_types::{CertificateDer, pem::PemObject as _};
use proptest::prelude::*;
use vault::{TlsFiles, open};
use zeroize::Zeroizing;

#[test]
fn reads_the_references_that_fulcio_takes() {
    for (text, name, version) in [
        ("hashivault://fulcio", "fulcio", None),
        ("openbao://fulcio", "fulcio", None),
        ("HashiVault://k", "k", None),
        ("hashivault://a_b-c.d", "a_b-c.d", None),
        ("hashivault://_", "_", None),
        ("hashivault://fulcio/versions/3", "fulcio", Some(3)),
    ] {
        let reference: KeyReference = text.parse().unwrap();
        assert_eq!((reference.name(), reference.version()), (name, version));
        let again: KeyReference = reference.to_string().parse().unwrap();
        assert_eq!(again, reference);
    }
}

#[test]
fn a_wrong_reference_shows_the_right_shape() {
    for text in [
        "",
        "fulcio",
        "hashivault:fulcio",
        "hashivault:/fulcio",
        "hashivault://",
        "hashivault:///fulcio",
        "hashivault://fulcio/",
        "hashivault://fulcio/nested",
        "hashivault://-fulcio",
        "hashivault://fulcio.",
        "hashivault://ful cio",
        "hashivault://..",
        "hashivault://fulcio?version=3",
        "hashivault://fulcio/versions/",
        "hashivault://fulcio/versions/0",
        "hashivault://fulcio/versions/+1",
        "hashivault://fulcio/versions/latest",
        "hashivault://fulcio/versions/4294967296",
        "gcpkms://fulcio",
    ] {
        let error = text.parse::<KeyReference>().unwrap_err();
        assert!(error.to_string().contains("hashivault://KEY"), "{error}");
    }
}

proptest! {
    #[test]
    fn a_name_never_leaves_its_place_in_a_url(name in "\\PC{0,20}") {
        if let Ok(reference) = format!("hashivault://{name}").parse::<KeyReference>() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            prop_assert!(reference.name().chars().all(plain));
            prop_assert!(!reference.name().starts_with('.'));
        }
    }
}

fn config(variables: &[(&str, &str)]) -> Result<VaultConfig, Error> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    VaultConfig::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()))
}

fn token(config: &VaultConfig) -> &str {
    match &config.token {
        TokenSource::Value(token) => token,
        TokenSource::File(file) => file.to_str().unwrap(),
    }
}

#[test]
fn reads_the_variables_that_fulcio_reads() {
    let vault = config(&[
        ("VAULT_ADDR", "https://vault:8200"),
        ("BAO_ADDR", "https://bao:8200"),
        ("VAULT_TOKEN", "one"),
        ("BAO_TOKEN", "two"),
        ("VAULT_NAMESPACE", "team"),
        ("TRANSIT_SECRET_ENGINE_PATH", "signing"),
        ("VAULT_KEY_PREFIX", "vault:v7:"),
    ])
    .unwrap();
    assert_eq!(vault.address, "https://vault:8200");
    assert_eq!(token(&vault), "one");
    assert_eq!(vault.mount, "signing");
    assert_eq!(vault.namespace.as_deref(), Some("team"));

    let bao = config(&[
        ("VAULT_ADDR", ""),
        ("BAO_ADDR", "https://bao:8200"),
        ("BAO_TOKEN", "two"),
    ])
    .unwrap();
    assert_eq!(bao.address, "https://bao:8200");
    assert_eq!(token(&bao), "two");
    assert_eq!(bao.mount, "transit");
    assert_eq!(bao.namespace, None);
}

#[test]
fn says_which_variable_is_missing() {
    let error = config(&[("VAULT_TOKEN", "t")]).unwrap_err();
    assert!(matches!(error, Error::AddressMissing), "{error:?}");
    assert!(error.to_string().contains("VAULT_ADDR"), "{error}");

    let home = tempfile::tempdir().unwrap();
    let home = ("HOME", home.path().to_str().unwrap());
    for variables in [&[][..], &[home], &[("VAULT_TOKEN", "")]] {
        let variables = [&[("VAULT_ADDR", "http://v")], variables].concat();
        let error = config(&variables).unwrap_err();
        assert!(matches!(error, Error::TokenMissing), "{error:?}");
        assert!(error.to_string().contains("VAULT_TOKEN"), "{error}");
    }
}

#[test]
fn a_token_that_is_not_said_is_in_the_home_folder() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".vault-token"), "t").unwrap();
    let home = home.path().to_str().unwrap();
    let config = config(&[("VAULT_ADDR", "http://v"), ("HOME", home)]).unwrap();
    assert_eq!(token(&config), format!("{home}/.vault-token"));
}

#[test]
fn reads_the_roots_that_vaults_tools_read() {
    let files = TlsFiles::create();
    let file = files.path("cert.pem");
    let variables = [("VAULT_ADDR", "https://v"), ("VAULT_TOKEN", "t")];
    let read = config(&[&variables[..], &[("VAULT_CACERT", &file)]].concat()).unwrap();
    let root = CertificateDer::from_pem_slice(&files.read("cert.pem")).unwrap();
    assert_eq!(read.roots, [root]);

    let missing = config(&[&variables[..], &[("VAULT_CACERT", "/nowhere")]].concat());
    let error = missing.unwrap_err();
    assert!(error.to_string().contains("/nowhere"), "{error}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_meant_is_refused_before_anybody_is_asked() {
    let value = |token: &str| TokenSource::Value(Zeroizing::new(token.to_owned()));
    let right = || VaultConfig::new("http://127.0.0.1:1", value("t"));
    for address in [
        "",
        "127.0.0.1:8200",
        "vault",
        "ftp://127.0.0.1",
        "unix:///run/vault.sock",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1?x",
        "http://127.0.0.1/#x",
        "http:// 127.0.0.1",
    ] {
        let config = VaultConfig {
            address: address.to_owned(),
            ..right()
        };
        let error = open("hashivault://k", &config).await.unwrap_err();
        assert!(matches!(error, Error::Address), "{address}: {error:?}");
        assert!(!error.to_string().contains("secret"));
    }
    let config = VaultConfig {
        mount: "a b".to_owned(),
        ..right()
    };
    let error = open("hashivault://k", &config).await.unwrap_err();
    assert!(matches!(error, Error::Mount { .. }), "{error:?}");

    let config = VaultConfig {
        namespace: Some("a\nb".to_owned()),
        ..right()
    };
    let error = open("hashivault://k", &config).await.unwrap_err();
    assert!(matches!(error, Error::Namespace { .. }), "{error:?}");

    for (token, missing) in [("", true), (" \n", true), ("se\ncret", false)] {
        let config = VaultConfig {
            token: value(token),
            ..right()
        };
        let error = open("hashivault://k", &config).await.unwrap_err();
        match missing {
            true => assert!(matches!(error, Error::TokenMissing), "{error:?}"),
            false => assert!(matches!(error, Error::TokenMalformed), "{error:?}"),
        }
    }
    let nowhere = TokenSource::File("/nowhere/token".into());
    let config = VaultConfig {
        token: nowhere,
        ..right()
    };
    let error = open("hashivault://k", &config).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/token"), "{error}");
}
