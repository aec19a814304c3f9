//! Where tokens come from.

use core::{error::Error as StdError, fmt, time::Duration};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use azure_core::{
    cloud::CustomConfiguration,
    credentials::{AccessToken, TokenCredential},
    error::ErrorKind,
    http::{ClientMethodOptions, ClientOptions},
};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, DeveloperToolsCredential,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};

use crate::{
    AzureConfig, Credentials, Error,
    failure::{is_garbage, ours},
    refusal::line,
    transport::Transport,
};

/// Gets tokens by one kind of credentials, and keeps none.
pub(crate) struct Source {
    authority: String,
    credentials: Credentials,
    /// The link of a chain that had a token.
    found: OnceLock<Credentials>,
    transport: Transport,
}

impl Source {
    pub(crate) fn new(config: &AzureConfig, transport: &Transport) -> Result<Self, Error> {
        Ok(Self {
            authority: config.authority()?.to_owned(),
            credentials: config.credentials.clone(),
            found: OnceLock::new(),
            transport: transport.for_tokens(config.try_timeout * TRIES),
        })
    }

    /// Asks for a token.
    ///
    /// The SDK's credentials keep the tokens that they got. They are made anew each time, for a
    /// kept token is asked for again only when it is about to end, or was refused.
    pub(crate) async fn token(&self, scope: &str) -> Result<AccessToken, Error> {
        match (&self.credentials, self.found.get()) {
            (Credentials::Chain { client }, None) => self.found_in_chain(client, scope).await,
            (_, Some(found)) => self.token_of(found, &self.transport, scope).await,
            (said, None) => self.token_of(said, &self.transport, scope).await,
        }
    }

    async fn found_in_chain(
        &self,
        client: &Option<String>,
        scope: &str,
    ) -> Result<AccessToken, Error> {
        let client = client.clone();
        let near = self.transport.connecting_within(NEAR);
        let links = [
            (Credentials::ManagedIdentity { client }, &near),
            (Credentials::DeveloperTools, &self.transport),
        ];
        let mut tried = Vec::new();
        for (link, transport) in links {
            match self.token_of(&link, transport, scope).await {
                Ok(token) => {
                    self.found.get_or_init(|| link);
                    return Ok(token);
                }
                // It is there, and will be back.
                Err(
                    error @ (Error::Late { .. }
                    | Error::Throttled { .. }
                    | Error::Unavailable { .. }),
                ) => return Err(error),
                Err(error) => tried.push(one_line(&error)),
            }
        }
        Err(Error::CredentialsMissing { tried })
    }

    async fn token_of(
        &self,
        credentials: &Credentials,
        transport: &Transport,
        scope: &str,
    ) -> Result<AccessToken, Error> {
        let asked = match self.credential(credentials, transport) {
            Ok(credential) => credential.get_token(&[scope], None).await,
            Err(error) => Err(error),
        };
        let error = match asked {
            Ok(token) => return Ok(token),
            Err(error) => error,
        };
        let garbage = is_garbage(&error);
        let error = match ours(error) {
            Ok(error) => error,
            Err(_may_repeat_a_token) if garbage => Error::TokenAnswer {
                host: SOURCE.to_owned(),
            },
            Err(sdk) => Error::Credentials(line(&sdk.to_string()).into()),
        };
        Err(match credentials {
            Credentials::ClientSecret { secret, .. } => without(secret, error),
            _ => error,
        })
    }

    fn credential(
        &self,
        credentials: &Credentials,
        transport: &Transport,
    ) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let options = transport.options();
        Ok(match credentials {
            Credentials::ClientSecret {
                client,
                secret,
                tenant,
            } => ClientSecretCredential::new(
                tenant,
                client.clone(),
                secret.to_string().into(),
                Some(ClientSecretCredentialOptions {
                    client_options: self.at_authority(options),
                }),
            )?,
            Credentials::DeveloperTools => DeveloperToolsCredential::new(None)?,
            // That of a chain is its first link.
            Credentials::Chain { client } | Credentials::ManagedIdentity { client } => {
                managed(client.clone(), options)?
            }
            Credentials::WorkloadIdentity {
                client,
                tenant,
                token_file,
            } => ClientAssertionCredential::new(
                tenant.clone(),
                client.clone(),
                ServiceAccount(token_file.clone()),
                Some(ClientAssertionCredentialOptions {
                    client_options: self.at_authority(options),
                }),
            )?,
        })
    }

    /// Said to the SDK, which otherwise reads it from the environment.
    fn at_authority(&self, mut options: ClientOptions) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.authority);
        options.cloud = Some(Arc::new(cloud.into()));
        options
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("authority", &self.authority)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

fn managed(
    client: Option<String>,
    client_options: ClientOptions,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client.map(UserAssignedId::ClientId),
        client_options,
    };
    Ok(ManagedIdentityCredential::new(Some(options))?)
}

/// The token of a Kubernetes service account, which Kubernetes writes anew before it ends.
#[derive(Debug)]
struct ServiceAccount(PathBuf);

#[async_trait]
impl ClientAssertion for ServiceAccount {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        match tokio::fs::read_to_string(&self.0).await {
            Ok(token) => Ok(token.trim().to_owned()),
            Err(source) => {
                let file = self.0.clone();
                let error = Error::TokenFile { file, source };
                Err(azure_core::Error::new(ErrorKind::Credential, error))
            }
        }
    }
}

/// What is said about a secret does not repeat it.
fn without(secret: &str, error: Error) -> Error {
    let hidden = |text: String| text.replace(secret, "[hidden]");
    match error {
        Error::Throttled {
            code,
            host,
            message,
            retry_after,
        } => Error::Throttled {
            code: hidden(code),
            host,
            message: hidden(message),
            retry_after,
        },
        Error::TokenRefused {
            code,
            host,
            message,
        } => Error::TokenRefused {
            code: hidden(code),
            host,
            message: hidden(message),
        },
        Error::Unavailable {
            code,
            host,
            message,
            retry_after,
            status,
        } => Error::Unavailable {
            code: hidden(code),
            host,
            message: hidden(message),
            retry_after,
            status,
        },
        other => other,
    }
}

fn one_line(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    line(&text)
}

/// What is called so that nobody can name better.
pub(crate) const SOURCE: &str = "the source of tokens";
/// How long connecting may take to an address that only an Azure virtual machine has.
const NEAR: Duration = Duration::from_secs(1);
/// As many times as long as another request, a request for a token may take: no other waits for it
/// for that long.
const TRIES: u32 = 3;
