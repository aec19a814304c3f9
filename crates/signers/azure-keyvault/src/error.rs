use core::{error::Error as StdError, time::Duration};
use std::{io, path::PathBuf, sync::Arc};

use fulcio_remote_key::Fault;
use fulcio_signer::ErrorKind;

/// Why Azure Key Vault, a key in it or a signature could not be had. No text has a secret or a
/// token in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The vault answered with success, but not with what was asked for.
    #[error("the answer of Azure Key Vault is not what was asked for")]
    Answer(#[source] Box<dyn StdError + Send + Sync>),
    /// Something is missing in an answer that is otherwise right.
    #[error("the answer of Azure Key Vault has no {field}")]
    AnswerIncomplete {
        /// What is missing, by its name in the API.
        field: &'static str,
    },
    /// The answer is longer than any that is right.
    #[error("the answer of {host} is longer than {limit} bytes")]
    AnswerTooLong {
        /// Who answered.
        host: String,
        /// How much is read, in bytes.
        limit: usize,
    },
    /// The address of Microsoft Entra ID is not one. It is not repeated here, for it may hold a
    /// password.
    #[error(
        "the address of Microsoft Entra ID (AZURE_AUTHORITY_HOST) must be https:// with a host, \
         without user, path, query or fragment, such as https://login.microsoftonline.com"
    )]
    Authority,
    /// The vault does not say for what it wants a token, or wants one that is not for it.
    #[error(
        "the vault {vault} asks for a token that is not for it; check its name, and set \
         AZURE_KEYVAULT_RESOURCE where it is behind a name that is not Azure's"
    )]
    Challenge {
        /// The address of the vault.
        vault: String,
        /// What the SDK says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The vault wants a token for another resource than the one that was configured.
    #[error("the vault asks for a token for {asked}, and AZURE_KEYVAULT_RESOURCE is {expected}")]
    ChallengeResource {
        /// What the vault asks for.
        asked: String,
        /// What was configured.
        expected: String,
    },
    /// The credentials cannot be used, such as when nobody is logged in, or ended with nothing.
    #[error("the credentials for Azure cannot be used")]
    Credentials(#[source] Box<dyn StdError + Send + Sync>),
    /// A part of the credentials is there, and another is missing.
    #[error("the credentials for Azure are incomplete: set {missing} too")]
    CredentialsIncomplete {
        /// The variable that is not set.
        missing: &'static str,
    },
    /// A choice of credentials that is not known here.
    #[error(
        "AZURE_TOKEN_CREDENTIALS is {said:?}; it can be prod, dev, EnvironmentCredential, \
         WorkloadIdentityCredential or ManagedIdentityCredential"
    )]
    CredentialsKind {
        /// What it says.
        said: String,
    },
    /// There are no credentials, wherever they were looked for.
    #[error(
        "there are no credentials for Azure: set AZURE_TENANT_ID, AZURE_CLIENT_ID and \
         AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE, or give this machine a managed \
         identity, or log in with `az login` ({})", tried.join("; ")
    )]
    CredentialsMissing {
        /// Where they were looked for, and what happened there, each in one line.
        tried: Vec<String>,
    },
    /// A way to log in that the SDK does not have.
    #[error(
        "{variable} is set, and Azure is not logged in to in this way here; use \
         AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE or a managed identity"
    )]
    CredentialsUnsupported {
        /// The variable that asks for it.
        variable: &'static str,
    },
    /// No try succeeded in the time given, or waiting for the next one would have passed it.
    #[error("Azure Key Vault did not do it within {} ms", .limit.as_millis())]
    Deadline {
        /// The time given, with all tries.
        limit: Duration,
        /// What the last finished try failed with; `None` when the first one never ended.
        #[source]
        last: Option<Box<Self>>,
    },
    /// The vault does not let this identity do that, or does not let it in.
    #[error(
        "Azure Key Vault refused it ({code}): {message}; whoever asks needs the role Key Vault \
         Crypto User (Managed HSM Crypto User in a Managed HSM), or an access policy with Get and \
         Sign for keys, and a way through the vault's firewall"
    )]
    Denied {
        /// Azure's name for the reason.
        code: String,
        /// What Azure says, cut to a bounded length.
        message: String,
    },
    /// A cloud that is not known here.
    #[error(
        "AZURE_ENVIRONMENT is {name:?}; it can be AzureCloud, AzureUSGovernment or \
         AzureChinaCloud; for another cloud, set AZURE_AUTHORITY_HOST"
    )]
    Environment {
        /// What it says.
        name: String,
    },
    /// There is no such key, or no such version of it.
    #[error("the vault {vault} has no key {key}; check the vault, the name and the version")]
    KeyMissing {
        /// What it should be called, with its version where one is meant.
        key: String,
        /// The address of the vault.
        vault: String,
    },
    /// The key is there for something else.
    #[error("the key {key} of Azure Key Vault may not sign; its operations are: {}", allowed.join(", "))]
    KeyOperations {
        /// What it may do, as Azure names it.
        allowed: Vec<String>,
        /// What it is called.
        key: String,
    },
    /// The key is disabled, has ended, has not begun, or is deleted.
    #[error(
        "the key {key} of Azure Key Vault cannot be used in its state ({code}): {message}; enable \
         it, change its dates or recover it, or name another version"
    )]
    KeyState {
        /// Azure's name for the reason.
        code: String,
        /// What it is called.
        key: String,
        /// What is wrong, cut to a bounded length.
        message: String,
    },
    /// One try took too long.
    #[error("{host} did not answer within {} ms", .limit.as_millis())]
    Late {
        /// Who was asked.
        host: String,
        /// How long a try may take.
        limit: Duration,
    },
    /// Somebody was not reached, or hung up.
    #[error("{host} was not reached")]
    Network {
        /// Who was asked.
        host: String,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// There is no root to trust anybody by.
    #[error("Azure Key Vault needs at least one TLS root certificate to be trusted by")]
    NoRoots,
    /// The vault answered for another key, or another version of it, than was asked.
    #[error("Azure Key Vault answered for the key {answered}, and {asked} was asked for")]
    OtherKey {
        /// The key that the answer names.
        answered: String,
        /// The key that was asked for.
        asked: String,
    },
    /// The public half of the key is no use.
    #[error("the key {key} of Azure Key Vault cannot be used: {source}")]
    PublicKey {
        /// What it is called.
        key: String,
        /// Why not.
        source: fulcio_remote_key::Error,
    },
    /// What should name a key does not.
    #[error(
        "{reference:?} names no key; a key in Azure Key Vault is written as \
         azurekms://VAULT.vault.azure.net/KEY, or with its version as \
         azurekms://VAULT.vault.azure.net/KEY/0123456789abcdef0123456789abcdef; KEY has letters, \
         digits and -"
    )]
    Reference {
        /// What was given.
        reference: String,
    },
    /// The vault refused the request itself.
    #[error("Azure Key Vault answered with status {status} ({code}): {message}")]
    Refused {
        /// Azure's name for the reason.
        code: String,
        /// What Azure says, cut to a bounded length.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// A request could not be made.
    #[error("the request to {host} could not be made")]
    Request {
        /// Who should be asked.
        host: String,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// One of the roots is not a certificate that can be trusted.
    #[error("TLS root certificate number {} for Azure cannot be used", index + 1)]
    Root {
        /// Which one, from 0.
        index: usize,
        /// Why not.
        source: rustls::Error,
    },
    /// What should be a signature cannot be one.
    #[error("the signature in the answer of Azure Key Vault is not one")]
    SignatureMalformed(#[source] fulcio_remote_key::Error),
    /// Somebody asked for fewer requests.
    #[error("{host} asks for fewer requests ({code}): {message}")]
    Throttled {
        /// Azure's name for the reason.
        code: String,
        /// Who was asked.
        host: String,
        /// What Azure says, cut to a bounded length.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// TLS could not be set up.
    #[error("TLS to Azure could not be set up")]
    Tls(#[source] rustls::Error),
    /// There is no token, and so nothing was asked of the vault.
    #[error("a token for Azure could not be had")]
    Token(#[source] Arc<Self>),
    /// What should give out tokens gave something else. It is not kept, for a token may be in it.
    #[error("the answer of {host} is not a token")]
    TokenAnswer {
        /// Who answered.
        host: String,
    },
    /// The file with the service account's token cannot be read.
    #[error(
        "{}: the service account's token (AZURE_FEDERATED_TOKEN_FILE) cannot be read: {source}",
        file.display()
    )]
    TokenFile {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The credentials are not accepted.
    #[error(
        "{host} does not accept the credentials ({code}): {message}; check the tenant, the client \
         ID, and the secret or whom the application trusts"
    )]
    TokenRefused {
        /// Azure's name for the reason.
        code: String,
        /// Who refused.
        host: String,
        /// What Azure says, cut to a bounded length.
        message: String,
    },
    /// Somebody cannot do it now.
    #[error("{host} cannot do it now: status {status} ({code}): {message}")]
    Unavailable {
        /// Azure's name for the reason.
        code: String,
        /// Who was asked.
        host: String,
        /// What Azure says, cut to a bounded length.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
        /// The HTTP status.
        status: u16,
    },
    /// A certificate is not trusted, or not that of the host.
    #[error("the TLS certificate of {host} is not accepted")]
    Untrusted {
        /// Who was asked.
        host: String,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Fault for Error {
    /// There is no wildcard: a new cause must choose.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Credentials(_)
            | Self::CredentialsIncomplete { .. }
            | Self::CredentialsMissing { .. }
            | Self::Denied { .. }
            | Self::KeyState { .. }
            | Self::TokenFile { .. }
            | Self::TokenRefused { .. } => ErrorKind::Denied,
            Self::Answer(_)
            | Self::AnswerIncomplete { .. }
            | Self::AnswerTooLong { .. }
            | Self::Authority
            | Self::Challenge { .. }
            | Self::ChallengeResource { .. }
            | Self::CredentialsKind { .. }
            | Self::CredentialsUnsupported { .. }
            | Self::Environment { .. }
            | Self::KeyMissing { .. }
            | Self::KeyOperations { .. }
            | Self::NoRoots
            | Self::PublicKey { .. }
            | Self::Reference { .. }
            | Self::Refused { .. }
            | Self::Request { .. }
            | Self::Root { .. }
            | Self::SignatureMalformed(_)
            | Self::Tls(_)
            | Self::TokenAnswer { .. }
            | Self::Untrusted { .. } => ErrorKind::Invalid,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Token(cause) => cause.kind(),
            Self::Deadline { .. }
            | Self::Late { .. }
            | Self::Network { .. }
            | Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::OtherKey { .. } => ErrorKind::WrongKey,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Unavailable { retry_after, .. } => {
                *retry_after
            }
            Self::Token(cause) => cause.retry_after(),
            _ => None,
        }
    }
}
