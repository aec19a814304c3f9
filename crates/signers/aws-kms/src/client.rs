//! The SDK's client, set up.

use aws_config::{
    BehaviorVersion, Region, meta::region::ProvideRegion as _, profile::ProfileFileRegionProvider,
};
use aws_sdk_kms::{
    Client,
    config::{Builder, Credentials as AccessKey, retry::RetryConfig, timeout::TimeoutConfig},
};

use crate::{AwsConfig, Credentials, Error, KeyReference, key::Asked, transport::Transport};

impl AwsConfig {
    /// Whom to ask for the key that is meant; with [`Credentials::Chain`], what is not said is
    /// looked for.
    pub(crate) async fn asked(&self, reference: &KeyReference) -> Result<Asked, Error> {
        let address = self.address(reference)?;
        let transport = Transport::new(self.trust.tls()?);
        let region = reference.region().or(self.region.as_deref());
        let region = region.map(|region| Region::new(region.to_owned()));
        let mut builder = match &self.credentials {
            Credentials::Chain => self.looked_for(transport, region).await,
            Credentials::Key {
                id,
                secret,
                session_token,
            } => {
                let token = session_token
                    .as_ref()
                    .map(|token| token.as_str().to_owned());
                let key = AccessKey::new(id, secret.as_str(), token, None, "AwsConfig");
                let region = match region {
                    Some(region) => Some(region),
                    None => ProfileFileRegionProvider::new().region().await,
                };
                self.said(transport, region).credentials_provider(key)
            }
        };
        if let Some(address) = address {
            builder = builder.endpoint_url(address);
        }
        let timeout = TimeoutConfig::builder()
            .disable_connect_timeout()
            .read_timeout(self.try_timeout)
            .build();
        let config = builder
            // What is tried again, and for how long, is decided in one place, and that is not it.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeout)
            .build();
        let region = config.region().ok_or(Error::NoRegion)?.to_string();
        Ok(Asked {
            client: Client::from_conf(config),
            key: reference.key().to_owned(),
            region,
        })
    }

    /// What the SDK finds in the environment, below what is said here.
    async fn looked_for(&self, transport: Transport, region: Option<Region>) -> Builder {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(transport);
        if let Some(region) = region {
            loader = loader.region(region);
        }
        if self.dual_stack {
            loader = loader.use_dual_stack(true);
        }
        if self.fips {
            loader = loader.use_fips(true);
        }
        Builder::from(&loader.load().await)
    }

    /// No more than is said here.
    fn said(&self, transport: Transport, region: Option<Region>) -> Builder {
        aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(transport)
            .region(region)
            .use_dual_stack(self.dual_stack)
            .use_fips(self.fips)
    }
}
