//! What the tests of this crate share.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use fulcio_signer_gcp_kms::{Credentials, Error, GcpKmsConfig, GcpKmsSigner};
use fulcio_test_services::gcp_kms::{GcpKms, Reply};

/// Asks a service without a name.
pub(crate) fn config(kms: &GcpKms) -> GcpKmsConfig {
    at(&kms.address)
}

/// Asks at an address without a name.
pub(crate) fn at(address: &str) -> GcpKmsConfig {
    let mut config = GcpKmsConfig::new(Credentials::Anonymous);
    config.endpoint = Some(address.to_owned());
    config
}

/// Opens the key or the version with this resource name.
pub(crate) async fn open(name: &str, config: &GcpKmsConfig) -> Result<GcpKmsSigner, Error> {
    GcpKmsSigner::open(&format!("gcpkms://{name}").parse().unwrap(), config).await
}

/// The same reply again and again.
pub(crate) fn always(reply: &Reply) -> impl Iterator<Item = Reply> {
    core::iter::repeat_n(reply.clone(), 50)
}
