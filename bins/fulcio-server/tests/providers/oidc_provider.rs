use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use fulcio_test_services::component;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    issuance::{Issuance, parts, tampered},
    login::{PERSON, log_in},
};
use crate::common::{Daemon, free_port, get, http, wait_until};

/// oidc-provider on a port, killed and waited for when it is dropped. Each start has new keys, with
/// the old names.
#[derive(Debug)]
pub(super) struct OidcProvider {
    _daemon: Daemon,
    issuer: String,
    _folder: TempDir,
}

impl OidcProvider {
    #[track_caller]
    pub(super) fn start(packages: &Path, port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        symlink(packages, folder.path().join("node_modules")).unwrap();
        let program = folder.path().join("provider.mjs");
        fs::write(&program, include_str!("provider.mjs")).unwrap();
        let mut node = Command::new("node");
        node.arg(program).arg(port.to_string());
        Self {
            _daemon: Daemon::start(&mut node, port),
            issuer: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    fn keys(&self) -> Value {
        get(&format!("{}/jwks", self.issuer)).json()["keys"].clone()
    }
}

#[test]
fn who_logs_in_at_oidc_provider_gets_a_certificate() {
    let Some(packages) = component("FULCIO_OIDC_PROVIDER") else {
        return;
    };
    let provider = OidcProvider::start(&packages, free_port());
    let issuance = Issuance::trusting(&[provider.issuer()]);
    let token = log_in(provider.issuer());
    let [header, claims] = parts(&token);
    assert_eq!(header, json!({"alg": "ES256", "kid": "signing"}));
    assert_eq!(claims["nonce"].as_str().map(str::len), Some(22), "{claims}");

    issuance.certifies(&token, PERSON, provider.issuer());
    issuance.refuses(&tampered(&token));
    Issuance::trusting(&["http://127.0.0.1:1"]).refuses(&token);
}

#[test]
fn keys_that_a_provider_replaces_stop_verifying_when_the_new_ones_are_seen() {
    let Some(packages) = component("FULCIO_OIDC_PROVIDER") else {
        return;
    };
    let port = free_port();
    let provider = OidcProvider::start(&packages, port);
    let issuance = Issuance::trusting(&[provider.issuer()]);
    let old = log_in(provider.issuer());
    issuance.certifies(&old, PERSON, provider.issuer());
    let replaced = provider.keys();
    drop(provider);
    // Keys that are known go on verifying while their provider is away.
    issuance.certifies(&old, PERSON, &format!("http://127.0.0.1:{port}"));

    let provider = OidcProvider::start(&packages, port);
    let keys = provider.keys();
    assert_eq!(keys[0]["kid"], replaced[0]["kid"]);
    assert_ne!(keys[0]["x"], replaced[0]["x"]);
    let new = log_in(provider.issuer());
    issuance.certifies(&new, PERSON, provider.issuer());
    issuance.refuses(&old);
    issuance.certifies(&new, PERSON, provider.issuer());

    // The keys are not asked for again at once, but soon: `Provider::COOL_DOWN` is 10 s.
    drop(provider);
    let provider = OidcProvider::start(&packages, port);
    let newest = log_in(provider.issuer());
    wait_until("the keys to be fetched again", || {
        (issuance.request(&newest).status == 200).then_some(())
    });
    issuance.refuses(&new);
}

#[test]
fn a_code_is_worth_nothing_without_its_verifier() {
    let Some(packages) = component("FULCIO_OIDC_PROVIDER") else {
        return;
    };
    let provider = OidcProvider::start(&packages, free_port());
    let url = format!(
        "{}/auth?client_id=sigstore&response_type=code&scope=openid+email\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback",
        provider.issuer()
    );
    let answer = http("GET", &url, &[], None);
    let location = answer.header("location").unwrap();
    assert!(location.contains("error=invalid_request"), "{location}");
    assert!(location.contains("PKCE"), "{location}");
}
