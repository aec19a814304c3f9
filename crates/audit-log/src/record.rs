use core::net::SocketAddr;
use std::time::SystemTime;

use fulcio_ct_client::SignedCertificateTimestamp;
use fulcio_issuance::{Certified, Error, PrecertificateEntry, Refusal, RequestContext, Timestamp};
use fulcio_principal::{Extension, Identity, SubjectAltName};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{CertificateFacts, Digest, Outcome, RefusalWords};

/// What is said of one request. There is no token in it, and nothing that was made from one but what
/// a certificate would say.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    time: String,
    r#type: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Name<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precertificate: Option<Precertificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamps: Option<Vec<LoggedAt>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refused>,
}

#[derive(Serialize)]
struct Name<'a> {
    kind: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Key {
    kind: String,
    sha256: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Precertificate {
    issuer_key: Digest,
    tbs: Digest,
}

/// A promise of a log. Those that went neither into the certificate nor beside it are here in full.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedAt {
    place: &'static str,
    log: Digest,
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sct: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Refused {
    code: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'static str>,
    told: String,
}

/// What is said of a certificate that is about to leave.
pub(crate) fn issued(
    identity: &Identity,
    certified: &Certified,
    context: &RequestContext,
    now: SystemTime,
) -> String {
    let leaf = certified.chain.first();
    let facts = leaf.and_then(|leaf| CertificateFacts::read(leaf).ok());
    let place = match certified.timestamp {
        Timestamp::Detached(_) => "beside",
        Timestamp::Embedded(_) | Timestamp::None => "certificate",
    };
    let given = certified.timestamps().iter();
    let given = given.map(|sct| LoggedAt::new(place, sct, false));
    let further = certified.further_timestamps.iter();
    let further = further.map(|sct| LoggedAt::new("here", sct, true));
    let record = Record {
        key: facts.as_ref().map(|facts| Key {
            kind: facts.key.to_string(),
            sha256: facts.key_hash(),
        }),
        serial: facts.as_ref().map(|facts| facts.serial.to_string()),
        certificate: leaf.map(|leaf| Digest::of(leaf)),
        timestamps: Some(given.chain(further).collect()),
        ..Record::new(Outcome::Issued, Some(identity), context, now)
    };
    text(&record)
}

/// What is said of a refusal.
pub(crate) fn refused(
    identity: Option<&Identity>,
    error: &Error,
    words: fn(&Refusal) -> RefusalWords,
    context: &RequestContext,
    now: SystemTime,
) -> String {
    let refusal = error.refusal();
    let RefusalWords { code, reason } = words(&refusal);
    let record = Record {
        refusal: Some(Refused {
            code,
            reason,
            token: match error {
                Error::Authentication(error) => Some(error.reason()),
                _ => None,
            },
            told: refusal.to_string(),
        }),
        ..Record::new(Outcome::Refused, identity, context, now)
    };
    text(&record)
}

/// What is said of a request that nobody waits for any more.
pub(crate) fn abandoned(identity: &Identity, context: &RequestContext, now: SystemTime) -> String {
    text(&Record::new(
        Outcome::Abandoned,
        Some(identity),
        context,
        now,
    ))
}

impl<'a> Record<'a> {
    fn new(
        outcome: Outcome,
        identity: Option<&'a Identity>,
        context: &'a RequestContext,
        now: SystemTime,
    ) -> Self {
        let voucher = context.voucher();
        let principal = identity.map(Identity::principal);
        let issuer_name = principal.and_then(|it| it.extensions.value(Extension::IssuerV2));
        Self {
            time: rfc3339(now),
            r#type: outcome.as_str(),
            request_id: &context.request_id,
            peer: context.peer,
            api: context.api,
            identity: principal.map(|it| Name::of(&it.subject)),
            issuer: voucher.map(|voucher| &*voucher.issuer),
            issuer_kind: voucher.map(|voucher| &*voucher.kind),
            issuer_name,
            key: None,
            serial: None,
            certificate: None,
            precertificate: context.precertificate_entry().map(Precertificate::of),
            timestamps: None,
            refusal: None,
        }
    }
}

impl<'a> Name<'a> {
    fn of(name: &'a SubjectAltName) -> Self {
        Self {
            kind: match name {
                SubjectAltName::Email(_) => "email",
                SubjectAltName::Uri(_) => "uri",
                SubjectAltName::Username(_) => "username",
                _ => "other",
            },
            value: name.value(),
        }
    }
}

impl Precertificate {
    fn of(entry: &PrecertificateEntry) -> Self {
        Self {
            issuer_key: Digest(entry.issuer_key_hash),
            tbs: Digest(entry.tbs_hash),
        }
    }
}

impl LoggedAt {
    fn new(place: &'static str, sct: &SignedCertificateTimestamp, in_full: bool) -> Self {
        let full = in_full.then(|| RawValue::from_string(sct.to_json()));
        Self {
            place,
            log: Digest(sct.log_id()),
            timestamp: sct.timestamp(),
            index: sct.leaf_index().ok().flatten(),
            sct: full.map(|json| json.expect("a timestamp writes itself as JSON")),
        }
    }
}

/// A moment to the millisecond; one before 1970 is 1970.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let time = time.max(SystemTime::UNIX_EPOCH);
    humantime::format_rfc3339_millis(time).to_string()
}

pub(crate) fn text(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("text and numbers are always JSON")
}
