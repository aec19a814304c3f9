use core::{fmt, time::Duration};

use http::{Uri, uri::Scheme};
use pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::{Error, KeyReference};

/// Where AWS KMS is, and who asks.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `AwsKmsSigner::open`, by name"
)]
pub struct AwsConfig {
    /// Who asks.
    pub credentials: Credentials,
    /// Whether to ask an endpoint of both IPv4 and IPv6.
    pub dual_stack: bool,
    /// The address of AWS KMS, `http` or `https`; `None` for that of the region.
    pub endpoint: Option<String>,
    /// Whether to ask a FIPS 140 endpoint.
    pub fips: bool,
    /// How long opening the key may take, with all tries and with finding credentials.
    pub open_timeout: Duration,
    /// The region that the key is in; that of an ARN counts for more. `None` for what the SDK
    /// finds.
    pub region: Option<String>,
    /// How long a signature may take, with all tries.
    pub timeout: Duration,
    /// What is trusted behind an `https` address.
    pub trust: Trust,
    /// How long one try may take.
    pub try_timeout: Duration,
}

/// Who asks AWS.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: they are said, or they are looked for"
)]
pub enum Credentials {
    /// What the SDK of AWS finds by itself, and renews: in *this process's* environment, the files
    /// in `~/.aws` (a `credential_process` there too), a web identity, a container's or an EC2
    /// instance's metadata service.
    Chain,
    /// An access key.
    Key {
        /// Its ID.
        id: String,
        /// Its secret half.
        secret: Zeroizing<String>,
        /// The token that comes with one that ends.
        session_token: Option<Zeroizing<String>>,
    },
}

/// Whose TLS certificates are trusted.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: some are trusted, or nobody is asked for one"
)]
pub enum Trust {
    /// Whoever answers. What signs cannot be replaced by that, for every signature is verified;
    /// but who listens sees what is signed, and the session token.
    Anyone,
    /// Those under these roots.
    Roots(Vec<CertificateDer<'static>>),
}

impl AwsConfig {
    /// The time that opening gets when nothing else is said.
    pub const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
    /// The time that a signature gets when nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    /// The time that one try gets when nothing else is said.
    pub const TRY_TIMEOUT: Duration = Duration::from_secs(2);

    /// The usual endpoint and times, the SDK's region, and nobody trusted yet.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            dual_stack: false,
            endpoint: None,
            fips: false,
            open_timeout: Self::OPEN_TIMEOUT,
            region: None,
            timeout: Self::TIMEOUT,
            trust: Trust::Roots(Vec::new()),
            try_timeout: Self::TRY_TIMEOUT,
        }
    }

    /// Reads the variables that Fulcio and AWS's own tools know, from wherever the caller has
    /// them. An empty one counts as one that is not set.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the credentials; without the first two, [`Credentials::Chain`] |
    /// | `AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL` | the address of AWS KMS |
    /// | `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` | `true` to read none of the two |
    /// | `AWS_REGION`, `AWS_DEFAULT_REGION` | the region |
    /// | `AWS_TLS_INSECURE_SKIP_VERIFY` | `1` for [`Trust::Anyone`], as Fulcio does |
    /// | `AWS_USE_DUALSTACK_ENDPOINT`, `AWS_USE_FIPS_ENDPOINT` | `true` for these endpoints |
    ///
    /// `roots` are trusted where that is not turned off: those of the machine, which a caller
    /// finds with `SSL_CERT_FILE` in mind.
    #[must_use]
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        roots: Vec<CertificateDer<'static>>,
    ) -> Self {
        let one = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_true =
            |name: &str| one(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let credentials = match (one("AWS_ACCESS_KEY_ID"), one("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => Credentials::Key {
                id,
                secret: Zeroizing::new(secret),
                session_token: one("AWS_SESSION_TOKEN").map(Zeroizing::new),
            },
            _ => Credentials::Chain,
        };
        let mut config = Self::new(credentials);
        if !is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            config.endpoint = one("AWS_ENDPOINT_URL_KMS").or_else(|| one("AWS_ENDPOINT_URL"));
        }
        config.region = one("AWS_REGION").or_else(|| one("AWS_DEFAULT_REGION"));
        config.dual_stack = is_true("AWS_USE_DUALSTACK_ENDPOINT");
        config.fips = is_true("AWS_USE_FIPS_ENDPOINT");
        config.trust = if one("AWS_TLS_INSECURE_SKIP_VERIFY").as_deref() == Some("1") {
            Trust::Anyone
        } else {
            Trust::Roots(roots)
        };
        config
    }

    /// The address to ask at; `None` for that of the region.
    ///
    /// Without roots, only `http` is of use.
    pub(crate) fn address(&self, reference: &KeyReference) -> Result<Option<String>, Error> {
        let address = match reference.host() {
            Some(host) => Some(format!("https://{host}")),
            None => self.endpoint.clone(),
        };
        let plain = match &address {
            Some(address) => is_plain(address)?,
            None => false,
        };
        match &self.trust {
            Trust::Roots(roots) if roots.is_empty() && !plain => Err(Error::NoRoots),
            _ => Ok(address),
        }
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

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain => f.write_str("Chain"),
            Self::Key { .. } => f.write_str("Key([hidden])"),
        }
    }
}
