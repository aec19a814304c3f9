use std::{net::SocketAddr, process::Stdio};

use super::{
    super::common::{CaFiles, GrpcAnswer, Process, Server, grpc},
    program::Program,
};

/// The lines with which OpenSSL tells of the protocol and the cipher, of a server at `address`.
fn handshake(address: SocketAddr, arguments: &[&str]) -> String {
    let output = std::process::Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string(), "-brief"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The flags of both ports, with the same files.
fn flags(files: &CaFiles) -> Vec<String> {
    files.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=localhost \
         -keyout tls.key.pem -out tls.pem",
    );
    let [certificate, key] = ["tls.pem", "tls.key.pem"].map(|name| files.path(name));
    let mut flags = vec!["--ca=ephemeralca".to_owned(), "--ct-log-url=".to_owned()];
    flags.push("--public-good-issuers".to_owned());
    for port in ["http", "grpc"] {
        flags.push(format!("--{port}-tls-certificate={certificate}"));
        flags.push(format!("--{port}-tls-key={key}"));
    }
    flags
}

#[test]
fn one_of_certificate_and_key_asks_for_the_other() {
    for port in ["http", "grpc"] {
        for (given, missing) in [("certificate", "key"), ("key", "certificate")] {
            let flag = format!("--{port}-tls-{given}=/nowhere");
            let missing =
                format!("--{port}-tls-{missing} must be set when using --{port}-tls-{given}");
            Program::new()
                .with(&["--port=0", &flag])
                .ends(2, &[&missing]);
        }
        let [certificate, key] =
            ["certificate", "key"].map(|what| format!("--{port}-tls-{what}=/nowhere"));
        Program::new()
            .with(&["--port=0", &certificate, &key])
            .ends(1, &[&format!("--{port}-tls-certificate"), "/nowhere"]);
    }
}

#[test]
fn knows_versions_and_cipher_suites() {
    for (flag, part) in [
        ("--tls-min-version=1.1", "1.3"),
        (
            "--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA",
            "TLS_AES_128_GCM_SHA256",
        ),
    ] {
        let output = Program::new().with(&["--port=0", flag]).run();
        assert_eq!(output.status.unwrap().code(), Some(2), "{output:?}");
        assert!(output.stderr.contains(part), "{output:?}");
    }
}

#[test]
fn both_ports_speak_tls() {
    let files = CaFiles::create();
    let flags = flags(&files);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let server = Started::new(&flags);
    for address in [server.http, server.grpc] {
        let told = handshake(address, &["-tls1_3"]);
        assert!(told.contains("TLSv1.3"), "{told}");
        let told = handshake(address, &["-tls1_2"]);
        assert!(!told.contains("Protocol version: TLSv1.2"), "{told}");
    }
    drop(server);

    let suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    let suites = format!("--tls-cipher-suites={suite}");
    let server = Started::new(&[&flags[..], &["--tls-min-version=1.2", &suites]].concat());
    let told = handshake(server.http, &["-tls1_2"]);
    assert!(told.contains("ECDHE-ECDSA-AES256-GCM-SHA384"), "{told}");
}

#[test]
fn tells_of_services_only_when_asked() {
    let flags = ["--ca=ephemeralca", "--ct-log-url=", "--public-good-issuers"];
    let ask = |server: &Server| -> tonic::Code {
        let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        let answer: GrpcAnswer<()> = grpc(server.grpc(), path, &[], ());
        answer.map_or_else(|status| status.code(), |()| tonic::Code::Ok)
    };
    let off = Server::start(&flags);
    assert_eq!(ask(&off), tonic::Code::Unimplemented);
    let on = Server::start(&[&flags[..], &["--grpc-reflection"]].concat());
    assert_ne!(ask(&on), tonic::Code::Unimplemented);
}

/// A server that is not asked over HTTP before it is used.
struct Started {
    _process: Process,
    http: SocketAddr,
    grpc: SocketAddr,
}

impl Started {
    fn new(flags: &[&str]) -> Self {
        use super::super::common::{free_port, program, wait_until};
        let [http, grpc] =
            [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut command = program(&[
            "serve",
            "--host=127.0.0.1",
            "--grpc-host=127.0.0.1",
            "--metrics-port=0",
        ]);
        command
            .args([
                format!("--port={}", http.port()),
                format!("--grpc-port={}", grpc.port()),
            ])
            .args(flags);
        let started = Self {
            _process: Process::start(command),
            http,
            grpc,
        };
        for address in [http, grpc] {
            wait_until("the server to listen", || {
                std::net::TcpStream::connect(address).ok()
            });
        }
        started
    }
}
