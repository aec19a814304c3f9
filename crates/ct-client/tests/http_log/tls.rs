use std::{
    fs,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use fulcio_ct_client::{Error, Failure, HttpLog, HttpLogConfig};
use fulcio_testkit::log::FakeLog;
use pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs},
};

use crate::{AMPLE, config, promise, server::Server, submit};

/// A certificate for 127.0.0.1 that is its own root, and a server that has it.
pub(crate) fn identity() -> (CertificateDer<'static>, TlsAcceptor) {
    let folder = tempfile::tempdir().unwrap();
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=log \
                 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
                 -days 2 -keyout key.pem -out certificate.pem";
    let output = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(&folder)
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let certificate = CertificateDer::from_pem_slice(&read("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    (certificate, TlsAcceptor::from(Arc::new(tls)))
}

/// A log behind TLS, and the root that it is under.
pub(crate) async fn secure(log: &FakeLog) -> (Server, CertificateDer<'static>) {
    let (certificate, acceptor) = identity();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (
        Server::secure(listener, Some(acceptor), [promise(log)]),
        certificate,
    )
}

fn log_at(server: &Server, fake: &FakeLog, root: CertificateDer<'static>) -> HttpLog {
    let url = server.url().replace("http:", "https:");
    HttpLog::new(&HttpLogConfig {
        roots: vec![root],
        ..config(url, fake, AMPLE)
    })
    .unwrap()
}

#[tokio::test]
async fn trusts_the_roots_that_it_was_given() {
    let fake = FakeLog::new();
    let (server, root) = secure(&fake).await;
    submit(&log_at(&server, &fake, root)).await.unwrap();
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn refuses_a_log_under_another_root_at_once() {
    let fake = FakeLog::new();
    let (server, _its_root) = secure(&fake).await;
    let (another_root, _acceptor) = identity();
    let begin = Instant::now();
    let error = submit(&log_at(&server, &fake, another_root))
        .await
        .unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
    assert_eq!(error.failure(), Failure::Refused);
    assert_eq!(server.requests(), 0);
}
