use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, OnceLock},
};

use fulcio_signer_aws_kms::AwsConfig;
use rustls::crypto::aws_lc_rs;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::{Agent, tls::TlsConfig};

use super::{REGION, config};

/// AWS KMS as moto plays it, in a process of its own that ends with the test.
pub(crate) struct Moto {
    agent: Agent,
    process: Child,
    scheme: &'static str,
    /// Host and port.
    pub(crate) address: String,
}

/// Where a component is; nothing where this is a run without components.
#[expect(
    clippy::disallowed_methods,
    reason = "the test command says where components are"
)]
pub(crate) fn component(variable: &str) -> Option<PathBuf> {
    let Some(place) = env::var_os(variable) else {
        assert!(
            env::var_os("FULCIO_TEST_COMPONENTS").is_none(),
            "{variable} is not set"
        );
        eprintln!("skipped: {variable} is not set");
        return None;
    };
    let place = PathBuf::from(place);
    assert!(
        place.exists(),
        "{variable} is {}, and nothing is there",
        place.display()
    );
    Some(place)
}

/// The folder of the Python that has moto.
pub(crate) fn bin() -> Option<PathBuf> {
    component("FULCIO_MOTO")
}

impl Moto {
    /// One for all tests of a file; its end is that of the process.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Moto>> = OnceLock::new();
        SHARED.get_or_init(|| Some(Self::start(&bin()?))).as_ref()
    }

    pub(crate) fn start(bin: &Path) -> Self {
        Self::start_with(bin, &[])
    }

    pub(crate) fn start_with_tls(bin: &Path, files: &TlsFiles) -> Self {
        let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
        Self::start_with(bin, &["--tls", &certificate, &key])
    }

    fn start_with(bin: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(bin.join("python"))
            .arg(SERVER)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let tls = TlsConfig::builder()
            .disable_verification(true)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        Self {
            agent: Agent::config_builder().tls_config(tls).build().into(),
            process,
            scheme: if arguments.is_empty() {
                "http"
            } else {
                "https"
            },
            address: said["address"].as_str().unwrap().to_owned(),
        }
    }

    /// How a signer is told of it.
    pub(crate) fn config(&self) -> AwsConfig {
        config(format!("http://{}", self.address))
    }

    /// Does something else than sign.
    #[track_caller]
    pub(crate) fn ask(&self, action: &str, request: &Value) -> Value {
        // moto reads the region out of this, and verifies nothing.
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=a/20260101/{REGION}/kms/aws4_request, SignedHeaders=host, Signature=00"
        );
        let mut answer = self
            .agent
            .post(format!("{}://{}/", self.scheme, self.address))
            .header("authorization", authorization)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{action}"))
            .send(request.to_string())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes a key, and answers with its ARN.
    #[track_caller]
    pub(crate) fn key(&self, spec: &str, usage: &str) -> String {
        let made = self.ask("CreateKey", &json!({"KeySpec": spec, "KeyUsage": usage}));
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn signing_key(&self, spec: &str) -> String {
        self.key(spec, "SIGN_VERIFY")
    }

    /// Lets an alias, which there may be already, mean a key.
    #[track_caller]
    pub(crate) fn alias(&self, action: &str, alias: &str, arn: &str) {
        let id = arn.rsplit('/').next().unwrap();
        self.ask(action, &json!({"AliasName": alias, "TargetKeyId": id}));
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// A key and a certificate for this machine, made by OpenSSL.
pub(crate) struct TlsFiles(TempDir);

impl TlsFiles {
    pub(crate) fn create() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let done = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
            .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=kms"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&files.0)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        files
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
}

const SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../tests/components/moto/server.py"
);
