//! Signers opened by a `hashivault:` or `openbao:` URI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "hashivault")]

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_backends::{Error, OpenOptions, SCHEMES, SignerUri, open};
use fulcio_signer_hashivault::{TokenSource, VaultConfig};
use fulcio_test_services::{Minivault, minivault};
use fulcio_testkit::signer_conformance;
use zeroize::Zeroizing;

async fn opened(uri: &str, options: &OpenOptions) -> Result<Box<dyn Signer>, Error> {
    Ok(open(&SignerUri::parse(uri)?, options).await?.signer)
}

#[tokio::test]
async fn opens_a_key_of_vault_however_its_uri_is_written() {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    vault.key("fulcio", "ecdsa-p384");
    vault.rotate("fulcio");
    let variables = vault.variables();
    let options = OpenOptions::new().with_variables(move |name| variables.get(name).cloned());
    let newest = opened("hashivault://fulcio", &options).await.unwrap();
    for (uri, is_newest) in [
        ("openbao://fulcio", true),
        ("HashiVault://fulcio/versions/2", true),
        ("openbao://fulcio/versions/1", false),
    ] {
        let signer = opened(uri, &options).await.unwrap();
        assert_eq!(signer.algorithm(), Algorithm::EcdsaP384Sha384, "{uri}");
        let same = signer.public_key() == newest.public_key();
        assert_eq!(same, is_newest, "{uri}");
        signer_conformance(&*signer).await;
    }
    let text = opened("hashivault://other", &options).await.unwrap_err();
    assert!(text.to_string().contains("no key other"), "{text}");
}

#[tokio::test]
async fn shows_the_right_shape_of_a_wrong_reference() {
    let token = TokenSource::Value(Zeroizing::new("hunter2".to_owned()));
    let vault = VaultConfig::new("http://127.0.0.1:1", token);
    let options = OpenOptions::new().with_vault(vault);
    for uri in ["hashivault:fulcio", "openbao://", "hashivault://a/b"] {
        let text = opened(uri, &options).await.unwrap_err().to_string();
        assert!(text.contains(uri), "{text}");
        assert!(text.contains("hashivault://KEY"), "{text}");
    }
    let shown = format!("{options:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("127.0.0.1:1"), "{shown}");
}

#[tokio::test]
async fn wants_to_be_told_where_vault_is() {
    let options = OpenOptions::new();
    for uri in ["hashivault://fulcio", "openbao://fulcio"] {
        let error = opened(uri, &options).await.unwrap_err();
        assert!(
            matches!(error, Error::Unconfigured { service: "Vault" }),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("a key in Vault is wanted"),
            "{error}"
        );
    }
    for scheme in ["hashivault:", "openbao:"] {
        assert!(SCHEMES.contains(&scheme), "{SCHEMES:?}");
    }
}
