//! `fulcio ca` over keys in tokens and key services, and the walk-through of the documentation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod ca_scene;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use authority::Authority;
use ca_scene::{Scene, run};
use fulcio_client::Client;
use fulcio_test_services::{
    Minivault, Moto, SoftHsm,
    azure_key_vault::{AzureKeyVault, KeyKind},
    gcp_kms::GcpKms,
    minivault, openssl, skipped, succeed, variable,
};

const PAGE: &str = include_str!("../../../docs/ca.md");

/// The blocks of the page that are marked as `kind`, in their order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let opening = format!("\n```{kind}\n");
    PAGE.split(&opening)
        .skip(1)
        .map(|rest| rest.split_once("```\n").unwrap().0)
        .collect()
}

/// Root and intermediate, both signed where their keys are, and a request that is signed and
/// imported.
fn everything(scene: &Scene, root: &str, key: &str, variables: &[(&str, &str)]) {
    let ca = |arguments: &str| {
        let arguments = arguments.replace("ROOT", root).replace("KEY", key);
        scene.ca_with(&arguments, variables).good()
    };
    ca("root --key ROOT --org Example --common-name Example_root --out root.pem");
    let parent = "--parent-key ROOT --parent root.pem";
    ca(&format!(
        "intermediate --key KEY {parent} --org Example --common-name Direct --out direct.pem"
    ));
    scene.verifies("root.pem", "direct.pem");
    ca("csr --key KEY --org Example --common-name Asked --out request.pem");
    let request = scene.openssl("req -in request.pem -verify -noout -subject");
    assert!(request.contains("CN = Asked"), "{request}");
    ca(&format!(
        "intermediate --csr request.pem {parent} --out issued.pem"
    ));
    ca("import --key KEY --chain issued.pem --out chain.pem");
    scene.verifies("root.pem", "chain.pem");
    scene.lints("chain.pem");
}

#[test]
fn keys_in_a_token_certify_and_are_certified() {
    let Some(hsm) = SoftHsm::new() else { return };
    hsm.token(SoftHsm::LABEL);
    hsm.key_pair("EC:secp384r1", "01", "root", &[]);
    hsm.key_pair("EC:secp384r1", "02", "PKCS11CA", &[]);
    let scene = Scene::new();
    scene.write("pin", SoftHsm::PIN);
    let pin = scene.path("pin");
    let module = hsm.module().display();
    let uri = |label: &str| {
        let pin = pin.display();
        format!("pkcs11:token=fulcio;object={label}?module-path={module}&pin-source={pin}")
    };
    let configuration = hsm.configuration();
    let variables = [("SOFTHSM2_CONF", configuration.to_str().unwrap())];
    everything(&scene, &uri("root"), &uri("PKCS11CA"), &variables);

    // The PIN by file, and the certificate into the token.
    scene.write(
        "crypto11.conf",
        &format!(
            r#"{{"Path": "{module}", "TokenLabel": "fulcio", "Pin": "{}"}}"#,
            SoftHsm::PIN
        ),
    );
    let without = format!("pkcs11:token=fulcio;object=PKCS11CA?module-path={module}");
    let import = format!(
        "import --key {without} --key-password-file pin --chain chain.pem --hsm-caroot-id 99 \
         --pkcs11-config-path crypto11.conf"
    );
    let page = scene.ca_with(&import, &variables).good();
    assert!(page.contains("Stored in the token as     99"), "{page}");
    let read = ["--read-object", "--type", "cert", "--id", "3939", "-o"];
    let stored = scene.path("stored.der");
    hsm.pkcs11_tool(&[&read[..], &[stored.to_str().unwrap()]].concat());
    let fingerprint =
        |arguments: &str| scene.openssl(&format!("x509 {arguments} -noout -fingerprint"));
    assert_eq!(
        fingerprint("-inform DER -in stored.der"),
        fingerprint("-in chain.pem")
    );

    let said = scene.ca_with(&import, &variables).bad();
    assert!(
        said.contains("the token has a certificate with this id already"),
        "{said}"
    );
    let other = import
        .replace("99", "98")
        .replace("object=PKCS11CA", "object=root");
    let other = other.replace("chain.pem", "root.pem");
    let said = scene.ca_with(&other, &variables).bad();
    assert!(
        said.contains("--hsm-key-label PKCS11CA is another key than --key"),
        "{said}"
    );
    let labelled = format!("{other} --hsm-key-label root");
    scene.ca_with(&labelled, &variables).good();
}

