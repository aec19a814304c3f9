//! Where credentials are found, in processes that each have an environment of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod vault;

use core::time::Duration;
use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output, Stdio},
};

use fulcio_signer::Signer as _;
use fulcio_signer_azure_keyvault::{AzureConfig, AzureKeyVaultSigner, Credentials};
use fulcio_test_services::{
    azure_key_vault::{AzureKeyVault, KeyKind, Reply},
    causes,
};
use pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::json;
use tempfile::TempDir;

/// What the processes below do.
#[tokio::test]
#[ignore = "is run by the other tests of this file"]
#[expect(
    clippy::disallowed_methods,
    reason = "it is told by its environment what to do"
)]
async fn signs_as_the_environment_says() {
    let variable = |name: &str| env::var(name).ok();
    let root = CertificateDer::from_pem_file(variable("SSL_CERT_FILE").unwrap()).unwrap();
    let mut config = match AzureConfig::from_variables(variable, vec![root]) {
        Ok(config) => config,
        Err(error) => panic!("{}", causes(&error)),
    };
    if variable("CHAIN").is_some() {
        config.credentials = Credentials::Chain { client: None };
    }
    config.open_timeout = Duration::from_secs(5);
    let reference = variable("KEY").unwrap().parse().unwrap();
    match AzureKeyVaultSigner::open(&reference, &config).await {
        Ok(signer) => drop(signer.sign(b"message").await.unwrap()),
        Err(error) => panic!("{}", causes(&error)),
    }
}

fn vault() -> AzureKeyVault {
    let vault = AzureKeyVault::start();
    vault.create_key("fulcio", KeyKind::P256);
    vault
}

/// A process without any environment but this.
fn run(vault: &AzureKeyVault, variables: BTreeMap<&str, String>, more: &[(&str, &str)]) -> Output {
    Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "signs_as_the_environment_says"])
        .env_clear()
        .env("KEY", format!("azurekms://{}/fulcio", vault.address()))
        .env("HOME", "/nonexistent")
        .env("PATH", "/nonexistent")
        .envs(variables)
        .envs(more.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn signed(done: &Output) {
    let output = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && output.contains("1 passed"),
        "{output}"
    );
}

#[track_caller]
fn failed(done: &Output) -> String {
    assert!(!done.status.success());
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn finds_an_application_in_the_environment() {
    let vault = vault();
    signed(&run(&vault, vault.variables(), &[]));
}

#[test]
fn finds_a_service_account_in_the_environment() {
    let vault = vault();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, AzureKeyVault::ASSERTION).unwrap();
    let mut variables = vault.variables();
    variables.remove("AZURE_CLIENT_SECRET");
    variables.insert(
        "AZURE_FEDERATED_TOKEN_FILE",
        file.to_str().unwrap().to_owned(),
    );
    signed(&run(&vault, variables, &[]));
}

#[test]
fn finds_the_managed_identity_that_the_environment_tells_of() {
    let vault = vault();
    signed(&run(&vault, vault.identity_variables(), &[]));
    let seen = vault.seen_for_tokens();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].path.contains("client_id"), "{}", seen[0].path);

    let of_a_user = [("AZURE_CLIENT_ID", AzureKeyVault::CLIENT)];
    signed(&run(&vault, vault.identity_variables(), &of_a_user));
    let seen = vault.seen_for_tokens();
    assert!(
        seen[0].path.contains(AzureKeyVault::CLIENT),
        "{}",
        seen[0].path
    );
}

#[test]
fn says_why_there_is_no_managed_identity() {
    let vault = vault();
    let wrong = [("AZURE_CLIENT_ID", "another")];
    let told = failed(&run(&vault, vault.identity_variables(), &wrong));
    assert!(told.contains("No User Assigned"), "{told}");
    let wrong = [("IDENTITY_HEADER", "another-header")];
    let told = failed(&run(&vault, vault.identity_variables(), &wrong));
    assert!(told.contains("does not accept the credentials"), "{told}");
    assert!(!told.contains("another-header"), "{told}");
    // What nobody here speaks: Service Fabric's.
    let other = [("IDENTITY_SERVER_THUMBPRINT", "00")];
    let told = failed(&run(&vault, vault.identity_variables(), &other));
    assert!(told.contains("Service Fabric"), "{told}");
}

/// A folder with an Azure CLI that says this.
fn azure_cli(script: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("az");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn logged_in(vault: &AzureKeyVault) -> TempDir {
    let said = json!({
        "accessToken": vault.token(), "expires_on": 4_102_444_800_u64, "tokenType": "Bearer",
    });
    azure_cli(&format!("echo '{said}'"))
}

#[test]
fn asks_the_azure_cli_where_it_is_told_to() {
    let vault = vault();
    let folder = logged_in(&vault);
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut variables = vault.variables();
    variables.insert("AZURE_TOKEN_CREDENTIALS", "dev".to_owned());
    signed(&run(&vault, variables, &[("PATH", &path)]));
    assert_eq!(vault.seen_for_tokens().len(), 0);
}

#[test]
fn says_what_the_azure_cli_says() {
    let vault = vault();
    let folder = azure_cli("echo 'Please run az login to setup account.' >&2; exit 1");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut variables = vault.variables();
    variables.insert("AZURE_TOKEN_CREDENTIALS", "dev".to_owned());
    let told = failed(&run(&vault, variables, &[("PATH", &path)]));
    assert!(told.contains("Please run az login"), "{told}");
}

/// The managed identity of the chain is, for a test, that of `IDENTITY_ENDPOINT`.
#[test]
fn takes_the_first_that_is_there() {
    let vault = vault();
    let folder = logged_in(&vault);
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let chain = [("CHAIN", "1"), ("PATH", path.as_str())];
    signed(&run(&vault, vault.identity_variables(), &chain));
    assert_eq!(vault.seen_for_tokens().len(), 1);

    let nobody = [("IDENTITY_ENDPOINT", "http://127.0.0.1:1/")];
    let nobody: Vec<_> = chain.into_iter().chain(nobody).collect();
    signed(&run(&vault, vault.identity_variables(), &nobody));
    assert_eq!(vault.seen_for_tokens().len(), 0);

    // One that is only busy is waited for.
    vault.then_for_tokens([Reply::Say(503, vec![], String::new())]);
    signed(&run(&vault, vault.identity_variables(), &chain));
    assert_eq!(vault.seen_for_tokens().len(), 2);
}

#[test]
fn without_credentials_it_says_how_to_give_some() {
    let vault = vault();
    let nothing = [
        ("CHAIN", "1"),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/"),
        ("PATH", "/usr/bin:/bin"),
    ];
    let told = failed(&run(&vault, vault.identity_variables(), &nothing));
    for hint in [
        "there are no credentials for Azure",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "managed identity",
        "az login",
        "127.0.0.1:1 was not reached",
        "az not found",
    ] {
        assert!(told.contains(hint), "{hint}: {told}");
    }
}
