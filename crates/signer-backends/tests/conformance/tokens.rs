use core::time::Duration;
use std::path::Path;

use fulcio_signer::ErrorKind;
use fulcio_signer_backends::OpenOptions;
use fulcio_signer_pkcs11::{Config, KeyReference, Token, TokenChoice};
use fulcio_test_services::SoftHsm;
use fulcio_testkit::signer::Suite;

use super::table::{Table, opened};

/// Through a module that hands everything to SoftHSM's, and misbehaves when it is told to.
pub(crate) async fn softhsm(hsm: &SoftHsm, table: &mut Table) {
    hsm.token(SoftHsm::LABEL);
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let module = hsm.faulty_module(&source.join("../signers/pkcs11/tests/softhsm/faulty.c"));
    let shown = module.display();
    let pin = OpenOptions::new().with_password(SoftHsm::PIN.to_owned().into());
    // The URI has no word for the time.
    let mut hasty = Config::new(&module, TokenChoice::Label(SoftHsm::LABEL.to_owned()));
    hasty.pin = Some(SoftHsm::PIN.to_owned().into());
    hasty.deadline = Duration::from_millis(700);

    let suite = Suite::new();
    for (number, (kind, key)) in [
        ("EC:prime256v1", "P-256"),
        ("EC:secp384r1", "P-384"),
        ("EC:secp521r1", "P-521"),
        ("EC:edwards25519", "Ed25519"),
        ("rsa:2048", "RSA 2048"),
        ("rsa:3072", "RSA 3072"),
        ("rsa:4096", "RSA 4096"),
    ]
    .into_iter()
    .enumerate()
    {
        hsm.key_pair(kind, &format!("{number:02}"), key, &[]);
        let object = key.replace(' ', "%20");
        let uri = format!("pkcs11:token=fulcio;object={object}?module-path={shown}");
        let signer = opened(&uri, &pin).await;
        let token = Token::open(hasty.clone()).await.unwrap();
        let slow = token.signer(&KeyReference::label(key)).await.unwrap();

        hsm.tell("garbage");
        let wrong_key = suite.wrong_key(&*signer).await;
        hsm.tell("denied");
        let failing = suite.failing(&*signer, ErrorKind::Denied).await;
        hsm.tell("slow");
        let slow = suite.slow(&slow).await;
        hsm.tell("");
        let provoked = vec![wrong_key, failing, slow];
        table
            .add_with("pkcs11:", key, &*signer, &suite, provoked)
            .await;
    }
}
