use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use rustls::crypto::aws_lc_rs;
use serde_json::{Value, json};
use ureq::{Agent, tls::TlsConfig};

use crate::{TlsFiles, component, program::Service};

/// AWS KMS as moto plays it, in a process of its own that ends with the test.
#[derive(Debug)]
#[non_exhaustive]
pub struct Moto {
    /// Host and port.
    pub address: String,
    agent: Agent,
    scheme: &'static str,
    _service: Service,
}

impl Moto {
    /// The region of all its keys.
    pub const REGION: &str = "us-east-2";

    /// The folder of the Python that has moto and AWS's own client; nothing where this is a run
    /// without components.
    #[must_use]
    #[track_caller]
    pub fn programs() -> Option<PathBuf> {
        component("FULCIO_MOTO")
    }

    /// One for all tests of a file; its end is that of the process.
    #[track_caller]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Moto>> = OnceLock::new();
        SHARED
            .get_or_init(|| Some(Self::start(&Self::programs()?)))
            .as_ref()
    }

    /// Starts it by the Python in a folder.
    #[must_use]
    #[track_caller]
    pub fn start(programs: &Path) -> Self {
        Self::start_with(programs, &[], "http")
    }

    /// The same over TLS.
    #[must_use]
    #[track_caller]
    pub fn start_with_tls(programs: &Path, files: &TlsFiles) -> Self {
        let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
        Self::start_with(programs, &["--tls", &certificate, &key], "https")
    }

    #[track_caller]
    fn start_with(programs: &Path, arguments: &[&str], scheme: &'static str) -> Self {
        let mut command = Command::new(programs.join("python"));
        let service = Service::start(command.arg(SERVER).args(arguments));
        let tls = TlsConfig::builder()
            .disable_verification(true)
            .unversioned_rustls_crypto_provider(aws_lc_rs::default_provider().into())
            .build();
        Self {
            address: service.said("address"),
            agent: Agent::config_builder().tls_config(tls).build().into(),
            scheme,
            _service: service,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What AWS's own tools are told by: where it is, and a caller, of whom it wants to know nothing.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", Self::REGION.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ])
    }

    /// Does something else than sign: the action of the API, and its request.
    #[track_caller]
    pub fn ask(&self, action: &str, request: &Value) -> Value {
        // moto reads the region out of this, and verifies nothing.
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=a/20260101/{}/kms/aws4_request, SignedHeaders=host, Signature=00",
            Self::REGION
        );
        let mut answer = self
            .agent
            .post(self.url())
            .header("authorization", authorization)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{action}"))
            .send(request.to_string())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes a key, and answers with its ARN.
    #[must_use]
    #[track_caller]
    pub fn key(&self, spec: &str, usage: &str) -> String {
        let made = self.ask("CreateKey", &json!({"KeySpec": spec, "KeyUsage": usage}));
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    /// Makes a key that signs, such as `ECC_NIST_P384`, and answers with its ARN.
    #[must_use]
    #[track_caller]
    pub fn signing_key(&self, spec: &str) -> String {
        self.key(spec, "SIGN_VERIFY")
    }

    /// Lets an alias mean a key: `CreateAlias`, or `UpdateAlias` where there is one already.
    #[track_caller]
    pub fn alias(&self, action: &str, alias: &str, arn: &str) {
        let id = arn.rsplit('/').next().unwrap();
        self.ask(action, &json!({"AliasName": alias, "TargetKeyId": id}));
    }
}

const SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/components/moto/server.py"
);
