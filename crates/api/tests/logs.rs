//! What gets into the log.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    io,
    sync::{Arc, Mutex},
};

use support::{FakeBackend, Fixture};
use tracing::Level;

/// A log that is kept in memory.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_token_in_the_wrong_place_is_not_logged() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let fixture = Fixture::new(FakeBackend::issuing());
    for body in [
        r#"{"credentials":"a.secret.token"}"#,
        r#"{"certificateSigningRequest":"a.secret.token"}"#,
        r#"{"a.secret.token":1,"credentials":[]}"#,
    ] {
        for path in ["/api/v1/signingCert", "/api/v2/signingCert"] {
            fixture.post(path, body).await;
        }
    }
    let reply = fixture
        .post("/api/v2/signingCert", r#"{"credentials":"a.secret.token"}"#)
        .await;
    assert!(reply.body.contains("a.secret.token"), "{}", reply.body);

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("not the message"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}
