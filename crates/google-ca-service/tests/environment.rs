//! Application Default Credentials, which Google's library finds in its environment. Each test has a
//! process with an environment of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use core::time::Duration;
use std::{
    env, fs,
    process::{Command, Output, Stdio},
};

use common::{issue, pool, try_open};
use fulcio_google_ca_service::{Credentials, GoogleConfig};
use fulcio_test_services::{
    ca_service::CaService,
    causes,
    gcp_kms::{GcpKms, TOKEN},
};
use serde_json::json;
use tempfile::TempDir;

/// What the processes below do.
#[tokio::test]
#[ignore = "is run by the other tests of this file"]
#[expect(
    clippy::disallowed_methods,
    reason = "it is told by its environment what to do"
)]
async fn issues_as_the_environment_says() {
    let mut config = GoogleConfig::new(Credentials::ApplicationDefault);
    config.endpoint = env::var("ENDPOINT").ok();
    config.open_timeout = Duration::from_secs(3);
    match try_open(&config, None).await {
        Ok(service) => drop(issue(&service).await.unwrap()),
        Err(error) => panic!("{} {error:?}", causes(&error)),
    }
}

/// A process without any environment but this.
fn run(pool: &CaService, home: &TempDir, variables: &[(&str, &str)]) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "issues_as_the_environment_says"])
        .env_clear()
        .env("ENDPOINT", &pool.address)
        .env("HOME", home.path())
        // Nowhere, and not wherever this machine is.
        .env("GCE_METADATA_HOST", "127.0.0.1:1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_sent_with_the_token() {
    let pool = pool().await;
    // It gives tokens away.
    let google = GcpKms::start().await;
    let home = TempDir::new().unwrap();
    let file = home.path().join("file");
    let user = json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "secret",
        "refresh_token": "secret", "token_uri": format!("{}/token", google.address),
    });
    fs::write(&file, user.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let done = run(&pool, &home, &[("GOOGLE_APPLICATION_CREDENTIALS", file)]);
    let output = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && output.contains("1 passed"),
        "{output}"
    );
    let expected = Some(format!("Bearer {TOKEN}"));
    let seen = pool.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.authorization == expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_nothing_is_asked() {
    let pool = pool().await;
    let home = TempDir::new().unwrap();
    for (variables, expected) in [
        (&[][..], "the credentials for Google could not be had"),
        (
            &[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")][..],
            "there are no credentials for Google that can be used: set",
        ),
    ] {
        let done = run(&pool, &home, variables);
        let output = String::from_utf8_lossy(&done.stdout);
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success());
        assert!(
            output.contains(expected) || error.contains(expected),
            "{output}{error}"
        );
        assert!(pool.seen().is_empty());
    }
}
