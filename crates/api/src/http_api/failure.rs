use core::error::Error as StdError;

use bytes::Bytes;
use fulcio_issuance::Refusal;
use http::{Response, request::Parts};
use http_body_util::Full;

use super::{answer, body::BodyError, endpoint::Endpoint, forwarded::ForwardError, request_id};
use crate::{calls::Calls, json::DecodeError, rpc::Rpc};

/// Why a call has no other answer.
pub(super) enum Failure {
    /// The body cannot be read.
    Body(BodyError),
    /// The headers do not let it through.
    Forward(ForwardError),
    /// The body is not the message that is wanted.
    Message(DecodeError),
    /// What is asked for is refused.
    Refused(Refusal),
}

impl Failure {
    /// What the caller is told. What is wrong with a message is told to nobody else, for it may
    /// quote a token that is in the wrong place.
    pub(super) fn answer(
        &self,
        calls: &Calls,
        endpoint: Endpoint,
        parts: &Parts,
    ) -> Response<Full<Bytes>> {
        let unread = || {
            let rpc = match endpoint {
                Endpoint::LegacySigningCertificate => Rpc::LegacyCreateSigningCertificate,
                Endpoint::SigningCertificate => Rpc::CreateSigningCertificate,
                _ => return,
            };
            calls.unread(&calls.context(rpc, request_id(parts), &parts.extensions));
        };
        match self {
            Self::Body(error) => {
                let cause: &(dyn StdError + 'static) = error;
                tracing::debug!(error = cause, "a body could not be read");
                unread();
                answer::malformed(&error.to_string())
            }
            Self::Forward(error) => {
                tracing::debug!("the headers of a request do not let it through");
                unread();
                answer::not_forwarded(error)
            }
            Self::Message(error) => {
                tracing::debug!("a body is not the message that it should be");
                unread();
                answer::malformed(&error.to_string())
            }
            Self::Refused(refusal) => answer::refusal(refusal),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<ForwardError> for Failure {
    fn from(error: ForwardError) -> Self {
        Self::Forward(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Message(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
