//! Signers opened by a `pkcs11:` URI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(feature = "pkcs11")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_backends::{Error, OpenOptions, SignerUri, open};
use fulcio_testkit::signer_conformance;
use zeroize::Zeroizing;

async fn opened(uri: &str, options: &OpenOptions) -> Result<Box<dyn Signer>, Error> {
    open(&SignerUri::parse(uri)?, options).await
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

/// Runs in a process of its own, because SoftHSM is told by the environment where its tokens are.
#[test]
fn opens_a_key_of_softhsm_however_its_uri_is_written() {
    let Some(module) = softhsm() else { return };
    if let Some(folder) = variable(FOLDER) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        return runtime
            .unwrap()
            .block_on(each_uri(Path::new(&folder), &module));
    }
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let tokens = format!("directories.tokendir = {}\n", folder.path().display());
    fs::write(&configuration, tokens).unwrap();
    let run = |command: &mut Command| {
        let done = command
            .env("SOFTHSM2_CONF", &configuration)
            .env(FOLDER, folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [&done.stdout[..], &done.stderr[..]].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(done.status.success(), "{command:?}: {text}");
        text
    };
    let token = [
        "--init-token",
        "--free",
        "--so-pin",
        "1234",
        "--pin",
        "2324",
    ];
    run(Command::new("softhsm2-util")
        .args(token)
        .args(["--label", "my token"]));
    let pair = [
        "--login",
        "--pin",
        "2324",
        "--keypairgen",
        "--key-type",
        "EC:secp384r1",
    ];
    let named = ["--id", "3939", "--label", "CA; key"];
    run(Command::new("pkcs11-tool")
        .arg("--module")
        .arg(&module)
        .args(pair)
        .args(named));
    let name = "opens_a_key_of_softhsm_however_its_uri_is_written";
    let text =
        run(Command::new(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]));
    assert!(text.contains("1 passed"), "{text}");
}

async fn each_uri(folder: &Path, module: &Path) {
    let pin = folder.join("pin");
    fs::write(&pin, "2324\n").unwrap();
    let (module, pin) = (module.display(), pin.display());
    let with_pin = OpenOptions::new().with_password(Zeroizing::new("2324".to_owned()));
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

const FOLDER: &str = "FULCIO_TEST_SOFTHSM_FOLDER";

fn softhsm() -> Option<PathBuf> {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
    ];
    let found = places
        .into_iter()
        .map(PathBuf::from)
        .find(|place| place.exists());
    let demanded = variable("FULCIO_TEST_COMPONENTS").is_some();
    assert!(
        found.is_some() || !demanded,
        "SoftHSM is not installed (Debian: softhsm2, opensc)"
    );
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test tells its own process where the tokens are"
)]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name)
}
