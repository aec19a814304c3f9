use core::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::Error;

/// Who asks Azure.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: they are said, or they are looked for"
)]
pub enum Credentials {
    /// Whichever is there: the managed identity of this virtual machine, or else
    /// [`DeveloperTools`](Self::DeveloperTools).
    Chain {
        /// The client ID of a managed identity that a user assigned; `None` for the machine's own.
        client: Option<String>,
    },
    /// An application with a secret.
    ClientSecret {
        /// The application, by its client ID.
        client: String,
        /// Its secret.
        secret: Zeroizing<String>,
        /// The tenant that it is in.
        tenant: String,
    },
    /// Whoever is logged in with the Azure CLI (`az`) or the Azure Developer CLI (`azd`), one of
    /// which is run for each token.
    DeveloperTools,
    /// The managed identity of this App Service, function, container app or virtual machine, as
    /// `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` in *this process's* environment say.
    ManagedIdentity {
        /// The client ID of an identity that a user assigned; `None` for that of the system.
        client: Option<String>,
    },
    /// A Kubernetes service account that an application trusts.
    WorkloadIdentity {
        /// The application, by its client ID.
        client: String,
        /// The tenant that it is in.
        tenant: String,
        /// The file with the service account's token, which is read again for each token of Azure.
        token_file: PathBuf,
    },
}

impl Credentials {
    /// Chooses by the variables of Azure's own tools.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let wanted = variable("AZURE_TOKEN_CREDENTIALS");
        let wanted = match &wanted {
            None => Wanted::Any,
            Some(said) => Wanted::read(said)?,
        };
        let client = variable("AZURE_CLIENT_ID");
        match wanted {
            Wanted::Developer => return Ok(Self::DeveloperTools),
            Wanted::Managed => return Ok(Self::ManagedIdentity { client }),
            Wanted::Any | Wanted::Deployed | Wanted::Environment | Wanted::Workload => {}
        }
        let needed = |name| variable(name).ok_or(Error::CredentialsIncomplete { missing: name });
        if wanted != Wanted::Workload {
            if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
                return Ok(Self::ClientSecret {
                    client: needed("AZURE_CLIENT_ID")?,
                    secret: Zeroizing::new(secret),
                    tenant: needed("AZURE_TENANT_ID")?,
                });
            }
            for other in ["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_PASSWORD"] {
                if variable(other).is_some() {
                    return Err(Error::CredentialsUnsupported { variable: other });
                }
            }
        }
        if wanted == Wanted::Environment {
            return Err(Error::CredentialsIncomplete {
                missing: "AZURE_CLIENT_SECRET",
            });
        }
        let token_file = variable("AZURE_FEDERATED_TOKEN_FILE");
        if wanted == Wanted::Workload || token_file.is_some() {
            let file = token_file.ok_or(Error::CredentialsIncomplete {
                missing: "AZURE_FEDERATED_TOKEN_FILE",
            })?;
            return Ok(Self::WorkloadIdentity {
                client: needed("AZURE_CLIENT_ID")?,
                tenant: needed("AZURE_TENANT_ID")?,
                token_file: file.into(),
            });
        }
        Ok(
            if wanted == Wanted::Deployed || variable("IDENTITY_ENDPOINT").is_some() {
                Self::ManagedIdentity { client }
            } else {
                Self::Chain { client }
            },
        )
    }
}

/// What `AZURE_TOKEN_CREDENTIALS` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    Deployed,
    Developer,
    Environment,
    Managed,
    Workload,
}

impl Wanted {
    fn read(said: &str) -> Result<Self, Error> {
        Ok(match said.to_ascii_lowercase().as_str() {
            "dev" => Self::Developer,
            "environmentcredential" => Self::Environment,
            "managedidentitycredential" => Self::Managed,
            "prod" => Self::Deployed,
            "workloadidentitycredential" => Self::Workload,
            _ => {
                return Err(Error::CredentialsKind {
                    said: said.to_owned(),
                });
            }
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain { client } => f.debug_struct("Chain").field("client", client).finish(),
            Self::ClientSecret { client, tenant, .. } => f
                .debug_struct("ClientSecret")
                .field("client", client)
                .field("tenant", tenant)
                .finish_non_exhaustive(),
            Self::DeveloperTools => f.write_str("DeveloperTools"),
            Self::ManagedIdentity { client } => f
                .debug_struct("ManagedIdentity")
                .field("client", client)
                .finish(),
            Self::WorkloadIdentity {
                client,
                tenant,
                token_file,
            } => f
                .debug_struct("WorkloadIdentity")
                .field("client", client)
                .field("tenant", tenant)
                .field("token_file", token_file)
                .finish(),
        }
    }
}
