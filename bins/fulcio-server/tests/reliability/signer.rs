use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fulcio_test_services::{
    Relay,
    gcp_kms::{GcpKms, Reply},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    row::{Row, Scene},
    stage::{Stage, Watched},
};
use crate::common::{Scene as Folder, Variables};

pub(super) const SCENES: &[Scene] = &[
    Scene::new("a key service that does not answer one of the tries", slow),
    Scene::new("a key service that does not answer at all", hanging),
    Scene::new("a key service that is not reached", unreachable),
    Scene::new("a key service that refuses to sign", refusing),
    Scene::new("signatures that are damaged on the way", damaged),
    Scene::new(
        "the key service signs with another key than that of the chain",
        other_key,
    ),
    Scene::new("the key file is overwritten with another key", overwritten),
];

const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";

/// A server whose key is in Google Cloud KMS, as its double plays it.
fn with_google(
    flags: &[&str],
    play: impl FnOnce(&GcpKms, &Relay, &Folder, &Watched<'_>) -> Row,
) -> Row {
    let runtime = Runtime::new().unwrap();
    let google = runtime.block_on(GcpKms::start());
    let key = google.signing_key("ca", "EC_SIGN_P256_SHA256");
    let reference = format!("gcpkms://{key}");
    let folder = Folder::new();
    runtime.block_on(folder.make_root(&reference, google.variables()));
    let host = google.address.strip_prefix("http://").unwrap();
    let relay = runtime.block_on(Relay::start(host));
    let variables = Variables::from([(ENDPOINT, format!("http://{}", relay.address))]);
    let mut command = folder.serving(&reference, &variables);
    command.arg("--log_type=prod").args(flags);
    let server = Watched::new(folder.start(command), folder.idp(), folder.folder());
    server.becomes(200, "");
    play(&google, &relay, &folder, &server)
}

fn slow() -> Row {
    with_google(&["--gcp-kms-timeout=1"], |google, _, folder, server| {
        google.then([Reply::Hang]);
        let client = server.ask().within(6);
        let operator = server.becomes(200, "");
        folder.issues(&server.server);
        Row {
            client: format!("{client} after one try of 1 s (`--gcp-kms-timeout`)"),
            operator,
            lost: "nothing: OpenSSL verifies what is issued".to_owned(),
        }
    })
}

/// All tries end like this until the service is well again.
fn failing(reply: Reply, reason: &str, seconds: u64) -> Row {
    let flags = ["--signer-test-interval=1s", "--gcp-kms-timeout=1"];
    with_google(&flags, |google, _, folder, server| {
        google.then(vec![reply; 10_000]);
        let row = refused(server, reason, &["reason", "cause"], seconds);
        google.forget();
        recovers(server, folder);
        row
    })
}

fn refused(server: &Watched<'_>, reason: &str, fields: &[&str], seconds: u64) -> Row {
    let client = server.ask().within(seconds);
    let operator = format!(
        "{}; {}; {}",
        server.becomes(503, reason),
        server.said("certificate refused", fields),
        server.counted(&["fulcio_refusals_total{"])
    );
    server.issued_nothing();
    Row {
        client,
        operator,
        lost: "nothing: no certificate left (`fulcio_new_certs 0`); once the key signs again it is ready, and \
               OpenSSL verifies what is issued"
            .to_owned(),
    }
}

fn recovers(server: &Watched<'_>, folder: &Folder) {
    server.becomes(200, "");
    folder.issues(&server.server);
}

fn hanging() -> Row {
    failing(Reply::Hang, "signer: ", 12)
}

fn refusing() -> Row {
    let reply = Reply::error(403, "PERMISSION_DENIED", "not you");
    failing(reply, "the issuing key does not sign", 5)
}

fn damaged() -> Row {
    let signature = BASE64_STANDARD.encode([0x30, 0x06, 2, 1, 1, 2, 1, 1]);
    failing(
        Reply::With("signature", Value::String(signature)),
        "signer: ",
        12,
    )
}

fn other_key() -> Row {
    failing(
        Reply::OtherKey,
        "another key than that of the chain signs",
        12,
    )
}

fn unreachable() -> Row {
    let flags = ["--signer-test-interval=1s", "--gcp-kms-timeout=1"];
    with_google(&flags, |google, relay, folder, server| {
        relay.to(None);
        let row = refused(server, "the issuing key does not sign", &["reason"], 12);
        relay.to(google.address.strip_prefix("http://"));
        recovers(server, folder);
        row
    })
}

fn overwritten() -> Row {
    let stage = Stage::set();
    let server = stage.serve(&["--ct-log-url="]);
    let key = stage.ca.folder().join("intermediate.key.pem");
    let right = fs::read(&key).unwrap();
    fs::write(&key, stage.ca.read("root.plain.pem")).unwrap();
    let said = server.said(
        "the issuing key with its chain stays as it was, because",
        &[],
    );
    let client = server.ask().within(5);
    let operator = format!(
        "{}; {said}; {}",
        server.becomes(200, ""),
        server.counted(&[
            r#"fulcio_reloads_total{outcome="used",part="issuing-key"}"#,
            r#"fulcio_reloads_total{outcome="refused",part="issuing-key"}"#,
        ])
    );
    fs::write(&key, right).unwrap();
    server.said(
        "the issuing key with its chain has changed and is in use",
        &[],
    );
    server.issues();
    Row {
        client: format!("{client} by the key before"),
        operator,
        lost: "nothing: the key in use stays in use".to_owned(),
    }
}
