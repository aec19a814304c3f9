use core::error::Error as StdError;

use fulcio_api::{Row, code_name};
use fulcio_audit_log::CertificateFacts;
use fulcio_ct_client::SignedCertificateTimestamp;
use fulcio_issuance::{Certified, Decision, Error, Journal, Recording, RequestContext};
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
    let timestamp = certified.timestamps().first();
    let further = &certified.further_timestamps;
    let certificate = certified
        .chain
        .first()
        .and_then(|certificate| CertificateFacts::read(certificate).ok());
    let voucher = context.voucher();
    tracing::info!(
        request_id = context.request_id,
        peer = context.peer.map(display),
        api = context.api,
        identity = identity.principal().subject.value(),
        issuer = voucher.map(|voucher| &*voucher.issuer),
        kind = voucher.map(|voucher| &*voucher.kind),
        issuer_name = issuer_name(identity),
        serial = certificate.as_ref().map(|facts| display(&facts.serial)),
        key = certificate.as_ref().map(|facts| display(&facts.key)),
        log_index = timestamp.and_then(|timestamp| timestamp.leaf_index().ok().flatten()),
        log_timestamp = timestamp.map(SignedCertificateTimestamp::timestamp),
        further_timestamps = (!further.is_empty()).then(|| list(further)),
        duration_ms = milliseconds(context),
        "certificate issued"
    );
}

/// Timestamps that are in no certificate, in the form that logs answer with.
fn list(timestamps: &[SignedCertificateTimestamp]) -> String {
    let timestamps: Vec<_> = timestamps
        .iter()
        .map(SignedCertificateTimestamp::to_json)
        .collect();
    format!("[{}]", timestamps.join(","))
}

fn refused(identity: Option<&Identity>, error: &Error, context: &RequestContext) {
    let refusal = error.refusal();
    let row = Row::from(&refusal);
    let voucher = context.voucher();
    tracing::warn!(
        request_id = context.request_id,
        peer = context.peer.map(display),
        api = context.api,
        identity = identity.map(|identity| identity.principal().subject.value()),
        issuer = voucher.map(|voucher| &*voucher.issuer),
        kind = voucher.map(|voucher| &*voucher.kind),
        issuer_name = identity.and_then(issuer_name),
        code = code_name(row.code),
        reason = row.reason.as_str(),
        token_reason = token_reason(error),
        told = %refusal,
        cause = causes(error),
        log_answer = log_answer(error),
        duration_ms = milliseconds(context),
        "certificate refused"
    );
}

/// The name of the issuer that the certificate has; it is the `iss` of the token, unless the
/// configuration takes it from another claim.
fn issuer_name(identity: &Identity) -> Option<&str> {
    identity.principal().extensions.value(Extension::IssuerV2)
}

/// Why exactly a token was not accepted.
fn token_reason(error: &Error) -> Option<&'static str> {
    match error {
        Error::Authentication(error) => Some(error.reason()),
        _ => None,
    }
}

/// What the log said when it refused.
fn log_answer(error: &Error) -> Option<&str> {
    match error {
        Error::Log(error) => error.body(),
        _ => None,
    }
}

fn milliseconds(context: &RequestContext) -> f64 {
    context.elapsed().as_secs_f64() * 1000.0
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
