use fulcio_test_services::{
    Minivault, Moto, TlsFiles,
    azure_key_vault::{AzureKeyVault, KeyKind},
    gcp_kms::{self, GcpKms},
    minivault,
};
use serde_json::json;

use super::{
    super::common::{Scene, Variables},
    refuses, with,
};

/// Issues with everything logged, and looks for `secrets` in it.
async fn tells_none_of(secrets: &[&str], reference: &str, variables: &Variables) {
    let scene = Scene::new();
    scene.make_root(reference, variables.clone()).await;
    serves_and_tells_none_of(&scene, secrets, reference, variables);
}

fn serves_and_tells_none_of(
    scene: &Scene,
    secrets: &[&str],
    reference: &str,
    variables: &Variables,
) {
    let all = with(variables, &[("RUST_LOG", "trace")]);
    let server = scene.start(scene.serving(reference, &all));
    scene.issues(&server);
    let output = server.output();
    assert!(output.contains("TRACE"), "nothing was traced");
    for secret in secrets {
        let lines: Vec<_> = output
            .lines()
            .filter(|line| line.contains(secret))
            .collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

#[tokio::test]
async fn nothing_of_awss_credentials_is_logged() {
    let Some(moto) = Moto::shared() else { return };
    let reference = format!("awskms:///{}", moto.signing_key("ECC_NIST_P256"));
    let (secret, session) = ("a-secret-of-aws", "a-session-of-aws");
    let said = [
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", session),
    ];
    let variables = with(&moto.variables(), &said);
    tells_none_of(&[secret, session], &reference, &variables).await;
}

#[tokio::test]
async fn nothing_of_azures_credentials_is_logged() {
    let vault = AzureKeyVault::start();
    vault.create_key("ca", KeyKind::P256);
    let reference = format!("azurekms://{}/ca", vault.address());
    let token = vault.token();
    // How all tokens of this vault begin.
    let (token, _rest) = token.split_once('.').unwrap();
    let secrets = [AzureKeyVault::SECRET, AzureKeyVault::IDENTITY_HEADER, token];
    let scene = Scene::new();
    scene.make_root(&reference, vault.variables()).await;
    // The managed identity is one of the server's environment, not of this process.
    for variables in [vault.variables(), vault.identity_variables()] {
        serves_and_tells_none_of(&scene, &secrets, &reference, &variables);
    }
}

#[tokio::test]
async fn nothing_of_vaults_token_is_logged() {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    vault.key("fulcio", "ecdsa-p256");
    let token = vault.root_token.clone();
    tells_none_of(&[&token], "hashivault://fulcio", &vault.variables()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_googles_credentials_is_logged() {
    let files = TlsFiles::create();
    let google = GcpKms::start_with_tls(&files).await;
    let key = google.signing_key("ca", "EC_SIGN_P256_SHA256");
    let scene = Scene::new();
    let secret = "a-secret-of-google";
    let user = json!({
        "type": "authorized_user", "client_id": "id", "client_secret": secret,
        "refresh_token": secret, "token_uri": format!("{}/token", google.address),
    });
    scene.write("user.json", user.to_string());
    let variables = with(
        &google.variables(),
        &[
            ("GOOGLE_APPLICATION_CREDENTIALS", "user.json"),
            ("RUST_LOG", "trace"),
            ("SSL_CERT_FILE", &files.path("cert.pem")),
        ],
    );
    // The key is opened, with a token, before it is found not to belong to the chain.
    scene.any_chain();
    let command = scene.serving(&format!("gcpkms://{key}"), &variables);
    let all = refuses(
        &scene,
        command,
        1,
        &["does not belong to the first certificate"],
    );
    assert!(all.contains("TRACE"), "nothing was traced");
    for secret in [secret, gcp_kms::TOKEN] {
        let lines: Vec<_> = all.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
}
