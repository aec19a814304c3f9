use core::time::Duration;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::UNIX_EPOCH;

use fulcio_ct_client::{
    Clock, Error, Failure, HttpLog, HttpLogConfig, SctError, SignedCertificateTimestamp,
};
use fulcio_testkit::log::FakeLog;

use crate::{AMPLE, config, http, now, promise, server::Server, submit};

fn millis(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap()
}

#[tokio::test]
async fn refuses_a_timestamp_from_the_future_at_once() {
    let tolerance = SignedCertificateTimestamp::CLOCK_TOLERANCE;
    let latest = FakeLog::TIMESTAMP + millis(tolerance);

    let fake = FakeLog::new().with_timestamp(latest);
    let server = Server::start([promise(&fake)]).await;
    submit(&http(&server, &fake, AMPLE)).await.unwrap();

    let fake = FakeLog::new().with_timestamp(latest + 1);
    let server = Server::start([promise(&fake)]).await;
    let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Refused);
    let Error::Answer { source, .. } = error else {
        panic!("{error:?}");
    };
    let early = tolerance + Duration::from_millis(1);
    assert!(
        matches!(source, SctError::Future { ahead } if ahead == early),
        "{source:?}"
    );
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn takes_a_timestamp_of_long_ago() {
    let fake = FakeLog::new().with_timestamp(0);
    let server = Server::start([promise(&fake)]).await;
    submit(&http(&server, &fake, AMPLE)).await.unwrap();
}

#[tokio::test]
async fn asks_for_the_time_at_each_answer() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let time = Arc::new(AtomicU64::new(0));
    let read = Arc::clone(&time);
    let clock = Clock::new(move || UNIX_EPOCH + Duration::from_millis(read.load(Ordering::SeqCst)));
    let log = HttpLog::new(&HttpLogConfig {
        clock,
        ..config(server.url(), &fake, AMPLE)
    })
    .unwrap();
    submit(&log).await.unwrap_err();
    time.store(FakeLog::TIMESTAMP, Ordering::SeqCst);
    submit(&log).await.unwrap();
}

#[tokio::test]
async fn believes_the_clock_of_a_log_whose_key_is_not_known() {
    let fake = FakeLog::new().with_timestamp(u64::MAX);
    let server = Server::start([promise(&fake)]).await;
    let log = HttpLog::new(&HttpLogConfig::new(server.url(), None, now)).unwrap();
    assert_eq!(submit(&log).await.unwrap().timestamp(), u64::MAX);
}
