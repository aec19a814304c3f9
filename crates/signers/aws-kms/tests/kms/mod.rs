//! moto, and a service that is made up where moto does not do what AWS does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

use core::ops::Deref;

pub(crate) use fulcio_test_services::{
    Moto, Relay, TlsFiles,
    aws_kms::{ID, Reply},
    causes, openssl_verifies,
};

use fulcio_test_services::aws_kms::AwsKms;

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
    config.region = Some(Moto::REGION.to_owned());
    config
}

pub(crate) async fn open(reference: &str, config: &AwsConfig) -> Result<AwsKmsSigner, Error> {
    AwsKmsSigner::open(&reference.parse().unwrap(), config).await
}

/// The service that is made up.
pub(crate) struct FakeKms(AwsKms);

impl FakeKms {
    pub(crate) async fn start() -> Self {
        Self(AwsKms::start().await)
    }

    pub(crate) fn config(&self) -> AwsConfig {
        config(&self.address)
    }
}

impl Deref for FakeKms {
    type Target = AwsKms;

    fn deref(&self) -> &AwsKms {
        &self.0
    }
}

/// The first cause that is of this back end.
#[track_caller]
pub(crate) fn cause(error: &fulcio_signer::Error) -> &Error {
    fulcio_test_services::cause(error)
}