#[test]
fn a_wrong_pin_is_one_line_and_no_secret() {
    let Some(hsm) = SoftHsm::new() else { return };
    hsm.token(SoftHsm::LABEL);
    hsm.key_pair("EC:secp384r1", "01", "root", &[]);
    let scene = Scene::new();
    let configuration = hsm.configuration();
    let variables = [
        ("SOFTHSM2_CONF", configuration.to_str().unwrap()),
        ("THEPIN", "246813"),
    ];
    let module = hsm.module().display();
    let root = format!(
        "root --key pkcs11:token=fulcio;object=root?module-path={module} --key-password-env THEPIN \
         --org a --common-name b --out root.pem"
    );
    let said = scene.ca_with(&root, &variables).bad();
    assert!(said.contains("--key: ") && said.contains("PIN"), "{said}");
    assert!(!said.contains("246813"), "{said}");
    assert!(!scene.path("root.pem").exists());
}

#[test]
fn keys_in_vault_certify_and_are_certified() {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    vault.key("root", "ecdsa-p384");
    vault.key("fulcio", "ecdsa-p384");
    let variables = vault.variables();
    let variables = borrowed(&variables);
    let scene = Scene::new();
    everything(
        &scene,
        "hashivault://root",
        "hashivault://fulcio",
        &variables,
    );

    // The commands of the page do the same.
    let folder = tempfile::tempdir().unwrap();
    let commands = blocks("sh vault").concat();
    assert!(commands.contains("fulcio ca intermediate"), "{commands}");
    succeed(bash(&commands, folder.path()).envs(variables.iter().copied()));
    openssl(
        folder.path(),
        "verify -x509_strict -purpose any -CAfile root.pem -untrusted chain.pem chain.pem",
    );

    let said = scene
        .ca_with(
            "root --key hashivault://nothing --org a --common-name b --out new.pem",
            &variables,
        )
        .bad();
    assert!(said.starts_with("--key: "), "{said}");
}

#[test]
fn keys_in_aws_kms_certify_and_are_certified() {
    let Some(moto) = Moto::shared() else { return };
    let variables = moto.variables();
    let [root, key] =
        ["root", "key"].map(|_| format!("awskms:///{}", moto.signing_key("ECC_NIST_P384")));
    everything(&Scene::new(), &root, &key, &borrowed(&variables));
}

#[test]
fn keys_in_google_cloud_kms_certify_and_are_certified() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kms = runtime.block_on(GcpKms::start());
    let [root, key] = ["root", "key"].map(|name| {
        let key = kms.signing_key(name, "EC_SIGN_P384_SHA384");
        format!("gcpkms://{key}")
    });
    everything(&Scene::new(), &root, &key, &borrowed(&kms.variables()));
}

#[test]
fn keys_in_azure_key_vault_certify_and_are_certified() {
    let vault = AzureKeyVault::start();
    let [root, key] = ["root", "key"].map(|name| {
        vault.create_key(name, KeyKind::P384);
        format!("azurekms://{}/{name}", vault.address())
    });
    everything(&Scene::new(), &root, &key, &borrowed(&vault.variables()));
}

fn borrowed<'a>(variables: &'a BTreeMap<&'static str, String>) -> Vec<(&'static str, &'a str)> {
    let pairs = variables.iter();
    pairs.map(|(name, value)| (*name, value.as_str())).collect()
}

/// The shell that types the commands of a page, and finds the programs of this build.
fn bash(commands: &str, folder: &Path) -> Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_fulcio")).parent().unwrap();
    let mut paths = vec![programs.to_owned()];
    paths.extend(std::env::split_paths(&variable("PATH").unwrap_or_default()));
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("set -euo pipefail\n{commands}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::join_paths(paths).unwrap())
        .stdin(Stdio::null());
    bash
}

