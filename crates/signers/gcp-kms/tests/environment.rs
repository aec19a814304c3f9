//! What the SDK reads in its environment: credentials, what is trusted, a proxy. Each test has a
//! process with an environment of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod kms;

use core::time::Duration;
use std::{
    env, fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use fulcio_signer::Signer as _;
use fulcio_signer_gcp_kms::{Credentials, GcpKmsConfig};
use fulcio_test_services::{
    TlsFiles, causes,
    gcp_kms::{GcpKms, Reply, TOKEN},
    openssl,
};
use kms::open;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the processes below do.
#[tokio::test]
#[ignore = "is run by the other tests of this file"]
#[expect(
    clippy::disallowed_methods,
    reason = "it is told by its environment what to do"
)]
async fn signs_as_the_environment_says() {
    let mut settings = GcpKmsConfig::new(Credentials::ApplicationDefault);
    settings.endpoint = env::var("ENDPOINT").ok();
    settings.open_timeout = Duration::from_secs(3);
    match open(&env::var("KEY").unwrap(), &settings).await {
        Ok(signer) => drop(signer.sign(b"message").await.unwrap()),
        Err(error) => panic!("{} {error:?}", causes(&error)),
    }
}

/// Google Cloud KMS, and a folder for files with credentials.
struct Setting {
    folder: TempDir,
    kms: GcpKms,
    key: String,
}

impl Setting {
    async fn new() -> Self {
        Self::with(GcpKms::start().await)
    }

    fn with(kms: GcpKms) -> Self {
        let key = kms.signing_key("ca", "EC_SIGN_P256_SHA256");
        Self {
            folder: TempDir::new().unwrap(),
            key: format!("{key}/cryptoKeyVersions/1"),
            kms,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: impl ToString) -> String {
        let path = self.path(name);
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, text.to_string()).unwrap();
        path
    }

    fn host(&self) -> &str {
        self.kms.address.split_once("://").unwrap().1
    }

    /// A process without any environment but this.
    fn run(&self, variables: &[(&str, &str)]) -> Output {
        Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "signs_as_the_environment_says"])
            .env_clear()
            .env("ENDPOINT", &self.kms.address)
            .env("KEY", &self.key)
            .env("HOME", self.folder.path())
            // Nowhere, and not wherever this machine is.
            .env("GCE_METADATA_HOST", "127.0.0.1:1")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What the two requests for the key were sent with.
    #[track_caller]
    fn signed(&self, variables: &[(&str, &str)]) -> [Value; 2] {
        let done = self.run(variables);
        let output = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success() && output.contains("1 passed"),
            "{output}"
        );
        let seen: Vec<_> = self
            .kms
            .seen()
            .into_iter()
            .filter(|seen| seen.path.contains("/cryptoKeys/"))
            .collect();
        assert_eq!(seen.len(), 2);
        let header = |name: &str| {
            let values: Vec<_> = seen.iter().map(|seen| seen.headers.get(name)).collect();
            assert_eq!(values[0], values[1]);
            values[0].map_or(Value::Null, |value| json!(value.to_str().unwrap()))
        };
        [header("authorization"), header("x-goog-user-project")]
    }

    /// What a process says that does not succeed.
    #[track_caller]
    fn refused(&self, variables: &[(&str, &str)]) -> String {
        let done = self.run(variables);
        assert!(!done.status.success());
        let seen = self.kms.seen();
        assert!(seen.iter().all(|seen| !seen.path.contains("/cryptoKeys/")));
        String::from_utf8(done.stdout).unwrap()
    }

    fn user(&self) -> Value {
        json!({
            "type": "authorized_user", "client_id": "id", "client_secret": SECRET,
            "refresh_token": SECRET, "token_uri": format!("{}/token", self.kms.address),
        })
    }
}

const FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const SECRET: &str = "a-secret-that-nobody-may-see";

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_speaks_for_itself() {
    let setting = Setting::new().await;
    openssl(
        setting.folder.path(),
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
    );
    let file = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "1",
        "private_key": fs::read_to_string(setting.path("key.pem")).unwrap(),
        "client_email": "ca@p.iam.gserviceaccount.com", "client_id": "1",
        "token_uri": "http://127.0.0.1:1/token", "universe_domain": "googleapis.com",
    });
    let file = setting.write("account.json", file);
    let [authorization, project] = setting.signed(&[(FILE, &file)]);
    let authorization = authorization.as_str().unwrap();
    // A JWT, for which nobody was asked.
    assert!(authorization.starts_with("Bearer ey"), "{authorization}");
    assert_eq!(project, Value::Null);

    let [_authorization, project] =
        setting.signed(&[(FILE, &file), ("GOOGLE_CLOUD_QUOTA_PROJECT", "payer")]);
    assert_eq!(project, "payer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_found_where_gcloud_writes_it() {
    let setting = Setting::new().await;
    let mut user = setting.user();
    user["quota_project_id"] = json!("payer");
    setting.write(".config/gcloud/application_default_credentials.json", user);
    let [authorization, project] = setting.signed(&[]);
    assert_eq!(authorization, format!("Bearer {TOKEN}"));
    assert_eq!(project, "payer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_service_is_asked_where_there_is_no_file() {
    let setting = Setting::new().await;
    let [authorization, _project] = setting.signed(&[("GCE_METADATA_HOST", setting.host())]);
    assert_eq!(authorization, format!("Bearer {TOKEN}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_says_how_to_give_some() {
    let setting = Setting::new().await;
    let output = setting.refused(&[]);
    assert!(
        output.contains("credentials for Google Cloud could not be had"),
        "{output}"
    );
    assert!(
        output.contains("set GOOGLE_APPLICATION_CREDENTIALS"),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn says_which_file_is_none_with_credentials_and_not_what_is_in_it() {
    let setting = Setting::new().await;
    let missing = setting.path("missing.json");
    let output = setting.refused(&[(FILE, &missing)]);
    assert!(output.contains(&missing), "{output}");
    for text in [
        String::new(),
        SECRET.to_owned(),
        format!("{SECRET:?}"),
        json!([SECRET]).to_string(),
        json!({"private_key": SECRET}).to_string(),
        json!({"type": "service_account", "private_key": SECRET}).to_string(),
        json!({"type": "service_account", "private_key": {"key": SECRET}}).to_string(),
        json!({
            "type": "service_account", "project_id": "p", "private_key_id": "1",
            "private_key": SECRET, "client_email": "ca@p.iam.gserviceaccount.com",
        })
        .to_string(),
    ] {
        let file = setting.write("file.json", &text);
        let output = setting.refused(&[(FILE, &file)]);
        let told = output.contains("check the file that GOOGLE_APPLICATION_CREDENTIALS names");
        assert!(told && !output.contains(SECRET), "{text}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_that_the_credentials_were_refused_and_does_not_repeat_them() {
    let setting = Setting::new().await;
    let file = setting.write("user.json", setting.user());
    let refused = json!({"error": "invalid_grant", "error_description": "expired or revoked"});
    setting.kms.then([Reply::say(400, refused)]);
    let output = setting.refused(&[(FILE, &file)]);
    assert!(output.contains("cannot be used"), "{output}");
    assert!(output.contains("expired or revoked"), "{output}");
    assert!(!output.contains(SECRET), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_shows_the_token() {
    let setting = Setting::new().await;
    let file = setting.write("user.json", setting.user());
    for reply in [
        Reply::error(401, "UNAUTHENTICATED", "bad token"),
        Reply::error(403, "PERMISSION_DENIED", "no"),
        Reply::body("garbage"),
        Reply::body("{}"),
    ] {
        setting
            .kms
            .then([Reply::With("expires_in", json!(3600)), reply]);
        let done = setting.run(&[(FILE, &file)]);
        assert!(!done.status.success());
        let output = String::from_utf8_lossy(&done.stdout);
        assert!(
            !output.contains(TOKEN) && !output.contains(SECRET),
            "{output}"
        );
        let seen = setting.kms.seen();
        assert_eq!(seen[1].headers["authorization"], format!("Bearer {TOKEN}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trusts_what_ssl_cert_file_names() {
    let (files, others) = (TlsFiles::create(), TlsFiles::create());
    let setting = Setting::with(GcpKms::start_with_tls(&files).await);
    let metadata = GcpKms::start().await;
    let host = metadata.address.strip_prefix("http://").unwrap();
    let from = ("GCE_METADATA_HOST", host);
    let [authorization, _project] =
        setting.signed(&[from, ("SSL_CERT_FILE", &files.path("cert.pem"))]);
    assert_eq!(authorization, format!("Bearer {TOKEN}"));

    let output = setting.refused(&[from, ("SSL_CERT_FILE", &others.path("cert.pem"))]);
    assert!(output.contains("is not accepted"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn says_that_there_is_nothing_to_trust() {
    let setting = Setting::new().await;
    let nothing = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    let user = setting.write("user.json", setting.user());
    for file in [None, Some((FILE, user.as_str()))] {
        let output = setting.refused(&Vec::from_iter(nothing.into_iter().chain(file)));
        assert!(output.contains("could not be set up"), "{output}");
        assert!(output.contains("No CA certificates"), "{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_through_the_proxy_that_the_environment_names() {
    let setting = Setting::new().await;
    let user = setting.write("user.json", setting.user());
    let [authorization, _project] = setting.signed(&[
        (FILE, &user),
        ("ENDPOINT", "http://kms.invalid"),
        ("HTTP_PROXY", &setting.kms.address),
        ("NO_PROXY", "127.0.0.1"),
    ]);
    assert_eq!(authorization, format!("Bearer {TOKEN}"));
}
