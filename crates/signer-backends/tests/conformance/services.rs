use core::{iter, time::Duration};
use std::collections::BTreeMap;

use fulcio_signer::ErrorKind;
use fulcio_signer_backends::OpenOptions;
use fulcio_test_services::{
    Minivault, Moto, Relay,
    aws_kms::{self, AwsKms, Reply as AwsReply},
    azure_key_vault::{AzureKeyVault, KeyKind, Reply as AzureReply},
    gcp_kms::{GcpKms, Reply as GcpReply},
    minivault,
};
use fulcio_testkit::signer::Suite;
use serde_json::json;

use super::table::{Table, opened};

/// A service that is configured so, and by whose answers nobody waits for long.
fn hasty(variables: BTreeMap<&'static str, String>) -> OpenOptions {
    options(variables).with_timeouts(Duration::from_millis(200), Duration::from_millis(500))
}

fn options(variables: BTreeMap<&'static str, String>) -> OpenOptions {
    OpenOptions::new().with_variables(move |name| variables.get(name).cloned())
}

pub(crate) async fn vault(table: &mut Table) {
    let Some(program) = minivault() else { return };
    let vault = Minivault::start(&program);
    let relay = Relay::start(&vault.address).await;
    let mut relayed = vault.variables();
    relayed.insert("VAULT_ADDR", format!("http://{}", relay.address));
    let (options, hasty) = (options(vault.variables()), hasty(relayed));
    let suite = Suite::new();
    for (kind, key) in [
        ("ecdsa-p256", "P-256"),
        ("ecdsa-p384", "P-384"),
        ("ecdsa-p521", "P-521"),
        ("ed25519", "Ed25519"),
        ("rsa-2048", "RSA 2048"),
        ("rsa-3072", "RSA 3072"),
        ("rsa-4096", "RSA 4096"),
    ] {
        vault.key(kind, kind);
        let uri = format!("hashivault://{kind}");
        let stale = opened(&uri, &options).await;
        // Another key under the same name is another key.
        let config = json!({"deletion_allowed": true});
        vault.post(&format!("transit/keys/{kind}/config"), &config);
        vault.delete(&format!("transit/keys/{kind}"));
        vault.key(kind, kind);
        let wrong_key = suite.wrong_key(&*stale).await;

        let impatient = opened(&uri, &hasty).await;
        relay.silence();
        let slow = suite.slow(&*impatient).await;
        relay.to(Some(&vault.address));
        vault.seal();
        let failing = suite.failing(&*impatient, ErrorKind::Unavailable).await;
        vault.unseal();

        let signer = opened(&uri, &options).await;
        let provoked = vec![wrong_key, slow, failing];
        table
            .add_with("hashivault:", key, &*signer, &suite, provoked)
            .await;
    }
}

pub(crate) async fn aws(table: &mut Table) {
    let Some(moto) = Moto::shared() else { return };
    let relay = Relay::start(&moto.address).await;
    let mut relayed = moto.variables();
    relayed.insert("AWS_ENDPOINT_URL", format!("http://{}", relay.address));
    let (options, hasty) = (options(moto.variables()), hasty(relayed));
    let suite = Suite::new();
    for (spec, key) in [
        ("ECC_NIST_P256", "P-256"),
        ("ECC_NIST_P384", "P-384"),
        ("ECC_NIST_P521", "P-521"),
        ("RSA_2048", "RSA 2048"),
        ("RSA_3072", "RSA 3072"),
        ("RSA_4096", "RSA 4096"),
    ] {
        let (first, other) = (moto.signing_key(spec), moto.signing_key(spec));
        let alias = format!("alias/conforms-{spec}");
        moto.alias("CreateAlias", &alias, &first);
        let uri = format!("awskms:///{alias}");
        let signer = opened(&uri, &options).await;
        moto.alias("UpdateAlias", &alias, &other);
        let wrong_key = suite.wrong_key(&*signer).await;
        moto.alias("UpdateAlias", &alias, &first);

        let impatient = opened(&uri, &hasty).await;
        relay.silence();
        let slow = suite.slow(&*impatient).await;
        relay.to(None);
        let failing = suite.failing(&*impatient, ErrorKind::Unavailable).await;
        relay.to(Some(&moto.address));

        let provoked = vec![wrong_key, slow, failing];
        table
            .add_with("awskms:", key, &*signer, &suite, provoked)
            .await;
    }
}

