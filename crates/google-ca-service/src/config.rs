use core::time::Duration;

use http::{Uri, uri::Scheme};

use crate::Error;

/// Where Google's CA Service is, and who asks.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `GoogleCaService::open`, by name"
)]
pub struct GoogleConfig {
    /// Who asks.
    pub credentials: Credentials,
    /// The address of CA Service, `http` or `https`; `None` for Google's own.
    pub endpoint: Option<String>,
    /// How long opening may take, with all tries and with finding credentials.
    pub open_timeout: Duration,
    /// How old the list of authorities may become before an issuance reads it anew.
    pub refresh: Duration,
    /// How long a certificate may take, with all tries.
    pub timeout: Duration,
    /// How long one try may take, of a certificate or of reading the pool.
    pub try_timeout: Duration,
}

/// Who asks Google.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: somebody asks, or nobody"
)]
pub enum Credentials {
    /// Nobody: what stands in for CA Service in tests asks for no name.
    Anonymous,
    /// Application Default Credentials, which Google's library finds by itself, and renews: the
    /// file that `GOOGLE_APPLICATION_CREDENTIALS` names in *this process's* environment (a service
    /// account, workload identity federation), that of `gcloud auth application-default login`, or
    /// the metadata service of the machine.
    ApplicationDefault,
}

impl GoogleConfig {
    /// The time that opening gets when nothing else is said.
    pub const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
    /// The age that the list of authorities may have when nothing else is said.
    pub const REFRESH: Duration = Duration::from_secs(600);
    /// The time that a certificate gets when nothing else is said: twice that of a signature,
    /// because Google makes and signs it there.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// The time that one try gets when nothing else is said.
    pub const TRY_TIMEOUT: Duration = Duration::from_secs(4);

    /// Google's own address, and the usual times.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            endpoint: None,
            open_timeout: Self::OPEN_TIMEOUT,
            refresh: Self::REFRESH,
            timeout: Self::TIMEOUT,
            try_timeout: Self::TRY_TIMEOUT,
        }
    }

    /// Reads the variable that Google's `gcloud` knows, from wherever the caller has it. An empty
    /// one counts as one that is not set.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVATECA` | the address of CA Service, such as that of a private endpoint |
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

const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVATECA";
