use core::{error::Error as StdError, time::Duration};

use fulcio_remote_key::Fault;
use fulcio_signer::ErrorKind;

use crate::Difference;

/// Why CA Service, a pool in it or a certificate could not be had. No text has a credential in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// CA Service answered with success, but not in its own language.
    #[error("the answer of CA Service is not what was asked for")]
    Answer(#[source] Box<dyn StdError + Send + Sync>),
    /// Something is missing in an answer that is otherwise right.
    #[error("the answer of CA Service has no {field}")]
    AnswerIncomplete {
        /// What is missing, by its name in the API.
        field: &'static str,
    },
    /// A certificate in an answer cannot be read.
    #[error("a certificate in the answer of CA Service, in {field}, cannot be read")]
    AnswerMalformed {
        /// Where it stands, by its name in the API.
        field: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The authority that was named does not issue in its state.
    #[error(
        "the authority {authority} of CA Service does not issue in its state, {state}; enable it, \
         or name another"
    )]
    AuthorityState {
        /// What it is called.
        authority: String,
        /// Its state, as Google names it.
        state: String,
    },
    /// The SDK's client could not be set up, such as on a machine without TLS roots.
    #[error(
        "the client of CA Service could not be set up; has this machine TLS root certificates, or \
         does SSL_CERT_FILE name a file with some?"
    )]
    Client(#[source] Box<dyn StdError + Send + Sync>),
    /// The credentials could not be had now, such as from a metadata service that does not answer.
    #[error("the credentials for Google could not be had")]
    Credentials(#[source] Box<dyn StdError + Send + Sync>),
    /// There are no credentials, or they are of no use, now and later.
    #[error(
        "there are no credentials for Google that can be used: set GOOGLE_APPLICATION_CREDENTIALS, \
         or give this machine or workload a service account"
    )]
    CredentialsMissing(#[source] Box<dyn StdError + Send + Sync>),
    /// Google does not take the credentials. What it says is not kept, for it may repeat them.
    #[error("Google does not accept the credentials; check them, and the clock of this machine")]
    CredentialsRefused,
    /// No try succeeded in the time given, or waiting for the next one would have passed it.
    #[error("CA Service did not do it within {} ms", .limit.as_millis())]
    Deadline {
        /// The time given, with all tries.
        limit: Duration,
        /// What the last finished try failed with; `None` when the first one never ended.
        #[source]
        last: Option<Box<Self>>,
    },
    /// Google does not let these credentials do that.
    #[error("Google refused it ({code}): {message}")]
    Denied {
        /// Google's name for the reason.
        code: String,
        /// What Google says, cut to a bounded length.
        message: String,
    },
    /// The address is not one. It is not repeated here, for it may hold a password.
    #[error(
        "the address of CA Service (CLOUDSDK_API_ENDPOINT_OVERRIDES_PRIVATECA) must be http:// or \
         https:// with a host, without user, query or fragment, such as \
         https://privateca.googleapis.com/"
    )]
    Endpoint,
    /// One try took too long.
    #[error("CA Service did not answer within {} ms", .limit.as_millis())]
    Late {
        /// How long a try may take.
        limit: Duration,
    },
    /// A form of name that CA Service cannot be asked for.
    #[error("CA Service has no form for the name {name:?}")]
    NameForm {
        /// The name.
        name: String,
    },
    /// CA Service was not reached, or hung up.
    #[error("CA Service was not reached")]
    Network(#[source] Box<dyn StdError + Send + Sync>),
    /// The pool has no authority that is enabled.
    #[error("no authority in the pool {pool} of CA Service is enabled; enable one")]
    NoneEnabled {
        /// What the pool is called.
        pool: String,
    },
    /// There is no such pool, or no such authority in it.
    #[error(
        "CA Service has no {parent}; check the name, and the project of the credentials: {message}"
    )]
    NotFound {
        /// What Google says, cut to a bounded length.
        message: String,
        /// What was looked for.
        parent: String,
    },
    /// The certificate comes from an authority that is not the one named, or not in the pool.
    #[error("the certificate that CA Service issued is not by an authority of {parent}")]
    OtherAuthority {
        /// Who should have issued.
        parent: String,
    },
    /// The certificate says something else than it should.
    #[error("the certificate that CA Service issued is not the one asked for: {0}")]
    OtherCertificate(Difference),
    /// What should name a pool does not.
    #[error(
        "{parent:?} names no pool of authorities; it is written as \
         projects/PROJECT/locations/LOCATION/caPools/POOL, with /certificateAuthorities/CA behind \
         it for one authority of the pool"
    )]
    Parent {
        /// What was given.
        parent: String,
    },
    /// The certificate does not verify with the authority that CA Service says issued it.
    #[error("the certificate that CA Service issued does not verify with its authority")]
    Path(#[source] webpki::Error),
    /// The machine gave no random numbers.
    #[error("no random numbers could be had")]
    Randomness(#[source] aws_lc_rs::error::Unspecified),
    /// CA Service refused the request itself.
    #[error("CA Service refused the request ({code}): {message}")]
    Refused {
        /// Google's name for the reason.
        code: String,
        /// What Google says, cut to a bounded length.
        message: String,
    },
    /// The request could not be made.
    #[error("the request to CA Service could not be made")]
    Request(#[source] Box<dyn StdError + Send + Sync>),
    /// The pool or the authority cannot do it in its state, such as one that was disabled.
    #[error("{parent} of CA Service cannot do it in its state: {message}")]
    State {
        /// What Google says, cut to a bounded length.
        message: String,
        /// What was asked.
        parent: String,
    },
    /// CA Service asked for fewer requests.
    #[error("CA Service asks for fewer requests: {message}")]
    Throttled {
        /// What Google says, cut to a bounded length.
        message: String,
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// CA Service cannot do it now.
    #[error("CA Service cannot do it now ({code}): {message}")]
    Unavailable {
        /// Google's name for the reason.
        code: String,
        /// What Google says, cut to a bounded length.
        message: String,
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// The certificate of the endpoint is not trusted, or not that of the endpoint.
    #[error("the TLS certificate of CA Service is not accepted")]
    Untrusted(#[source] Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// What the failure means, in the words that signers have for it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        Fault::kind(self)
    }
}

impl Fault for Error {
    /// There is no wildcard: a new cause must choose.
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AuthorityState { .. }
            | Self::CredentialsMissing(_)
            | Self::CredentialsRefused
            | Self::Denied { .. }
            | Self::NoneEnabled { .. }
            | Self::State { .. } => ErrorKind::Denied,
            Self::Answer(_)
            | Self::AnswerIncomplete { .. }
            | Self::AnswerMalformed { .. }
            | Self::Client(_)
            | Self::Endpoint
            | Self::NameForm { .. }
            | Self::NotFound { .. }
            | Self::OtherCertificate(_)
            | Self::Parent { .. }
            | Self::Path(_)
            | Self::Randomness(_)
            | Self::Refused { .. }
            | Self::Request(_)
            | Self::Untrusted(_) => ErrorKind::Invalid,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Credentials(_)
            | Self::Deadline { .. }
            | Self::Late { .. }
            | Self::Network(_)
            | Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::OtherAuthority { .. } => ErrorKind::WrongKey,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Unavailable { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }
}