/// What moto has not: Ed25519, where the service wants the whole message, of 1 to 4,096 bytes.
pub(crate) async fn aws_ed25519(table: &mut Table) {
    let kms = AwsKms::start().await;
    let uri = format!("awskms:///{}", aws_kms::ID);
    let signer = opened(&uri, &options(kms.variables())).await;
    let impatient = opened(&uri, &hasty(kms.variables())).await;
    let suite = Suite::new().shortest_message(1).longest_message(4096);
    kms.then([AwsReply::OtherKey]);
    let wrong_key = suite.wrong_key(&*signer).await;
    kms.then(iter::repeat_n(AwsReply::Hang, MANY));
    let slow = suite.slow(&*impatient).await;
    kms.forget();
    kms.then([AwsReply::error(400, "AccessDeniedException", "not you")]);
    let failing = suite.failing(&*signer, ErrorKind::Denied).await;
    let provoked = vec![wrong_key, slow, failing];
    table
        .add_with("awskms:", "Ed25519", &*signer, &suite, provoked)
        .await;
}

pub(crate) async fn gcp(table: &mut Table) {
    let kms = GcpKms::start().await;
    let variable = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";
    let variables = BTreeMap::from([(variable, kms.address.clone())]);
    let (options, hasty) = (options(variables.clone()), hasty(variables));
    let suite = Suite::new();
    for (algorithm, key) in [
        ("EC_SIGN_P256_SHA256", "P-256"),
        ("EC_SIGN_P384_SHA384", "P-384"),
        ("EC_SIGN_ED25519", "Ed25519"),
        ("RSA_SIGN_PKCS1_2048_SHA256", "RSA 2048"),
        ("RSA_SIGN_PKCS1_3072_SHA256", "RSA 3072"),
        ("RSA_SIGN_PKCS1_4096_SHA256", "RSA 4096"),
    ] {
        let uri = format!("gcpkms://{}", kms.signing_key(algorithm, algorithm));
        let signer = opened(&uri, &options).await;
        let impatient = opened(&uri, &hasty).await;
        kms.then([GcpReply::OtherKey]);
        let wrong_key = suite.wrong_key(&*signer).await;
        kms.then(iter::repeat_n(GcpReply::Hang, MANY));
        let slow = suite.slow(&*impatient).await;
        kms.forget();
        let busy = GcpReply::error(429, "RESOURCE_EXHAUSTED", "too many requests");
        kms.then(iter::repeat_n(busy, MANY));
        let failing = suite.failing(&*impatient, ErrorKind::Throttled).await;
        kms.forget();
        let provoked = vec![wrong_key, slow, failing];
        table
            .add_with("gcpkms:", key, &*signer, &suite, provoked)
            .await;
    }
}

pub(crate) async fn azure(table: &mut Table) {
    let vault = AzureKeyVault::start();
    let relay = Relay::start(vault.address()).await;
    let roots = || vec![vault.root()];
    let options = options(vault.variables()).with_roots(roots());
    let hasty = hasty(vault.variables()).with_roots(roots());
    let suite = Suite::new();
    for (name, kind, key) in [
        ("p256", KeyKind::P256, "P-256"),
        ("p384", KeyKind::P384, "P-384"),
        ("p521", KeyKind::P521, "P-521"),
        ("rsa2048", KeyKind::Rsa2048, "RSA 2048"),
        ("rsa3072", KeyKind::Rsa3072, "RSA 3072"),
        ("rsa4096", KeyKind::Rsa4096, "RSA 4096"),
    ] {
        vault.create_key(name, kind);
        let uri = format!("azurekms://{}/{name}", vault.address());
        let signer = opened(&uri, &options).await;
        let relayed = format!("azurekms://{}/{name}", relay.address);
        let impatient = opened(&relayed, &hasty).await;
        vault.then([AzureReply::OtherKey]);
        let wrong_key = suite.wrong_key(&*signer).await;
        relay.silence();
        let slow = suite.slow(&*impatient).await;
        relay.to(Some(vault.address()));
        let denied = AzureReply::refusal(403, "Forbidden", Some("ForbiddenByRbac"), "not you");
        vault.then([denied]);
        let failing = suite.failing(&*signer, ErrorKind::Denied).await;
        let provoked = vec![wrong_key, slow, failing];
        table
            .add_with("azurekms:", key, &*signer, &suite, provoked)
            .await;
    }
}

const MANY: usize = 50;
