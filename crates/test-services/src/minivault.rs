use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{component, program::Service};

/// Vault, in a process of its own that ends with the test.
#[derive(Debug)]
#[non_exhaustive]
pub struct Minivault {
    /// Host and port.
    pub address: String,
    /// A token that may do everything.
    pub root_token: String,
    /// What opens it after a [`seal`](Self::seal), and after a start with the data of another.
    pub unseal_key: String,
    _service: Service,
}

/// Where Vault is; nothing where this is a run without components.
#[must_use]
#[track_caller]
pub fn minivault() -> Option<PathBuf> {
    component("FULCIO_MINIVAULT")
}

impl Minivault {
    /// Starts it with everything in memory, and a transit engine at `transit`.
    #[must_use]
    #[track_caller]
    pub fn start(program: &Path) -> Self {
        Self::start_with(program, &[])
    }

    /// The same with more arguments, which `tests/components/minivault` explains.
    #[must_use]
    #[track_caller]
    pub fn start_with(program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        let service = Service::start(command.arg("-until-stdin-ends").args(arguments));
        Self {
            address: service.said("address"),
            root_token: service.said("root_token"),
            unseal_key: service.said("unseal_key"),
            _service: service,
        }
    }

    /// Where it is, unless it was started with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What its own tools are told by: where it is, and the token that may do everything.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        let token = self.root_token.clone();
        BTreeMap::from([("VAULT_ADDR", self.url()), ("VAULT_TOKEN", token)])
    }

    /// Asks as root for something that must not fail.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = ureq::post(format!("{}/v1/{path}", self.url()))
            .header("X-Vault-Token", &self.root_token)
            .send(body.to_string())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Deletes as root what must be there.
    #[track_caller]
    pub fn delete(&self, path: &str) {
        ureq::delete(format!("{}/v1/{path}", self.url()))
            .header("X-Vault-Token", &self.root_token)
            .call()
            .unwrap();
    }

    /// Makes a key in the transit engine.
    #[track_caller]
    pub fn key(&self, name: &str, kind: &str) {
        self.post(&format!("transit/keys/{name}"), &json!({"type": kind}));
    }

    /// Makes a new version of a key.
    #[track_caller]
    pub fn rotate(&self, name: &str) {
        self.post(&format!("transit/keys/{name}/rotate"), &json!({}));
    }

    /// A token that may do what the policy says, and nothing more.
    #[must_use]
    #[track_caller]
    pub fn token(&self, name: &str, policy: &str) -> String {
        self.post(
            &format!("sys/policies/acl/{name}"),
            &json!({"policy": policy}),
        );
        let request = json!({"policies": [name], "no_default_policy": true, "ttl": "1h"});
        let made = self.post("auth/token/create", &request);
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Ends a token.
    #[track_caller]
    pub fn revoke(&self, token: &str) {
        self.post("auth/token/revoke", &json!({"token": token}));
    }

    /// Closes it: it answers, and does nothing.
    #[track_caller]
    pub fn seal(&self) {
        self.post("sys/seal", &json!({}));
    }

    /// Opens it again, and waits until it works.
    #[track_caller]
    pub fn unseal(&self) {
        let answer = self.post("sys/unseal", &json!({"key": self.unseal_key}));
        assert_eq!(answer["sealed"], json!(false));
        let begun = Instant::now();
        while ureq::get(format!("{}/v1/sys/health", self.url()))
            .call()
            .is_err()
        {
            assert!(begun.elapsed() < PATIENCE, "Vault is not active again");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// How long a Vault may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