#[test]
fn the_walk_through_of_the_documentation_works() {
    let Some(hsm) = SoftHsm::empty() else { return };
    let blocks = blocks("sh");
    let (serve, before) = blocks.split_last().unwrap();
    assert_eq!(before.len(), 6, "a block of commands came or went");
    let module = hsm.module().to_str().unwrap();
    let typed = |text: &str| text.replace("/usr/lib/softhsm/libsofthsm2.so", module);
    succeed(&mut bash(&typed(&before.concat()), hsm.folder()));
    let online = hsm.path("online");
    openssl(
        &online,
        "verify -x509_strict -purpose any -CAfile ../offline/root.pem -untrusted chain.pem chain.pem",
    );
    let shown = openssl(&online, "x509 -in chain.pem -noout -subject -issuer");
    assert!(
        shown.contains("subject=O = Example, CN = Example intermediate"),
        "{shown}"
    );
    assert!(
        shown.contains("issuer=C = UK, O = Example, CN = Example root"),
        "{shown}"
    );

    let server = Path::new(env!("CARGO_BIN_EXE_fulcio")).with_file_name("fulcio-server");
    if !server.exists() {
        skipped("fulcio-server is not built");
        return;
    }
    let identities = Authority::start();
    let issuer = identities.url("/dev-idp");
    let config = format!(
        "oidc-issuers:\n  {issuer}:\n    issuer-url: {issuer}\n    client-id: sigstore\n    type: email\n"
    );
    fs::write(online.join("config.yaml"), config).unwrap();
    let server = Server::start(serve, &online);
    let token = Client::new(&identities.url(""), &[], Duration::from_secs(10))
        .text("/dev-idp/token?email=ada@example.com")
        .unwrap();
    let mut request = Command::new(env!("CARGO_BIN_EXE_fulcio"));
    request
        .args([
            "request",
            "--url",
            &server.url,
            "--token-env",
            "TOKEN",
            "--out",
            "client",
        ])
        .current_dir(&online)
        .env_clear()
        .env("TOKEN", token);
    run(&mut request).good();
    openssl(
        &online,
        "verify -x509_strict -purpose any -CAfile ../offline/root.pem -untrusted client/chain.pem \
         client/certificate.pem",
    );
}

/// The server of the page, until it is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(serve: &str, folder: &Path) -> Self {
        let output: PathBuf = folder.join("output");
        let file = File::create(&output).unwrap();
        let mut command = bash(&format!("exec {serve}"), folder);
        command
            .env("SOFTHSM2_CONF", folder.join("config/softhsm2.conf"))
            .env("FULCIO_SERVE_CONFIG_PATH", "config.yaml")
            .env("FULCIO_SERVE_CT_LOG_URL", "embedded:log")
            .env("FULCIO_SERVE_CT_LOG_ORIGIN", "log.example.com/2026")
            .env("FULCIO_SERVE_HOST", "127.0.0.1")
            .env("FULCIO_SERVE_GRPC_HOST", "127.0.0.1")
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        for port in ["PORT", "GRPC_PORT", "METRICS_PORT"] {
            command.env(format!("FULCIO_SERVE_{port}"), "0");
        }
        let mut child = command.spawn().unwrap();
        let since = Instant::now();
        loop {
            let text = fs::read_to_string(&output).unwrap();
            if let Some(url) = address(&text) {
                return Self { child, url };
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "{text}");
            assert!(since.elapsed() < Duration::from_secs(60), "{text}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Where it listens for HTTP, which it says first.
fn address(output: &str) -> Option<String> {
    let mut lines = output
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let line = lines.find(|line| line.contains("listening"))?;
    let (_, rest) = line.split_once("address")?;
    let address = rest.trim_start_matches(['=', '"', ':']);
    let end = address.find(['"', ' ', '\n']).unwrap_or(address.len());
    Some(format!("http://{}", &address[..end]))
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
