//! The SDK's client, set up; every request goes through here.

use core::{fmt, time::Duration};

use google_cloud_auth::credentials::{
    Builder as ApplicationDefault, Credentials as Headers, anonymous::Builder as Anonymous,
};
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_kms_v1::client::KeyManagementService;
use tokio::time::timeout;

use crate::{Credentials, Error, GcpKmsConfig, failure::failure};

/// Asks Google Cloud KMS. Connections are kept and used again.
#[derive(Clone)]
pub(crate) struct Kms {
    pub(crate) client: KeyManagementService,
    try_timeout: Duration,
}

impl Kms {
    /// Finds the credentials; with those of a metadata service, that is a request.
    pub(crate) async fn new(config: &GcpKmsConfig) -> Result<Self, Error> {
        let address = config.address()?;
        let credentials = credentials(config.credentials)?;
        let mut builder = KeyManagementService::builder()
            .with_credentials(credentials)
            // What is tried again, and for how long, is decided in one place, and that is not it.
            .with_retry_policy(NeverRetry);
        if let Some(address) = address {
            builder = builder.with_endpoint(address);
        }
        let client = builder.build().await;
        Ok(Self {
            client: client.map_err(|error| Error::Client(error.into()))?,
            try_timeout: config.try_timeout,
        })
    }

    /// Waits for the answer to one request about `name`.
    pub(crate) async fn ask<T>(
        &self,
        name: &str,
        request: impl Future<Output = google_cloud_kms_v1::Result<T>>,
    ) -> Result<T, Error> {
        let limit = self.try_timeout;
        let answer = timeout(limit, request)
            .await
            .map_err(|_elapsed| Error::Late { limit })?;
        answer.map_err(|error| failure(error, name))
    }
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kms")
            .field("try_timeout", &self.try_timeout)
            .finish_non_exhaustive()
    }
}

fn credentials(credentials: Credentials) -> Result<Headers, Error> {
    match credentials {
        Credentials::Anonymous => Ok(Anonymous::new().build()),
        Credentials::ApplicationDefault => ApplicationDefault::default()
            .build()
            .map_err(|error| Error::CredentialsUnusable(error.into())),
    }
}
