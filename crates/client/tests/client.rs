//! The client against servers that answer anything.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use fulcio_client::{Client, ClientKey, Error};

/// Answers one request with `answer` as it is, and gives what was asked.
fn answering(answer: Vec<u8>) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut asked, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
            asked += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        // A client that has read enough goes away.
        drop(stream.write_all(&answer));
        asked + &String::from_utf8(body).unwrap()
    });
    (url, server)
}

fn http(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn client(url: &str) -> Client {
    Client::new(url, &[], Duration::from_secs(10))
}

/// Asks for a certificate, and tells why there is none.
fn refused(answer: Vec<u8>) -> (Error, String) {
    let (url, server) = answering(answer);
    let key = ClientKey::generate().unwrap();
    let error = client(&url).certificate("the-token", &key).unwrap_err();
    assert!(!error.is_judgement(), "{error}");
    (error, server.join().unwrap())
}

#[test]
fn tells_what_the_server_said_when_it_refused() {
    let body =
        r#"{"code":3,"message":"There was an error processing the identity token","details":[]}"#;
    let (error, asked) = refused(http("400 Bad Request", body));
    assert!(
        error.to_string().ends_with(
            "/api/v2/signingCert answered 400: There was an error processing the identity token"
        ),
        "{error}"
    );
    assert!(
        asked.starts_with("POST /api/v2/signingCert HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains(r#""oidcIdentityToken":"the-token""#),
        "{asked}"
    );
    assert!(!format!("{error:?}").contains("the-token"));

    let page = format!("<html>{}</html>", "x".repeat(1000));
    let (error, _) = refused(http("502 Bad Gateway", &page));
    let Error::Refused {
        status, message, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((status, message.len()), (502, 200));
}

#[test]
fn an_answer_without_certificates_is_an_error() {
    for body in [
        "",
        "null",
        "[]",
        r#"{"signedCertificateEmbeddedSct":{"chain":1}}"#,
    ] {
        let (error, _) = refused(http("200 OK", body));
        assert!(matches!(error, Error::Json { .. }), "{body}: {error}");
    }
    for body in [
        "{}",
        r#"{"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}}"#,
    ] {
        let (error, _) = refused(http("200 OK", body));
        assert!(matches!(error, Error::NoCertificate), "{body}: {error}");
    }
    let body = r#"{"signedCertificateDetachedSct":{"chain":{"certificates":["no PEM"]}}}"#;
    let (error, _) = refused(http("200 OK", body));
    assert!(matches!(error, Error::ChainPem(_)), "{error}");
}

#[test]
fn a_server_that_is_not_there_or_does_not_answer_is_unreachable() {
    // The port of tcpmux, which nobody runs.
    let url = "http://127.0.0.1:1";
    let error = client(url).text("/").unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with(url), "{error}");

    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let begun = Instant::now();
    let error = Client::new(&url, &[], Duration::from_millis(200))
        .text("/")
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));

    for answer in [
        &b"no HTTP at all\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ] {
        let (error, _) = refused(answer.to_vec());
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    }
}

#[test]
fn reads_only_so_much_of_an_answer() {
    let (error, _) = refused(http("200 OK", &" ".repeat(5 << 20)));
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[test]
fn openssl_accepts_the_request_and_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = ClientKey::generate().unwrap();
    fs::write(
        folder.path().join("csr.pem"),
        key.certificate_request().unwrap(),
    )
    .unwrap();
    fs::write(folder.path().join("key.pem"), &*key.to_pem().unwrap()).unwrap();
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap()
    };
    let of_request = openssl(&["req", "-in", "csr.pem", "-verify", "-noout", "-pubkey"]);
    let of_key = openssl(&["pkey", "-in", "key.pem", "-pubout"]);
    assert_eq!(of_request, of_key);
    assert!(of_key.contains("BEGIN PUBLIC KEY"), "{of_key}");
    assert_eq!(format!("{key:?}"), "ClientKey { .. }");
}

#[test]
fn a_key_that_is_printed_shows_nothing_of_it() {
    let key = ClientKey::generate().unwrap();
    assert_eq!(format!("{key:?}"), "ClientKey { .. }");
}
