use core::time::Duration;
use std::sync::Arc;

use fulcio_ct_client::{Error, HttpLog, RemoteLog as _};
use fulcio_testkit::log::FakeLog;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Barrier,
    task::JoinSet,
    time,
};

use crate::{
    AMPLE, ENTRY, config, http, promise,
    server::{Answer, Server},
    submit,
    tls::secure,
};

/// More than an idle connection is kept for.
const LONG: Duration = Duration::from_secs(51);

/// Serves one request, as a log does that closes each connection after one answer.
async fn answer_once(mut stream: TcpStream, answer: &str) {
    let mut request = Vec::new();
    while !request.ends_with(b"]}") {
        let Ok(1..) = stream.read_buf(&mut request).await else {
            return;
        };
    }
    let _taken = stream.write_all(answer.as_bytes()).await;
}

/// Its connections end on another thread, at any moment of the next submission.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loses_no_submission_to_a_log_that_closes_after_each_answer() {
    let fake = FakeLog::new();
    let body = fake.promise(&ENTRY).unwrap().to_json();
    let length = body.len();
    for head in [
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
        // Without saying so.
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n"),
    ] {
        let end = match head.contains("chunked") {
            true => "\r\n0\r\n\r\n",
            false => "",
        };
        let answer = format!("{head}{body}{end}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _peer) = listener.accept().await.unwrap();
                answer_once(stream, &answer).await;
            }
        });
        let log = HttpLog::new(&config(url, &fake, AMPLE)).unwrap();
        for _ in 0..5 {
            let answer = submit(&log).await;
            assert!(answer.is_ok(), "{head}: {answer:?}");
        }
        serving.abort();
    }
}

#[tokio::test]
async fn uses_a_connection_again_after_a_refusal_and_behind_tls() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::status(400), promise(&fake)]).await;
    let log = http(&server, &fake, AMPLE);
    submit(&log).await.unwrap_err();
    submit(&log).await.unwrap();
    assert_eq!(server.connections(), 1);

    let (server, root) = secure(&fake).await;
    let mut config = config(server.url().replace("http:", "https:"), &fake, AMPLE);
    config.roots = vec![root];
    let log = HttpLog::new(&config).unwrap();
    for _ in 0..3 {
        submit(&log).await.unwrap();
    }
    assert_eq!(server.requests(), 3);
    assert_eq!(server.connections(), 1);
}

/// Whoever got such a connection would wait for what was left on it, or read it as its own.
#[tokio::test]
async fn gives_nobody_a_connection_that_was_left_half_way() {
    for left in [Answer::Hang, Answer::Half] {
        let fake = FakeLog::new();
        let server = Server::start([left, promise(&fake)]).await;
        let log = http(&server, &fake, AMPLE);
        let waiting = async {
            while server.requests() == 0 {
                time::sleep(Duration::from_millis(5)).await;
            }
            // The half that comes is read.
            time::sleep(Duration::from_millis(50)).await;
        };
        tokio::select! {
            answer = submit(&log) => panic!("{answer:?}"),
            () = waiting => {}
        }
        submit(&log).await.unwrap();
        assert_eq!(server.connections(), 2);
    }

    let fake = FakeLog::new();
    for endless in [200, 400] {
        let server = Server::start([Answer::Endless(endless), promise(&fake)]).await;
        let log = http(&server, &fake, AMPLE);
        submit(&log).await.unwrap_err();
        submit(&log).await.unwrap();
        assert_eq!(server.connections(), 2, "{endless}");
    }
}

#[tokio::test]
async fn gives_nobody_a_connection_whose_submission_was_too_late() {
    let fake = FakeLog::new();
    let server = Server::start([Answer::Half, promise(&fake)]).await;
    let log = http(&server, &fake, Duration::from_secs(1));
    let error = submit(&log).await.unwrap_err();
    assert!(
        matches!(error, Error::Deadline { last: None, .. }),
        "{error:?}"
    );
    submit(&log).await.unwrap();
    assert_eq!(server.connections(), 2);
}

/// Lets time pass on the clock, though not in the world.
async fn pass(duration: Duration) {
    time::pause();
    time::advance(duration).await;
    time::resume();
}

/// Waits until the server has no more than `count` connections open.
async fn until_open(server: &Server, count: usize) {
    let closing = async {
        while server.open() > count {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(LONG / 2, closing).await.unwrap();
}

#[tokio::test]
async fn closes_what_a_burst_needed_when_it_was_idle_for_long() {
    const BURST: usize = 40;
    let fake = FakeLog::new();
    let body = fake.promise(&ENTRY).unwrap().to_json();
    let together = Answer::Together(Arc::new(Barrier::new(BURST)), body.into());
    let server = Server::start([together]).await;
    let log = Arc::new(http(&server, &fake, AMPLE * 6));
    let mut burst = JoinSet::new();
    for _ in 0..BURST {
        let log = Arc::clone(&log);
        burst.spawn(async move { submit(&log).await.map(drop) });
    }
    for answer in burst.join_all().await {
        answer.unwrap();
    }
    assert_eq!(server.connections(), BURST);

    // Most of the time: all are still there, and one of them is used.
    server.answer([promise(&fake)]);
    pass(LONG / 2).await;
    submit(&log).await.unwrap();
    assert_eq!(server.connections(), BURST);
    assert_eq!(server.open(), BURST);

    pass(LONG - LONG / 2).await;
    until_open(&server, 1).await;
    assert_eq!(server.open(), 1);
    submit(&log).await.unwrap();
    assert_eq!(server.connections(), BURST);

    pass(LONG).await;
    until_open(&server, 0).await;

    // All over again, as at first.
    submit(&log).await.unwrap();
    assert_eq!(server.connections(), BURST + 1);
    pass(LONG).await;
    until_open(&server, 0).await;
}

#[tokio::test]
async fn takes_no_connection_that_has_been_idle_for_too_long() {
    let fake = FakeLog::new();
    let server = Server::start([promise(&fake)]).await;
    let log = http(&server, &fake, AMPLE);
    submit(&log).await.unwrap();
    pass(LONG).await;
    submit(&log).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn says_why_nobody_was_reached() {
    let fake = FakeLog::new();
    let nobody = config("http://127.0.0.1:1".to_owned(), &fake, AMPLE);
    let error = HttpLog::new(&nobody).unwrap().roots().await.unwrap_err();
    let mut causes = Vec::new();
    let mut next: Option<&dyn core::error::Error> = Some(&error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let told = causes.iter().any(|cause| cause.contains("refused"));
    assert!(told, "{causes:?}");
}
