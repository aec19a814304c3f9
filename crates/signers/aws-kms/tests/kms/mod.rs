//! moto, and a service that is made up where moto does not do what AWS does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod fake;
mod judge;
mod moto;
mod relay;

use core::error::Error as StdError;

pub(crate) use fake::{FakeKms, ID, Reply};
pub(crate) use judge::openssl_verifies;
pub(crate) use moto::{Moto, TlsFiles, bin, component};
pub(crate) use relay::Relay;

use fulcio_signer_aws_kms::{AwsConfig, AwsKmsSigner, Credentials, Error};
use zeroize::Zeroizing;

/// Nobody may see it.
pub(crate) const SECRET: &str = "a-secret-that-nobody-may-see";
/// Nor this.
pub(crate) const SESSION: &str = "a-session-that-nobody-may-see";

/// A service at `address`, in the region that everything here is in.
pub(crate) fn config(address: impl Into<String>) -> AwsConfig {
    let mut config = AwsConfig::new(Credentials::Key {
        id: "AKIDEXAMPLE".to_owned(),
        secret: Zeroizing::new(SECRET.to_owned()),
        session_token: Some(Zeroizing::new(SESSION.to_owned())),
    });
    config.endpoint = Some(address.into());
    config.region = Some(REGION.to_owned());
    config
}

pub(crate) const REGION: &str = "us-east-2";

pub(crate) async fn open(reference: &str, config: &AwsConfig) -> Result<AwsKmsSigner, Error> {
    AwsKmsSigner::open(&reference.parse().unwrap(), config).await
}

/// An error with all its causes, as an operator sees it.
pub(crate) fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// The first cause that is of this back end.
pub(crate) fn cause(error: &fulcio_signer::Error) -> &Error {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return found;
        }
        next = cause.source();
    }
    panic!("no cause of this back end: {}", causes(error))
}
