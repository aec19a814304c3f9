use core::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use fulcio_ct_client::{Error, Failure, HttpLog};
use fulcio_testkit::log::FakeLog;
use tokio::net::TcpSocket;

use crate::{
    AMPLE, config, http, promise,
    server::{Answer, Server},
    submit,
};

fn busy(status: u16, retry_after: &'static str) -> Answer {
    Answer::Say(status, Some(retry_after), Bytes::from_static(b"busy"))
}

#[tokio::test]
async fn asks_again_when_the_log_is_busy() {
    for status in [408, 429, 503] {
        let fake = FakeLog::new();
        let answers = [
            Answer::status(status),
            Answer::status(status),
            promise(&fake),
        ];
        let server = Server::start(answers).await;
        submit(&http(&server, &fake, AMPLE)).await.unwrap();
        assert_eq!(server.requests(), 3, "{status}");
    }
}

#[tokio::test]
async fn waits_as_long_as_the_log_asks() {
    for status in [429, 503] {
        let fake = FakeLog::new();
        let server = Server::start([busy(status, "1"), promise(&fake)]).await;
        let begin = Instant::now();
        submit(&http(&server, &fake, AMPLE)).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_secs(1), "{status}");
        assert_eq!(server.requests(), 2, "{status}");
    }
}

#[tokio::test]
async fn gives_up_at_once_when_the_log_asks_for_more_time_than_there_is() {
    // The date is far ahead of the answer's own.
    for (asked, seconds) in [("3600", 3600), ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400)] {
        let fake = FakeLog::new();
        let server = Server::start([busy(503, asked)]).await;
        let begin = Instant::now();
        let error = submit(&http(&server, &fake, AMPLE)).await.unwrap_err();
        assert!(begin.elapsed() < AMPLE / 2, "{asked}");
        assert_eq!(error.failure(), Failure::Unavailable);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
        assert_eq!(error.body(), Some("busy"));
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn gives_up_within_its_time_and_says_why() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::status(503)]).await;
    let begin = Instant::now();
    let timeout = Duration::from_secs(1);
    let error = submit(&http(&server, &fake, timeout)).await.unwrap_err();
    assert!(begin.elapsed() < timeout);
    assert_eq!(error.failure(), Failure::Unavailable);
    let Error::Deadline {
        last: Some(last), ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert!(matches!(**last, Error::Status { status: 503, .. }));
    // At 0, 100, 300 and 700 ms; a slow machine may miss the last.
    assert!(
        (3..=4).contains(&server.requests()),
        "{}",
        server.requests()
    );
}

#[tokio::test]
async fn gives_up_on_a_log_that_hangs_without_harm_to_others() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::Hang, promise(&fake)]).await;
    let timeout = Duration::from_millis(700);
    let log = http(&server, &fake, timeout);

    let begin = Instant::now();
    let hanging = submit(&log);
    let other = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let answer = submit(&log).await;
        (answer, begin.elapsed())
    };
    let (hung, (answer, at)) = tokio::join!(hanging, other);
    assert!(begin.elapsed() >= timeout);
    answer.unwrap();
    assert!(at < timeout, "{at:?}");
    let error = hung.unwrap_err();
    assert_eq!(error.failure(), Failure::Unavailable);
    assert!(
        matches!(error, Error::Deadline { last: None, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn shares_no_wait_between_submissions() {
    let fake = FakeLog::new();
    let server = Server::start([busy(503, "3"), promise(&fake)]).await;
    let log = http(&server, &fake, AMPLE);
    let begin = Instant::now();
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        submit(&log).await.unwrap();
        begin.elapsed()
    };
    let (first, at) = tokio::join!(submit(&log), second);
    first.unwrap();
    assert!(at < Duration::from_secs(2), "{at:?}");
    assert!(begin.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn asks_again_when_the_log_hangs_up() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::HangUp, promise(&fake)]).await;
    submit(&http(&server, &fake, AMPLE)).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn waits_for_a_log_that_is_just_starting() {
    let fake = FakeLog::new();
    // Bound and not yet listening: its port refuses, and nobody else can have it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let log = HttpLog::new(&config(format!("http://{address}"), &fake, AMPLE)).unwrap();
    let starting = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Server::on(socket.listen(16).unwrap(), [promise(&fake)])
    };
    let (answer, server) = tokio::join!(submit(&log), starting);
    answer.unwrap();
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn gives_up_on_a_log_that_is_not_there() {
    let fake = FakeLog::new();
    let timeout = Duration::from_millis(500);
    // The port of tcpmux, which nobody runs.
    let nobody = "http://127.0.0.1:1".to_owned();
    let log = HttpLog::new(&config(nobody, &fake, timeout)).unwrap();
    let begin = Instant::now();
    let error = submit(&log).await.unwrap_err();
    assert!(begin.elapsed() < timeout);
    assert_eq!(error.failure(), Failure::Unavailable);
    let Error::Deadline {
        last: Some(last), ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(matches!(*last, Error::Network(_)), "{last:?}");
}
