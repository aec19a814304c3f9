//! What the SDK's errors mean.

use core::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fulcio_remote_key::cause;

use crate::Error;

/// Sorts the SDK's error about a request for `key`.
pub(crate) fn failure<E>(error: SdkError<E, HttpResponse>, key: &str, region: &str) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if let Some(found) = cause::<CredentialsError>(&error) {
        return match found {
            CredentialsError::CredentialsNotLoaded(_)
            | CredentialsError::InvalidConfiguration(_) => Error::CredentialsMissing(error.into()),
            _ => Error::Credentials(error.into()),
        };
    }
    match &error {
        SdkError::ServiceError(service) => {
            let (status, said) = (service.raw().status().as_u16(), service.err());
            refusal(status, said.code(), said.message(), key, region)
        }
        SdkError::ResponseError(response) if !response.raw().status().is_success() => {
            refusal(response.raw().status().as_u16(), None, None, key, region)
        }
        SdkError::ResponseError(_) => Error::Answer(error.into()),
        SdkError::ConstructionFailure(_) => Error::Request(error.into()),
        _ => unreached(error),
    }
}

/// What a refusal by the service means, by its status and the name of its reason.
fn refusal(
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
    key: &str,
    region: &str,
) -> Error {
    let name = code.unwrap_or_default();
    let code = line(code.unwrap_or("it does not say why"));
    let message = line(message.unwrap_or("nothing more is said"));
    match name {
        "NotFoundException" => Error::KeyMissing {
            key: key.to_owned(),
            region: region.to_owned(),
        },
        "DisabledException" | "KMSInvalidStateException" => Error::KeyState {
            code,
            key: key.to_owned(),
            message,
        },
        // How AWS says that the key is a symmetric one.
        "UnsupportedOperationException" | "InvalidKeyUsageException" => Error::KeyUsage {
            key: key.to_owned(),
            usage: format!("something else ({message})"),
        },
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Error::CredentialsRefused { code },
        "LimitExceededException"
        | "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => Error::Throttled { code, message },
        "DependencyTimeoutException"
        | "InternalFailure"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Error::Unavailable {
            code,
            message,
            status,
        },
        _ => match status {
            401 | 403 => Error::Denied { code, message },
            429 => Error::Throttled { code, message },
            _ if name.starts_with("AccessDenied") => Error::Denied { code, message },
            408 | 500.. => Error::Unavailable {
                code,
                message,
                status,
            },
            _ => Error::Refused {
                code,
                message,
                status,
            },
        },
    }
}

/// Sorts a service that is not there from one that is not who it should be: only the first may be
/// there a moment later.
fn unreached(error: impl StdError + Send + Sync + 'static) -> Error {
    match cause(&error) {
        Some(Error::AnswerTooLong { limit }) => return Error::AnswerTooLong { limit: *limit },
        Some(Error::Late { limit }) => return Error::Late { limit: *limit },
        _ => {}
    }
    match cause(&error) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::Untrusted(error.into()),
        _ => Error::Network(error.into()),
    }
}

/// One line of bounded length.
fn line(text: &str) -> String {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_KEPT).collect()
}

/// Refusals name the caller, the action and the key by their ARNs.
const MAX_KEPT: usize = 500;
