use std::fs;

use fulcio_test_services::{Minivault, Relay, TlsFiles, minivault};
use serde_json::json;

use super::super::common::{NOBODY, Scene, Variables, wait_until};

fn started() -> Option<Minivault> {
    minivault().map(|program| Minivault::start(&program))
}

fn said<const N: usize>(all: [(&'static str, &str); N]) -> Variables {
    all.map(|(name, value)| (name, value.to_owned())).into()
}

#[tokio::test]
async fn issues_with_every_kind_of_key() {
    let Some(vault) = started() else { return };
    let variables = vault.variables();
    for kind in [
        "ecdsa-p256",
        "ecdsa-p384",
        "ecdsa-p521",
        "ed25519",
        "rsa-2048",
    ] {
        vault.key(kind, kind);
        let scene = Scene::new();
        let reference = format!("hashivault://{kind}");
        scene.make_root(&reference, vault.variables()).await;
        let server = scene.start(scene.serving(&reference, &variables));
        scene.issues(&server);
        assert!(server.terminate().status.success(), "{kind}");
    }
}

#[tokio::test]
async fn reads_the_variables_of_openbao_and_where_the_engine_is() {
    let Some(vault) = started() else { return };
    vault.post("sys/mounts/team/signing", &json!({"type": "transit"}));
    vault.post("team/signing/keys/fulcio", &json!({"type": "ecdsa-p384"}));
    // What the documentation says that the token needs.
    let policy = r#"
        path "team/signing/keys/fulcio"   { capabilities = ["read"] }
        path "team/signing/sign/fulcio/*" { capabilities = ["update"] }
    "#;
    let token = vault.token("signer", policy);
    let variables = said([
        ("BAO_ADDR", &vault.url()),
        ("BAO_TOKEN", &token),
        ("TRANSIT_SECRET_ENGINE_PATH", "team/signing"),
    ]);
    let scene = Scene::new();
    scene.make_root("openbao://fulcio", variables.clone()).await;
    let server = scene.start(scene.serving("openbao://fulcio", &variables));
    scene.issues(&server);
    let output = server.output();
    assert!(!output.contains("WARN"), "{output}");
    assert!(!output.contains(&token), "{output}");
}

#[tokio::test]
async fn trusts_vault_by_the_roots_that_are_given_and_otherwise_by_those_of_the_system() {
    let Some(program) = minivault() else { return };
    let scene = Scene::new();
    let data = scene.path("data");
    let vault = Minivault::start_with(&program, &["-data", &data]);
    vault.key("fulcio", "ecdsa-p384");
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    let (token, unseal_key) = (vault.root_token.clone(), vault.unseal_key.clone());
    drop(vault);

    let (files, strangers) = (TlsFiles::create(), TlsFiles::create());
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let again = ["-data", &data, "-unseal-key", &unseal_key];
    let tls = ["-tls-cert", cert.as_str(), "-tls-key", key.as_str()];
    let vault = Minivault::start_with(&program, &[again, tls].concat());
    let address = format!("https://{}", vault.address);
    let other = strangers.path("cert.pem");
    let serving = |roots: &[(&'static str, &str)]| {
        let mut all = said([("VAULT_ADDR", &address), ("VAULT_TOKEN", &token)]);
        all.extend(roots.iter().map(|&(name, file)| (name, file.to_owned())));
        scene.serving("hashivault://fulcio", &all)
    };
    for roots in [
        &[("VAULT_CACERT", cert.as_str())],
        &[("SSL_CERT_FILE", cert.as_str())],
    ] {
        let server = scene.start(serving(roots));
        scene.issues(&server);
        assert!(server.terminate().status.success(), "{roots:?}");
    }
    let (code, said, _log) = scene.ends(serving(&[
        ("VAULT_CACERT", other.as_str()),
        ("SSL_CERT_FILE", cert.as_str()),
    ]));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("certificate of Vault is not"), "{said}");

    let empty = scene.path("config.yaml");
    for (file, wanted) in [
        (empty.as_str(), "no PEM block CERTIFICATE"),
        ("/nowhere", ""),
    ] {
        let (code, said, _log) = scene.ends(serving(&[
            ("VAULT_CACERT", file),
            ("SSL_CERT_FILE", cert.as_str()),
        ]));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(file) && said.contains(wanted), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_goes_away_is_the_operators_matter_and_used_again_when_it_is_back() {
    let Some(program) = minivault() else { return };
    let scene = Scene::new();
    let data = scene.path("data");
    let vault = Minivault::start_with(&program, &["-data", &data]);
    vault.key("fulcio", "ecdsa-p384");
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    let relay = Relay::start(&vault.address).await;
    let address = format!("http://{}", relay.address);
    let variables = said([("VAULT_ADDR", &address), ("VAULT_TOKEN", &vault.root_token)]);
    let server = scene.start(scene.serving("hashivault://fulcio", &variables));
    scene.issues(&server);

    vault.seal();
    scene.refused(&server, "status 503: Vault is sealed");
    vault.unseal();
    scene.issues(&server);

    let (token, unseal_key) = (vault.root_token.clone(), vault.unseal_key.clone());
    drop(vault);
    relay.to(None);
    scene.refused(&server, "Vault was not reached");
    let again = ["-data", &data, "-unseal-key", &unseal_key];
    let vault = Minivault::start_with(&program, &again);
    relay.to(Some(&vault.address));
    wait_until("Vault to be used again", || {
        (scene.request(&server).status == 200).then_some(())
    });
    scene.issues(&server);
    assert!(!server.output().contains(&token), "{}", server.output());
    assert!(server.terminate().status.success());
}

#[tokio::test]
async fn a_token_that_may_read_and_not_sign_is_the_operators_matter_too() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    let scene = Scene::new();
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    let reader = r#"path "transit/keys/fulcio" { capabilities = ["read"] }"#;
    let reader = vault.token("reader", reader);
    let variables = said([("VAULT_ADDR", &vault.url()), ("VAULT_TOKEN", &reader)]);
    let server = scene.start(scene.serving("hashivault://fulcio", &variables));
    scene.refused(&server, "permission denied");
    assert!(!server.output().contains(&reader), "{}", server.output());
}

#[tokio::test]
async fn says_on_one_line_why_it_does_not_start() {
    let Some(vault) = started() else { return };
    vault.key("fulcio", "ecdsa-p384");
    vault.key("symmetric", "aes256-gcm96");
    let scene = Scene::new();
    scene
        .make_root("hashivault://fulcio", vault.variables())
        .await;
    let blind = vault.token("blind", r#"path "x" { capabilities = ["read"] }"#);
    let address = vault.url();
    let with_password = address.replace("//", "//user:horse@");
    let root = vault.root_token.as_str();
    let there = ("VAULT_ADDR", address.as_str());
    let right = [there, ("VAULT_TOKEN", root)];
    let refuses = |reference: &str, said: &[(&'static str, &str)], code, parts: &[&str]| {
        let said = said.iter().map(|&(name, value)| (name, value.to_owned()));
        let (ended, said, log) = scene.ends(scene.serving(reference, &said.collect()));
        assert_eq!(ended, Some(code), "{said}");
        let asked = said.contains("asked of") || said.contains("--kms-cert-chain-path");
        assert_eq!(asked, code == 1, "{said}");
        for part in parts.iter().chain(&["--kms-resource"]) {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        for secret in [root, &blind, "horse"] {
            assert!(!said.contains(secret) && !log.contains(secret), "{said}");
        }
    };
    let fulcio = "hashivault://fulcio";
    refuses(fulcio, &[], 2, &[fulcio, "set VAULT_ADDR or BAO_ADDR"]);
    refuses(fulcio, &[there], 2, &[fulcio, "set VAULT_TOKEN"]);
    let wrong = ("VAULT_TOKEN", "se\ncret");
    refuses(
        fulcio,
        &[there, wrong],
        2,
        &["characters that no token has"],
    );
    for address in [&with_password, "vault:8200", "unix:///run/vault.sock"] {
        let variables = [("VAULT_ADDR", address), right[1]];
        refuses(fulcio, &variables, 2, &["VAULT_ADDR", "such as https://"]);
    }
    let mount = ("TRANSIT_SECRET_ENGINE_PATH", "a b");
    let variables = [right[0], right[1], mount];
    refuses(
        fulcio,
        &variables,
        2,
        &["TRANSIT_SECRET_ENGINE_PATH", "\"a b\""],
    );

    let authority = format!("asked of {}: ", vault.address);
    let denied = [there, ("VAULT_TOKEN", blind.as_str())];
    refuses(fulcio, &denied, 1, &[&authority, "permission denied"]);
    let missing = "hashivault://missing";
    refuses(
        missing,
        &right,
        1,
        &[missing, "no key missing", "namespace"],
    );
    let symmetric = "hashivault://symmetric";
    refuses(symmetric, &right, 1, &["aes256-gcm96, which cannot sign"]);
    let version = "hashivault://fulcio/versions/7";
    refuses(version, &right, 1, &["no version 7", "it has 1"]);

    vault.rotate("fulcio");
    let parts = [
        "--kms-cert-chain-path chain.pem and --kms-resource hashivault://fulcio, which is \
         hashivault://fulcio/versions/2: ",
        "does not belong to the first certificate",
    ];
    refuses(fulcio, &right, 1, &parts);
    let right = said(right);
    let first = scene.serving("hashivault://fulcio/versions/1", &right);
    scene.issues(&scene.start(first));
    fs::write(scene.path("chain.pem"), "").unwrap();
    let (code, said, _log) = scene.ends(scene.serving(fulcio, &right));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--kms-cert-chain-path chain.pem: "), "{said}");
    fs::remove_file(scene.path("chain.pem")).unwrap();
    let (code, said, _log) = scene.ends(scene.serving(fulcio, &right));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("chain.pem cannot be read"), "{said}");
}

#[test]
fn says_that_vault_is_not_there_and_warns_of_a_token_in_the_open() {
    let scene = Scene::new();
    scene.any_chain();
    for (host, warned) in [(NOBODY, false), ("vault.invalid:8200", true)] {
        let address = format!("http://{host}");
        let variables = said([
            ("VAULT_ADDR", &address),
            ("VAULT_TOKEN", "secret"),
            ("HTTP_PROXY", "http://user:horse@127.0.0.1:1"),
        ]);
        let (code, said, log) = scene.ends(scene.serving("hashivault://k", &variables));
        assert_eq!(code, Some(1), "{said}");
        for part in ["--kms-resource", host, "Vault was not reached"] {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        for warning in ["tokens too; use https://", "through HTTP_PROXY"] {
            assert_eq!(log.contains(warning), warned, "{log}");
        }
        let all = said + &log;
        assert!(!all.contains("secret") && !all.contains("horse"), "{all}");
    }
}
