use core::time::Duration;

use http::{Uri, uri::Scheme};

use crate::Error;

/// Where Google Cloud KMS is, and who asks.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `GcpKmsSigner::open`, by name"
)]
pub struct GcpKmsConfig {
    /// Who asks.
    pub credentials: Credentials,
    /// The address of Google Cloud KMS, `http` or `https`; `None` for Google's own.
    pub endpoint: Option<String>,
    /// How long opening the key may take, with all tries and with finding credentials.
    pub open_timeout: Duration,
    /// How long a signature may take, with all tries; so too what is unwrapped.
    pub timeout: Duration,
    /// How long one try may take.
    pub try_timeout: Duration,
}

/// Who asks Google.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: somebody asks, or nobody"
)]
pub enum Credentials {
    /// Nobody: what stands in for Google Cloud KMS in tests asks for no name.
    Anonymous,
    /// Application Default Credentials: what Google's SDK finds by itself, and renews. Those are
    /// the file that `GOOGLE_APPLICATION_CREDENTIALS` names in *this process's* environment, else
    /// the one that `gcloud auth application-default login` wrote, else the metadata service of
    /// the machine, the container or the function. With the file also come a federated workload
    /// identity, and a service account to impersonate.
    ApplicationDefault,
}

impl GcpKmsConfig {
    /// The time that opening gets when nothing else is said.
    pub const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
    /// The time that a signature gets when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    /// The time that one try gets when nothing else is said.
    pub const TRY_TIMEOUT: Duration = Duration::from_secs(2);

    /// Google's own endpoint, and the usual times.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            endpoint: None,
            open_timeout: Self::OPEN_TIMEOUT,
            timeout: Self::TIMEOUT,
            try_timeout: Self::TRY_TIMEOUT,
        }
    }

    /// Reads the variable that Google's `gcloud` knows, from wherever the caller has it. An empty
    /// one counts as one that is not set.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS` | the address of Google Cloud KMS, such as that of a private endpoint |
    ///
    /// An `http` address is asked as [`Credentials::Anonymous`], for whoever hears a token on the
    /// way can use it; everything else as [`Credentials::ApplicationDefault`].
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let endpoint = variable(ENDPOINT).filter(|value| !value.is_empty());
        let credentials = match endpoint.as_deref().map(is_plain) {
            Some(Ok(true)) => Credentials::Anonymous,
            _ => Credentials::ApplicationDefault,
        };
        Self {
            endpoint,
            ..Self::new(credentials)
        }
    }

    /// The address to ask at; `None` for Google's own.
    pub(crate) fn address(&self) -> Result<Option<&str>, Error> {
        let Some(address) = &self.endpoint else {
            return Ok(None);
        };
        is_plain(address).map(|_either| Some(address.as_str()))
    }
}

/// Whether it is without TLS.
fn is_plain(address: &str) -> Result<bool, Error> {
    let uri: Uri = address.parse().map_err(|_not_a_uri| Error::Endpoint)?;
    let right = uri
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'))
        && !address.contains(['?', '#']);
    match uri.scheme() {
        Some(scheme) if right && *scheme == Scheme::HTTP => Ok(true),
        Some(scheme) if right && *scheme == Scheme::HTTPS => Ok(false),
        _ => Err(Error::Endpoint),
    }
}

const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";
