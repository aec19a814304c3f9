//! The SDK's client, set up.

use std::sync::Arc;

use azure_security_keyvault_keys::{KeyClient, KeyClientOptions};

use crate::{AzureConfig, Error, KeyReference, tls::tls, token::Tokens, transport::Transport};

impl AzureConfig {
    pub(crate) fn client(&self, reference: &KeyReference) -> Result<KeyClient, Error> {
        let transport = Transport::new(tls(&self.roots)?, self.try_timeout);
        let tokens = Tokens::new(self, &transport)?;
        let options = KeyClientOptions {
            client_options: transport.options(),
            // Where the resource is said, `Tokens` compares it instead.
            verify_challenge_resource: Some(self.resource.is_none()),
            ..KeyClientOptions::default()
        };
        let address = reference.address();
        KeyClient::new(&address, Arc::new(tokens), Some(options)).map_err(|source| Error::Request {
            host: reference.host().to_owned(),
            source: source.into(),
        })
    }
}
