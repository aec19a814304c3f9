use core::time::Duration;

use http::{Uri, uri::Scheme};
use pki_types::CertificateDer;

use crate::{Credentials, Error};

/// Who asks Azure Key Vault, and how.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `AzureKeyVaultSigner::open`, by name"
)]
pub struct AzureConfig {
    /// The `https` address of Microsoft Entra ID, where [`Credentials::ClientSecret`] and
    /// [`Credentials::WorkloadIdentity`] get their tokens.
    pub authority: String,
    /// Who asks.
    pub credentials: Credentials,
    /// How long opening the key may take, with all tries and with getting a token.
    pub open_timeout: Duration,
    /// The resource that tokens are for, such as `https://vault.azure.net`. Only needed where the
    /// host of the vault is not below it, as behind a name of one's own: a vault says which
    /// resource it wants a token for, and the token goes nowhere but where its resource is, or
    /// where this says so. `None` for the host's own.
    pub resource: Option<String>,
    /// Whose TLS certificates are trusted.
    pub roots: Vec<CertificateDer<'static>>,
    /// How long a signature may take, with all tries.
    pub timeout: Duration,
    /// How long one try may take. A request for a token may take three times as long, but no try
    /// waits for one for more than half of its own time.
    pub try_timeout: Duration,
}

impl AzureConfig {
    /// Where Microsoft Entra ID is for Azure's public cloud.
    pub const AUTHORITY: &str = "https://login.microsoftonline.com";
    /// The time that opening gets when nothing else is said.
    pub const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
    /// The time that a signature gets when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    /// The time that one try gets when nothing else is said.
    pub const TRY_TIMEOUT: Duration = Duration::from_secs(2);

    /// The public cloud, the usual times, and nobody trusted yet.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            authority: Self::AUTHORITY.to_owned(),
            credentials,
            open_timeout: Self::OPEN_TIMEOUT,
            resource: None,
            roots: Vec::new(),
            timeout: Self::TIMEOUT,
            try_timeout: Self::TRY_TIMEOUT,
        }
    }

    /// Reads the variables that Fulcio and Azure's own tools know, from wherever the caller has
    /// them. An empty one counts as one that is not set.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` | [`Credentials::ClientSecret`] |
    /// | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE` | without a secret, [`Credentials::WorkloadIdentity`] |
    /// | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` | without these, [`Credentials::ManagedIdentity`], of `AZURE_CLIENT_ID` where that is set |
    /// | none of these | [`Credentials::Chain`] |
    /// | `AZURE_TOKEN_CREDENTIALS` | only some of them: `prod` for all but developer tools, `dev` for [`Credentials::DeveloperTools`], or `EnvironmentCredential`, `WorkloadIdentityCredential`, `ManagedIdentityCredential` for one |
    /// | `AZURE_AUTHORITY_HOST` | the address of Microsoft Entra ID |
    /// | `AZURE_ENVIRONMENT` | the same by name: `AzureCloud`, `AzureUSGovernment`, `AzureChinaCloud` |
    /// | `AZURE_KEYVAULT_RESOURCE` | [`resource`](Self::resource); this one is ours |
    ///
    /// `roots` are trusted: those of the machine, which a caller finds with `SSL_CERT_FILE` in
    /// mind.
    ///
    /// # Errors
    /// Some of the credentials are there and some missing, or a variable says what is not known
    /// here.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, Error> {
        let one = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut config = Self::new(Credentials::from_variables(one)?);
        config.authority = match (one("AZURE_AUTHORITY_HOST"), one("AZURE_ENVIRONMENT")) {
            // Without a scheme, as Microsoft's other SDKs take it too.
            (Some(host), _) if !host.contains("://") => format!("https://{host}"),
            (Some(address), _) => address,
            (None, Some(name)) => authority_of(&name)?.to_owned(),
            (None, None) => Self::AUTHORITY.to_owned(),
        };
        config.resource = one("AZURE_KEYVAULT_RESOURCE");
        config.roots = roots;
        Ok(config)
    }

    /// The address of Microsoft Entra ID, checked.
    pub(crate) fn authority(&self) -> Result<&str, Error> {
        let address = self.authority.trim_end_matches('/');
        let uri: Uri = address.parse().map_err(|_not_a_uri| Error::Authority)?;
        let right = uri.scheme() == Some(&Scheme::HTTPS)
            && uri.path() == "/"
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && !address.contains(['?', '#']);
        right.then_some(address).ok_or(Error::Authority)
    }
}

/// The names are those of Azure's tools; Fulcio knows them in capitals.
fn authority_of(environment: &str) -> Result<&'static str, Error> {
    match environment.to_ascii_uppercase().as_str() {
        "AZURECLOUD" | "AZUREPUBLICCLOUD" => Ok(AzureConfig::AUTHORITY),
        "AZURECHINACLOUD" => Ok("https://login.chinacloudapi.cn"),
        "AZUREUSGOVERNMENT" | "AZUREUSGOVERNMENTCLOUD" => Ok("https://login.microsoftonline.us"),
        _ => Err(Error::Environment {
            name: environment.to_owned(),
        }),
    }
}
