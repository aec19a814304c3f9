use fulcio_test_services::{
    Relay,
    azure_key_vault::{AzureKeyVault, KeyKind, Reply},
};

use super::{
    super::common::{NOBODY, Scene, Variables, wait_until},
    refuses, with, without,
};

#[tokio::test]
async fn issues_with_every_kind_of_key() {
    let vault = AzureKeyVault::start();
    for (name, kind) in [
        ("p256", KeyKind::P256),
        ("p384", KeyKind::P384),
        ("p521", KeyKind::P521),
        ("rsa", KeyKind::Rsa2048),
    ] {
        let version = vault.create_key(name, kind);
        let reference = format!("azurekms://{}/{name}", vault.address());
        let scene = Scene::new();
        scene.make_root(&reference, vault.variables()).await;
        let server = scene.start(scene.serving(&reference, &vault.variables()));
        scene.issues(&server);
        let output = server.output();
        let id = format!("https://{}/keys/{name}/{version}", vault.address());
        assert!(output.contains(&id) && !output.contains("WARN"), "{output}");
        assert!(!output.contains(AzureKeyVault::SECRET), "{output}");
        assert!(server.terminate().status.success(), "{name}");
    }
}

#[tokio::test]
async fn asks_as_the_managed_identity_too_and_takes_the_version_that_is_named() {
    let vault = AzureKeyVault::start();
    let first = vault.create_key("ca", KeyKind::P384);
    let newest = format!("azurekms://{}/ca", vault.address());
    let scene = Scene::new();
    scene.make_root(&newest, vault.variables()).await;
    let server = scene.start(scene.serving(&newest, &vault.identity_variables()));
    scene.issues(&server);
    let second = vault.create_key("ca", KeyKind::P384);
    scene.issues(&server);
    drop(server);

    let named = format!("/keys/ca/{second}");
    let parts = [
        "--kms-cert-chain-path chain.pem and --kms-resource",
        &named,
        "does not belong",
    ];
    refuses(
        &scene,
        scene.serving(&newest, &vault.variables()),
        1,
        &parts,
    );
    let first = format!("{newest}/{first}");
    scene.issues(&scene.start(scene.serving(&first, &vault.variables())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_goes_away_is_the_operators_matter_and_used_again_when_it_is_back() {
    let vault = AzureKeyVault::start();
    vault.create_key("ca", KeyKind::P256);
    let relay = Relay::start(vault.address()).await;
    let reference = format!("azurekms://{}/ca", relay.address);
    let scene = Scene::new();
    let direct = format!("azurekms://{}/ca", vault.address());
    scene.make_root(&direct, vault.variables()).await;
    let server = scene.start(scene.serving(&reference, &vault.variables()));
    scene.issues(&server);

    relay.to(None);
    scene.refused(&server, "was not reached");
    relay.to(Some(vault.address()));
    wait_until("the vault to be used again", || {
        (scene.request(&server).status == 200).then_some(())
    });
    vault.then([Reply::refusal(
        403,
        "Forbidden",
        Some("ForbiddenByRbac"),
        "not you",
    )]);
    scene.refused(&server, "not you");
    scene.issues(&server);
    assert!(server.terminate().status.success());
}

#[tokio::test]
async fn says_on_one_line_why_it_does_not_start() {
    let vault = AzureKeyVault::start();
    vault.create_key("ca", KeyKind::P256);
    let reference = format!("azurekms://{}/ca", vault.address());
    let scene = Scene::new();
    scene.make_root(&reference, vault.variables()).await;
    let variables = vault.variables();
    let check = |reference: &str, variables: &Variables, code, parts: &[&str]| {
        let parts = [parts, &["--kms-resource"]].concat();
        let all = refuses(&scene, scene.serving(reference, variables), code, &parts);
        for secret in [AzureKeyVault::SECRET, "horse"] {
            assert!(!all.contains(secret), "{all}");
        }
    };
    for missing in ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"] {
        let variables = without(&variables, &[missing]);
        check(&reference, &variables, 2, &["incomplete", missing]);
    }
    for (name, value) in [
        ("AZURE_AUTHORITY_HOST", "https://user:horse@example.com"),
        ("AZURE_TOKEN_CREDENTIALS", "anything"),
    ] {
        check(&reference, &with(&variables, &[(name, value)]), 2, &[name]);
    }
    let elsewhere = without(
        &with(&variables, &[("AZURE_ENVIRONMENT", "Mars")]),
        &["AZURE_AUTHORITY_HOST"],
    );
    check(
        &reference,
        &elsewhere,
        2,
        &["AZURE_ENVIRONMENT", "AzureChinaCloud"],
    );
    let roots = with(&variables, &[("SSL_CERT_FILE", &scene.path("chain.pem"))]);
    check(&reference, &roots, 1, &["TLS certificate", "not accepted"]);
    let wrong = with(&variables, &[("AZURE_CLIENT_SECRET", "horse")]);
    check(&reference, &wrong, 1, &["does not accept the credentials"]);

    let asked = format!("asked of {}: ", vault.address());
    let missing = reference.replace("/ca", "/missing");
    check(&missing, &variables, 1, &[&asked, "has no key missing"]);
    vault.create_key("other", KeyKind::P256);
    let other = reference.replace("/ca", "/other");
    check(
        &other,
        &variables,
        1,
        &["does not belong to the first certificate"],
    );
    vault.change_key("other", |key| key["attributes"]["enabled"] = false.into());
    check(
        &other,
        &variables,
        1,
        &[&asked, "cannot be used in its state"],
    );
}

#[test]
fn says_that_the_vault_is_not_there() {
    let vault = AzureKeyVault::start();
    let scene = Scene::new();
    scene.any_chain();
    let reference = format!("azurekms://{NOBODY}/ca");
    let variables = with(
        &vault.variables(),
        &[("HTTPS_PROXY", "http://user:horse@10.0.0.1:1")],
    );
    let parts = ["--kms-resource", NOBODY, "was not reached"];
    let all = refuses(&scene, scene.serving(&reference, &variables), 1, &parts);
    assert!(
        !all.contains("horse") && !all.contains(AzureKeyVault::SECRET),
        "{all}"
    );

    let reference = "azurekms://vault.invalid/ca";
    let parts = ["--kms-resource", "vault.invalid", "was not reached"];
    let all = refuses(&scene, scene.serving(reference, &variables), 1, &parts);
    assert!(
        all.contains("do not go through HTTPS_PROXY") && !all.contains("horse"),
        "{all}"
    );
}
