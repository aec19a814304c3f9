use fulcio_signer_backends::OpenOptions;
use fulcio_test_services::openssl;

use super::table::{Table, opened};

/// Keys that nobody has but this process.
pub(crate) async fn made(table: &mut Table) {
    for (name, key) in [
        ("p256", "P-256"),
        ("p384", "P-384"),
        ("p521", "P-521"),
        ("ed25519", "Ed25519"),
        ("rsa", "RSA"),
    ] {
        let signer = opened(&format!("ephemeral:{name}"), &OpenOptions::new()).await;
        table.add("ephemeral:", key, &*signer).await;
    }
}

pub(crate) async fn of_openssl(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let uri = format!("file://{}", file.display());
    let password = OpenOptions::new().with_password("horse".to_owned().into());
    for (kind, key) in [
        ("EC -pkeyopt ec_paramgen_curve:P-256", "P-256"),
        ("EC -pkeyopt ec_paramgen_curve:P-384", "P-384"),
        ("EC -pkeyopt ec_paramgen_curve:P-521", "P-521"),
        ("ED25519", "Ed25519"),
        ("RSA -pkeyopt rsa_keygen_bits:2048", "RSA 2048"),
        ("RSA -pkeyopt rsa_keygen_bits:3072", "RSA 3072"),
        ("RSA -pkeyopt rsa_keygen_bits:4096", "RSA 4096"),
    ] {
        let made = format!("genpkey -out key.pem -aes256 -pass pass:horse -algorithm {kind}");
        openssl(folder.path(), &made);
        let signer = opened(&uri, &password).await;
        table.add("file:", key, &*signer).await;
    }
}
