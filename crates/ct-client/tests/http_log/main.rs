//! What comes of a submission to a log behind HTTP, good or bad.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod clocks;
mod connections;
mod fake_proxy;
mod proxies;
mod retries;
mod roots;
mod server;
mod tls;

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use fulcio_ct_client::{
    Entry, Error, HttpLog, HttpLogConfig, SignedCertificateTimestamp, Submission, TransparencyLog,
};
use fulcio_testkit::log::FakeLog;
use pki_types::CertificateDer;

use server::{Answer, Server};

/// The time that a test's submission gets, where a test is not about it.
const AMPLE: Duration = Duration::from_secs(5);
const PRECERTIFICATE: CertificateDer<'static> = certificate(b"precertificate");
const ISSUERS: [CertificateDer<'static>; 2] = [certificate(b"intermediate"), certificate(b"root")];
const ENTRY: Entry<'static> = Entry::Precertificate {
    issuer_key_hash: [7; 32],
    tbs: b"to be signed",
};

const fn certificate(der: &'static [u8]) -> CertificateDer<'static> {
    CertificateDer::from_slice(der)
}

fn config(url: String, log: &FakeLog, timeout: Duration) -> HttpLogConfig {
    HttpLogConfig {
        timeout,
        ..HttpLogConfig::new(url, Some(log.key().clone()), now)
    }
}

/// When the tests happen: when [`FakeLog`] makes its promises.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(FakeLog::TIMESTAMP)
}

/// A log whose timestamps must be those of `log`.
fn http(server: &Server, log: &FakeLog, timeout: Duration) -> HttpLog {
    HttpLog::new(&config(server.url(), log, timeout)).unwrap()
}

async fn submit(log: &HttpLog) -> Result<SignedCertificateTimestamp, Error> {
    submit_to(log).await
}

async fn submit_to(log: &dyn TransparencyLog) -> Result<SignedCertificateTimestamp, Error> {
    log.submit(Submission {
        entry: ENTRY,
        certificate: &PRECERTIFICATE,
        issuers: &ISSUERS,
    })
    .await
}

/// What a log answers that takes [`PRECERTIFICATE`].
fn promise(log: &FakeLog) -> Answer {
    Answer::json(log.promise(&ENTRY).unwrap().to_json())
}
