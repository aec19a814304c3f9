use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fulcio_client::ClientKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    super::common::{
        Answer, CaFiles, IdpServer, NOBODY, Process, free_port, get, post_json, program, wait_until,
    },
    program::Program,
};

/// A proxy that hangs up on whoever asks it.
struct Proxy {
    address: SocketAddr,
    lines: Receiver<String>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let line = BufReader::new(stream.unwrap()).lines().next();
                if sender.send(line.unwrap().unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { address, lines }
    }

    /// The first line that it was sent, if any; that the server asks a log for its roots when it
    /// starts does not count.
    fn asked(&self) -> Option<String> {
        let mut lines = self.lines.try_iter();
        lines.find(|line| !line.contains("/ct/v1/get-roots "))
    }
}

/// A server with an ephemeral authority, killed when it is dropped.
struct Server {
    process: Process,
    base: String,
    _folder: TempDir,
}

impl Server {
    fn start(config: &str, arguments: &[String], variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        fs::write(folder.path().join("config.yaml"), config).unwrap();
        let mut command = program(&["serve", "--ca=ephemeralca", "--metrics-port=0"]);
        command
            .args(["--host=127.0.0.1", "--grpc-host=127.0.0.2", "--grpc-port=0"])
            .arg(format!("--port={port}"))
            .arg("--config-path")
            .arg(folder.path().join("config.yaml"))
            .args(arguments)
            .envs(variables.iter().copied());
        let mut server = Self {
            process: Process::start(command),
            base: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        };
        wait_until("the server to listen", || {
            server.process.assert_running();
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert_eq!(get(&format!("{}/healthz", server.base)).status, 200);
        server
    }

    fn request(&self, token: &str, csr: &str) -> Answer {
        let request = json!({
            "credentials": {"oidcIdentityToken": token},
            "certificateSigningRequest": BASE64_STANDARD.encode(csr),
        });
        post_json(&format!("{}/api/v2/signingCert", self.base), &request)
    }

    fn printed(&self) -> String {
        self.process.printed()
    }
}

/// What a proxy that `variable` names is asked when the server is shown a token of `issuer`.
fn asked_for_issuer(variable: &str, no_proxy: &str, issuer: &str) -> Option<String> {
    let proxy = Proxy::start();
    let config = format!(
        "oidc-issuers:\n  {issuer}:\n    issuer-url: {issuer}\n    client-id: sigstore\n    \
         type: email\n"
    );
    let url = format!("http://{}", proxy.address);
    let variables = [(variable, url.as_str()), ("NO_PROXY", no_proxy)];
    let server = Server::start(&config, &["--ct-log-url=".to_owned()], &variables);
    let encoded = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let claims =
        json!({"iss": issuer, "aud": "sigstore", "exp": 4_000_000_000_u64, "iat": 1, "sub": "a"});
    let token = format!(
        "{}.{}.AAAA",
        encoded(json!({"alg": "RS256"})),
        encoded(claims)
    );
    let answer = server.request(&token, "");
    assert_eq!(answer.status, 400, "{answer:?}");
    proxy.asked()
}

#[test]
fn asks_identity_providers_through_the_proxy_of_the_environment() {
    let issuer = "http://issuer.invalid";
    for variable in ["HTTP_PROXY", "http_proxy"] {
        let line = asked_for_issuer(variable, "", issuer).expect("the proxy was not asked");
        assert!(line.contains("issuer.invalid"), "{line}");
    }
    let line = asked_for_issuer("HTTPS_PROXY", "", "https://issuer.invalid").unwrap();
    assert!(line.starts_with("CONNECT issuer.invalid:443"), "{line}");
    assert_eq!(asked_for_issuer("HTTPS_PROXY", "", issuer), None);
    assert_eq!(asked_for_issuer("HTTP_PROXY", "invalid", issuer), None);
    let here = format!("http://{NOBODY}");
    assert_eq!(asked_for_issuer("HTTP_PROXY", "", &here), None);
}

/// What a proxy that `variable` names is asked when a certificate goes to the log at `log`.
fn asked_for_log(variable: &str, no_proxy: &str, log: &str, more: &[String]) -> Option<String> {
    let (idp, ca, proxy) = (IdpServer::start(), CaFiles::create(), Proxy::start());
    let mut arguments = vec![
        format!("--ct-log-url={log}"),
        "--ct-log-timeout=1s".to_owned(),
    ];
    arguments.extend_from_slice(more);
    let url = format!("http://user:hunter2@{}", proxy.address);
    let root = ca.path("root.pem");
    let variables = [
        (variable, url.as_str()),
        ("NO_PROXY", no_proxy),
        ("RUST_LOG", "trace"),
        // An https log needs a root.
        ("SSL_CERT_FILE", root.as_str()),
    ];
    let server = Server::start(&idp.config(), &arguments, &variables);
    let csr = ClientKey::generate().unwrap();
    let csr = csr.certificate_request().unwrap();
    let answer = server.request(&idp.token("ada@example.com"), &csr);
    assert_eq!(answer.status, 503, "{answer:?}");
    let printed = server.printed();
    assert!(printed.contains("TRACE"), "nothing was traced");
    for secret in ["hunter2", &BASE64_STANDARD.encode("user:hunter2")] {
        assert!(!printed.contains(secret), "{printed}");
    }
    proxy.asked()
}

#[test]
fn reaches_the_log_through_the_proxy_of_the_environment() {
    let log = "http://log.invalid/test";
    let first = "POST http://log.invalid/test/ct/v1/add-pre-chain HTTP/1.1";
    for variable in ["HTTP_PROXY", "http_proxy"] {
        let line = asked_for_log(variable, "", log, &[]);
        assert_eq!(line.as_deref(), Some(first));
    }
    let origin = ["--ct-log-origin=log.example.com".to_owned()];
    let line = asked_for_log("HTTP_PROXY", "", log, &origin).unwrap();
    assert!(
        line.starts_with("POST http://log.example.com/test/"),
        "{line}"
    );
    let secure = "https://log.invalid/test";
    let line = asked_for_log("HTTPS_PROXY", "", secure, &[]);
    assert_eq!(line.as_deref(), Some("CONNECT log.invalid:443 HTTP/1.1"));
}

#[test]
fn reaches_the_log_directly_where_no_proxy_is_meant() {
    let log = "http://log.invalid/test";
    assert_eq!(asked_for_log("HTTPS_PROXY", "", log, &[]), None);
    assert_eq!(asked_for_log("HTTP_PROXY", "invalid", log, &[]), None);
    let here = format!("http://{NOBODY}/test");
    assert_eq!(asked_for_log("HTTP_PROXY", "", &here, &[]), None);
    // As in Fulcio, a log whose root is given is reached directly.
    let ca = CaFiles::create();
    let root = [format!("--ct-log.tls-ca-cert={}", ca.path("root.pem"))];
    assert_eq!(asked_for_log("HTTP_PROXY", "", log, &root), None);
}

#[test]
fn starts_with_no_proxy_that_it_cannot_use() {
    for proxy in ["socks5://user:hunter2@proxy.invalid", "http://hunter2@"] {
        let program = Program::new()
            .with(&["--port=0", "--ct-log-url=http://log.invalid"])
            .variable("HTTP_PROXY", proxy);
        program.ends(1, &["HTTP_PROXY"]);
        let output = program.run();
        assert!(!output.stderr.contains("hunter2"), "{output:?}");
    }
}
