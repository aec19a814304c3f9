//! What the SDK's errors mean.

use core::error::Error as StdError;
use std::sync::Arc;

use azure_core::{
    error::ErrorKind,
    http::{RawResponse, headers::HeaderName},
};

use crate::{
    Error,
    refusal::{Refused, retry_after},
    token::NoToken,
};

/// Sorts the SDK's error about a request for `key` in `vault`.
pub(crate) fn failure(error: azure_core::Error, key: &str, vault: &str) -> Error {
    if let Some(NoToken(cause)) = no_token(&error) {
        return Error::Token(Arc::clone(cause));
    }
    let error = match ours(error) {
        Ok(error) => return error,
        Err(error) => error,
    };
    let ErrorKind::HttpResponse {
        status,
        raw_response,
        ..
    } = error.kind()
    else {
        // The request was made and answered; what is left is how the vault asked for a token.
        let vault = vault.to_owned();
        let source = error.into();
        return Error::Challenge { vault, source };
    };
    let answer = raw_response.as_deref();
    let wait = answer.and_then(|answer| answer.headers().get_optional_str(&RETRY_AFTER));
    Refused {
        body: answer.map_or(&[], |answer: &RawResponse| answer.body().as_ref()),
        key,
        retry_after: wait.and_then(retry_after),
        status: u16::from(*status),
        vault,
    }
    .cause()
}

fn no_token(error: &azure_core::Error) -> Option<&NoToken> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// The error of ours that the SDK wrapped, where there is one.
pub(crate) fn ours(error: azure_core::Error) -> Result<Error, azure_core::Error> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(&error);
    let mut inside = false;
    while let Some(cause) = next {
        inside |= cause.is::<Error>();
        next = cause.source();
    }
    if !inside {
        return Err(error);
    }
    match error.into_inner()?.downcast::<Error>() {
        Ok(error) => Ok(*error),
        Err(other) => match other.downcast::<azure_core::Error>() {
            Ok(error) => ours(*error),
            Err(other) => Err(azure_core::Error::new(ErrorKind::Other, other)),
        },
    }
}

/// Whether the SDK could not read what it was given.
pub(crate) fn is_garbage(error: &azure_core::Error) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        let sdk = cause.downcast_ref::<azure_core::Error>();
        if sdk.is_some_and(|sdk| *sdk.kind() == ErrorKind::DataConversion) {
            return true;
        }
        next = cause.source();
    }
    false
}

const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");
