use fulcio_signer_backends::{OpenOptions, tink_uri};
use fulcio_test_services::{Minivault, TinkKeysets, minivault};

use super::table::{Table, opened};

/// Keysets that Tink's own library has made. Once decrypted, their keys are in this process.
pub(crate) async fn by_vault(table: &mut Table) {
    let (Some(tink), Some(program)) = (TinkKeysets::programs(), minivault()) else {
        return;
    };
    let vault = Minivault::start(&program);
    vault.key("keysets", "aes256-gcm96");
    let kek = "hcvault:///transit/keys/keysets";
    let variables = vault.variables();
    let keysets = TinkKeysets::make(&tink, kek, &variables);
    let options = OpenOptions::new().with_variables(move |name| variables.get(name).cloned());
    for (name, key) in [
        ("ECDSA_P256.json", "P-256"),
        ("ECDSA_P384_SHA384.binary", "P-384"),
        ("ECDSA_P521.json", "P-521"),
        ("ED25519.binary", "Ed25519"),
    ] {
        let keyset = keysets.path(name).display().to_string();
        let signer = opened(&tink_uri(&keyset, kek), &options).await;
        table.add("tink:", key, &*signer).await;
    }
}
