//! Signers opened by a `pkcs11:` URI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "pkcs11")]

use std::fs;

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_backends::{Error, OpenOptions, SignerUri, open};
use fulcio_test_services::SoftHsm;
use fulcio_testkit::signer_conformance;
use zeroize::Zeroizing;

async fn opened(uri: &str, options: &OpenOptions) -> Result<Box<dyn Signer>, Error> {
    Ok(open(&SignerUri::parse(uri)?, options).await?.signer)
}

#[tokio::test]
async fn shows_the_right_shape_of_a_wrong_reference() {
    const SHAPE: &str =
        "pkcs11:token=fulcio;object=PKCS11CA?module-path=/usr/lib/softhsm/libsofthsm2.so";
    for (uri, wanted) in [
        ("pkcs11:", "neither object nor id"),
        ("pkcs11:token=t", "neither object nor id"),
        ("pkcs11:token=t;object=k", "module-path"),
        (
            "pkcs11:object=k?module-path=/m",
            "one of token, serial and slot-id",
        ),
        (
            "pkcs11:token=t;serial=1;object=k?module-path=/m",
            "one of token",
        ),
        (
            "pkcs11:token=t;token=t;object=k?module-path=/m",
            "token is there twice",
        ),
        (
            "pkcs11:token=t;objekt=k?module-path=/m",
            "\"objekt\" is not read here",
        ),
        (
            "pkcs11:token=t;object=k?module-name=softhsm",
            "\"module-name\" is not read",
        ),
        (
            "pkcs11:token;object=k?module-path=/m",
            "a name, = and a value",
        ),
        (
            "pkcs11:slot-id=one;object=k?module-path=/m",
            "slot-id must be a number",
        ),
        (
            "pkcs11:token=%ff;object=k?module-path=/m",
            "token is not UTF-8",
        ),
        (
            "pkcs11:token=t;object=k;type=cert?module-path=/m",
            "type must be private",
        ),
        (
            "pkcs11:token=t;object=k?module-path=/m&pin-value=1&pin-source=/p",
            "only one of",
        ),
        (
            "pkcs11:token=t;object=k?module-path=/m&pin-source=|cat",
            "pin-source must be a file",
        ),
    ] {
        let text = opened(uri, &OpenOptions::new())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            text.contains(wanted) && text.contains(SHAPE),
            "{uri}: {text}"
        );
    }
    let uri = "pkcs11:token=t;object=k?module-path=/m&pin-source=file:///nowhere/pin";
    let text = opened(uri, &OpenOptions::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(text.contains("/nowhere/pin"), "{text}");
    let uri = "pkcs11:token=t;object=k?module-path=/nowhere/module.so&pin-value=4321";
    let text = opened(uri, &OpenOptions::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("/nowhere/module.so") && !text.contains("4321"),
        "{text}"
    );
}

#[test]
fn opens_a_key_of_softhsm_however_its_uri_is_written() {
    own_process(|hsm| {
        hsm.token("my token");
        let pair = ["--keypairgen", "--key-type", "EC:secp384r1"];
        let named = ["--id", "3939", "--label", "CA; key"];
        hsm.pkcs11_tool_in("my token", &[&pair[..], &named].concat());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(each_uri(&hsm));
    });
}

fn own_process<T: FnOnce(SoftHsm)>(test: T) {
    if let Some(hsm) = SoftHsm::in_own_process::<T>() {
        test(hsm);
    }
}

async fn each_uri(hsm: &SoftHsm) {
    let pin = hsm.path("pin");
    fs::write(&pin, format!("{}\n", SoftHsm::PIN)).unwrap();
    let (module, pin) = (hsm.module().display(), pin.display());
    let with_pin = OpenOptions::new().with_password(Zeroizing::new(SoftHsm::PIN.to_owned()));
    let without = OpenOptions::new();
    let token = "pkcs11:token=my%20token";
    for (uri, options) in [
        (
            format!("{token};object=CA%3B%20key?module-path={module}"),
            &with_pin,
        ),
        (
            format!("{token};id=%39%39?module-path={module}&pin-value=2324"),
            &without,
        ),
        (
            format!(
                "{token};object=CA%3B%20key;id=99;type=private?pin-source=file:{pin}&module-path={module}"
            ),
            &without,
        ),
    ] {
        let signer = opened(&uri, options)
            .await
            .unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(signer.algorithm(), Algorithm::EcdsaP384Sha384, "{uri}");
        signer_conformance(&*signer).await;
    }
    let uri = format!("{token};id=98?module-path={module}");
    let text = opened(&uri, &with_pin).await.unwrap_err().to_string();
    assert!(text.contains("\"CA; key\" (id 3939"), "{text}");
}
