//! Peers that misbehave on the level of connections.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Answers each request with these bytes and hangs up, for as long as the test runs.
pub(super) fn answering(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    accepting(move |mut stream| {
        let mut buffer = [0; 64 << 10];
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        // What comes is small, and comes at once.
        while let Ok(1..) = stream.read(&mut buffer) {
            if stream.write_all(&answer).is_err() || stream.shutdown(Shutdown::Write).is_err() {
                return;
            }
        }
    })
}

/// An answer of HTTP with this status line and body.
pub(super) fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// Takes every connection and says nothing.
pub(super) fn silent() -> SocketAddr {
    accepting(|mut stream| {
        let mut buffer = [0; 4096];
        while let Ok(1..) = stream.read(&mut buffer) {}
    })
}

/// Carries what comes to `target` and back, and lets each piece of an answer wait for this long.
pub(super) fn delaying(target: SocketAddr, delay: Duration) -> SocketAddr {
    accepting(move |from| {
        let Ok(to) = TcpStream::connect(target) else {
            return;
        };
        let there = [from.try_clone().unwrap(), to.try_clone().unwrap()];
        thread::spawn(move || carry(there, Duration::ZERO));
        carry([to, from], delay);
    })
}

fn carry([mut from, mut to]: [TcpStream; 2], delay: Duration) {
    let mut buffer = [0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        thread::sleep(delay);
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
    // An error means that the connection is gone already.
    drop(to.shutdown(Shutdown::Write));
}

fn accepting(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            let stream = stream.unwrap();
            thread::spawn(move || serve(stream));
        }
    });
    address
}
