//! HTTP/1 by hand, for clients that stop in the middle or notice every end of a connection.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::Server;

/// One request on a connection that stays open, so far as it is sent.
pub(crate) fn half(server: &Server, body: &str) -> TcpStream {
    begun(server, "keep-alive", body, body.len() / 2)
}

/// One request that is the last on its connection.
pub(crate) fn whole(server: &Server, body: &str) -> TcpStream {
    begun(server, "close", body, body.len())
}

fn begun(server: &Server, connection: &str, body: &str, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.http()).unwrap();
    let length = body.len();
    let head = format!(
        "POST /api/v2/signingCert HTTP/1.1\r\nhost: a\r\nconnection: {connection}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..sent]).unwrap();
    stream
}

/// What comes until the server hangs up.
pub(crate) fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    drop(stream.read_to_string(&mut text));
    text
}

/// Asks for certificates until it may not connect any more. What it was told in the place of a certificate.
pub(crate) fn ask_while(
    address: SocketAddr,
    body: &str,
    keeps: bool,
    answered: &AtomicUsize,
    connecting: &RwLock<bool>,
) -> Option<String> {
    let length = body.len();
    let kept = if keeps { "keep-alive" } else { "close" };
    let request = format!(
        "POST /api/v2/signingCert HTTP/1.1\r\nhost: a\r\nconnection: {kept}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    loop {
        let mut begun = Instant::now();
        let may_connect = connecting.read().unwrap();
        if !*may_connect {
            return None;
        }
        let mut stream = TcpStream::connect(address).unwrap();
        drop(may_connect);
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        loop {
            let sent = stream.write_all(request.as_bytes());
            // Half a second after the signal, who has said nothing is taken for one that has nothing to ask.
            let was_slow = begun.elapsed() > Duration::from_millis(200);
            let answer = sent.map_err(|error| error.to_string());
            let answer = match answer.and_then(|()| one_answer(&mut stream)) {
                Ok(answer) => answer,
                Err(_) if was_slow => return None,
                Err(error) => return Some(error),
            };
            begun = Instant::now();
            if !(answer.starts_with("HTTP/1.1 200") && answer.contains("BEGIN CERTIFICATE")) {
                return Some(answer);
            }
            answered.fetch_add(1, Ordering::SeqCst);
            if !keeps || answer.to_ascii_lowercase().contains("connection: close") {
                break;
            }
        }
    }
}

/// One answer with a length.
fn one_answer(stream: &mut TcpStream) -> Result<String, String> {
    let mut text = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let whole = String::from_utf8_lossy(&text).to_ascii_lowercase();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| length.parse() == Ok(body.len())) {
                return Ok(String::from_utf8(text).unwrap());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(format!("the connection ended after: {whole}")),
            Ok(read) => text.extend_from_slice(&buffer[..read]),
            Err(error) => return Err(format!("{error} after: {whole}")),
        }
    }
}
