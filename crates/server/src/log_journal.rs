use core::error::Error as StdError;

use fulcio_issuance::{Certified, Decision, Error, Journal, Recording, RequestContext, Timestamp};
use fulcio_principal::{Extension, Identity};

/// Writes one log line for every certificate and every refusal; never a token.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct LogJournal;

impl Journal for LogJournal {
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a> {
        match decision {
            Decision::Issued {
                identity,
                certified,
            } => issued(identity, certified, context),
            Decision::Refused { identity, error } => refused(identity, error, context),
        }
        Box::pin(core::future::ready(Ok(())))
    }
}

fn issued(identity: &Identity, certified: &Certified, context: &RequestContext) {
    let log_index = match &certified.timestamp {
        Timestamp::Embedded(timestamp) | Timestamp::Detached(timestamp) => {
            timestamp.leaf_index().ok().flatten()
        }
        Timestamp::None => None,
    };
    tracing::info!(
        request_id = context.request_id,
        peer = context.peer.map(tracing::field::display),
        identity = identity.principal().subject.value(),
        issuer = issuer(identity),
        log_index,
        "certificate issued"
    );
}

fn refused(identity: Option<&Identity>, error: &Error, context: &RequestContext) {
    tracing::warn!(
        request_id = context.request_id,
        peer = context.peer.map(tracing::field::display),
        identity = identity.map(|identity| identity.principal().subject.value()),
        issuer = identity.and_then(issuer),
        told = %error.refusal(),
        cause = causes(error),
        log_answer = log_answer(error),
        "certificate refused"
    );
}

fn issuer(identity: &Identity) -> Option<&str> {
    identity.principal().extensions.value(Extension::IssuerV2)
}

/// What the log said when it refused.
fn log_answer(error: &Error) -> Option<&str> {
    match error {
        Error::Log(error) => error.body(),
        _ => None,
    }
}

/// An error and what caused it, on one line.
fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
