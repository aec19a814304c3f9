//! Where the SDK finds credentials, in processes that each have an environment of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;
use std::{
    env, fs,
    process::{Command, Output, Stdio},
};

use fulcio_signer::Signer as _;
use fulcio_signer_aws_kms::{AwsConfig, Credentials};
use kms::{FakeKms, Reply, causes, config, open};
use serde_json::json;
use tempfile::TempDir;

/// What the processes below do: with an argument that is an address, ask there as this crate is
/// told to and not as the environment says.
#[tokio::test]
#[ignore = "is run by the other tests of this file"]
#[expect(
    clippy::disallowed_methods,
    reason = "it is told by its environment what to do"
)]
async fn signs_as_the_environment_says() {
    let settings = match env::var("SAID") {
        Ok(address) => {
            let mut said = config(address);
            said.region = env::var("SAID_REGION").ok();
            said
        }
        Err(_unset) => {
            let mut chain = AwsConfig::new(Credentials::Chain);
            chain.endpoint = env::var("ENDPOINT").ok();
            chain.open_timeout = Duration::from_secs(2);
            chain
        }
    };
    match open("awskms:///alias/fulcio", &settings).await {
        Ok(signer) => drop(signer.sign(b"message").await.unwrap()),
        Err(error) => panic!("{}", causes(&error)),
    }
}

/// A process without any environment but this, and with files in `~/.aws`.
fn run(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Output {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    for (name, text) in files {
        fs::write(home.path().join(".aws").join(name), text).unwrap();
    }
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "signs_as_the_environment_says"])
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn signed_as(kms: &FakeKms, id: &str, done: &Output) {
    let output = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && output.contains("1 passed"),
        "{output}"
    );
    let seen = kms.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        let signed = seen.headers["authorization"].to_str().unwrap();
        assert!(signed.contains(&format!("Credential={id}/")), "{signed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_says_how_to_give_some() {
    let kms = FakeKms::start().await;
    let done = run(
        &[("ENDPOINT", &kms.address), ("AWS_REGION", "us-east-2")],
        &[],
    );
    let output = String::from_utf8_lossy(&done.stdout);
    assert!(!done.status.success());
    assert!(
        output.contains("there are no credentials for AWS"),
        "{output}"
    );
    assert!(output.contains("AWS_ACCESS_KEY_ID"), "{output}");
    assert_eq!(kms.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_region_it_says_how_to_give_one() {
    for address in ["ENDPOINT", "SAID"] {
        let done = run(&[(address, "http://127.0.0.1:1")], &[]);
        let output = String::from_utf8_lossy(&done.stdout);
        assert!(output.contains("set AWS_REGION"), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_credentials_in_the_environment() {
    let kms = FakeKms::start().await;
    let variables = [
        ("ENDPOINT", kms.address.as_str()),
        ("AWS_REGION", "us-east-2"),
        ("AWS_ACCESS_KEY_ID", "OFTHEENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    signed_as(&kms, "OFTHEENVIRONMENT", &run(&variables, &[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_credentials_and_region_in_the_files_of_a_profile() {
    let kms = FakeKms::start().await;
    let variables = [("ENDPOINT", kms.address.as_str()), ("AWS_PROFILE", "ca")];
    let files = [
        ("config", "[profile ca]\nregion = us-east-2\n"),
        (
            "credentials",
            "[ca]\naws_access_key_id = OFTHEPROFILE\naws_secret_access_key = secret\n",
        ),
    ];
    signed_as(&kms, "OFTHEPROFILE", &run(&variables, &files));
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_a_process_for_credentials() {
    let kms = FakeKms::start().await;
    let variables = [
        ("ENDPOINT", kms.address.as_str()),
        ("PATH", "/usr/bin:/bin"),
    ];
    let said = r#"{"Version":1,"AccessKeyId":"OFTHEPROCESS","SecretAccessKey":"secret"}"#;
    let config = format!("[default]\nregion = us-east-2\ncredential_process = echo '{said}'\n");
    signed_as(
        &kms,
        "OFTHEPROCESS",
        &run(&variables, &[("config", &config)]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_the_container_for_credentials() {
    let kms = FakeKms::start().await;
    let credentials = json!({
        "AccessKeyId": "OFTHECONTAINER", "SecretAccessKey": "secret", "Token": "token",
        "Expiration": "2099-01-01T00:00:00Z",
    });
    // The first request does not get through.
    kms.then([Reply::error(500, "", ""), Reply::body(credentials)]);
    let uri = format!("{}/credentials", kms.address);
    let variables = [
        ("ENDPOINT", kms.address.as_str()),
        ("AWS_REGION", "us-east-2"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-pod"),
    ];
    let done = run(&variables, &[]);
    let output = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{output}");
    let seen = kms.seen();
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[1].headers["authorization"], "of-the-pod");
    let signed = seen[3].headers["authorization"].to_str().unwrap();
    assert!(signed.contains("Credential=OFTHECONTAINER/"), "{signed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn says_that_credentials_could_not_be_had_and_not_what_came_instead() {
    let kms = FakeKms::start().await;
    let variables = [
        ("ENDPOINT", kms.address.as_str()),
        ("PATH", "/usr/bin:/bin"),
    ];
    for process in [
        "echo 'not JSON hidden-secret'",
        "sh -c 'echo hidden-secret; exit 1'",
    ] {
        let config = format!("[default]\nregion = us-east-2\ncredential_process = {process}\n");
        let done = run(&variables, &[("config", &config)]);
        let output = String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success());
        let told = output.contains("the credentials for AWS could not be had");
        assert!(told && !output.contains("hidden-secret"), "{output}");
    }
    assert_eq!(kms.seen().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_access_key_nothing_else_is_read() {
    let kms = FakeKms::start().await;
    let variables = [
        ("SAID", kms.address.as_str()),
        ("SAID_REGION", "us-east-2"),
        ("AWS_ACCESS_KEY_ID", "OFTHEENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1"),
        ("AWS_REGION", "nowhere-1"),
        ("AWS_PROFILE", "none"),
    ];
    signed_as(
        &kms,
        "AKIDEXAMPLE",
        &run(&variables, &[("config", "[garbage\n")]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_access_key_the_region_may_be_that_of_the_profile() {
    let kms = FakeKms::start().await;
    let variables = [("SAID", kms.address.as_str())];
    let files = [("config", "[default]\nregion = eu-west-1\n")];
    let done = run(&variables, &files);
    assert!(done.status.success());
    let seen = kms.seen();
    let signed = seen[1].headers["authorization"].to_str().unwrap();
    assert!(signed.contains("/eu-west-1/kms/"), "{signed}");
}
