use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use bytes::Bytes;
use fulcio_api::proto::{health::HealthCheckResponse, v2::SigningCertificate};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::Code;

use super::{
    super::common::{get, grpc},
    signing::SIGNING,
    transport::{sign, start},
};

#[test]
fn knows_its_grpc_services_and_methods() {
    let server = start(&[]);
    for (path, message) in [
        (
            "/dev.sigstore.fulcio.v2.CA/Nope",
            "unknown method Nope for service dev.sigstore.fulcio.v2.CA",
        ),
        (
            "/dev.sigstore.fulcio.v2.C/GetTrustBundle",
            "unknown service dev.sigstore.fulcio.v2.C",
        ),
        (
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "unknown service grpc.reflection.v1.ServerReflection",
        ),
    ] {
        let status = grpc::<(), ()>(server.grpc(), path, &[], ()).unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert_eq!(status.message(), message, "{path}");
    }
}

#[test]
fn refuses_grpc_messages_that_cannot_be_read() {
    let server = start(&[]);
    // Its first field is a number, where the credentials are a message.
    let other = HealthCheckResponse { status: 1 };
    let status = grpc::<_, SigningCertificate>(server.grpc(), SIGNING, &[], other).unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    assert!(!status.message().is_empty());

    for (what, frame) in [
        ("a part of a head", &b"\0\0\0"[..]),
        ("a part of a message", b"\0\0\0\0\x64abc"),
        ("compressed in no known way", b"\x01\0\0\0\x02ab"),
        ("no kind of frame", b"\x07\0\0\0\x02ab"),
        ("nothing", b""),
    ] {
        let code = raw_grpc(server.grpc(), frame);
        assert!(code != 0, "{what}");
        assert!(
            [Code::Internal, Code::Unimplemented].contains(&Code::from_i32(code)),
            "{what}: {code}"
        );
    }
    let status = sign(&server, 1).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

/// Sends a body as it is to the signing method, and returns the status that comes back.
fn raw_grpc(address: SocketAddr, body: &'static [u8]) -> i32 {
    let request = http::Request::post(format!("http://{address}{SIGNING}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(Bytes::from_static(body)))
        .unwrap();
    let answer = async {
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http();
        let response = client.request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        let trailers = body
            .collect()
            .await
            .unwrap()
            .trailers()
            .cloned()
            .unwrap_or_default();
        let code = parts
            .headers
            .get("grpc-status")
            .or(trailers.get("grpc-status"))
            .cloned();
        code.unwrap().to_str().unwrap().parse().unwrap()
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(answer)
}

const UNEXPECTED_END: &str = r#"{"code":3,"message":"unexpected EOF","details":[]}"#;

#[test]
fn lets_go_of_clients_that_break_off() {
    let server = start(&[]);
    let head = "POST /api/v2/signingCert HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n";
    let answer = raw(server.http(), format!("{head}{{\"cre").as_bytes(), true);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with(UNEXPECTED_END), "{answer}");
    let chunked = "POST /api/v2/signingCert HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"c";
    let answer = raw(server.http(), chunked.as_bytes(), true);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with(UNEXPECTED_END), "{answer}");
    let answer = raw(server.http(), b"\x16\x03\x01 this is TLS\r\n\r\n", false);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    drop(TcpStream::connect(server.http()).unwrap());
    assert_eq!(get(&server.url("/healthz")).status, 200);
    assert_eq!(server.terminate().status.code(), Some(0));
}

#[test]
fn does_not_wait_for_clients_that_are_slow() {
    let server = start(&["--idle-connection-timeout=1s"]);
    let begun = Instant::now();
    let answer = raw(
        server.http(),
        b"POST /api/v2/signingCert HTTP/1.1\r\nHost:",
        false,
    );
    let took = begun.elapsed();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
        "{answer}"
    );
    assert!((1..4).contains(&took.as_secs()), "{took:?}");

    // A body has ten seconds.
    let begun = Instant::now();
    let head = "POST /api/v2/signingCert HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    let answer = raw(server.http(), head.as_bytes(), false);
    let took = begun.elapsed();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with(UNEXPECTED_END), "{answer}");
    assert!((9..15).contains(&took.as_secs()), "{took:?}");
}

/// Sends bytes, says that there are no more if `end`, and reads until the server hangs up.
pub(super) fn raw(address: SocketAddr, bytes: &[u8], end: bool) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    if end {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}
