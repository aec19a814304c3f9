use std::fs;

use fulcio_test_services::{Moto, Relay, TlsFiles};

use super::{
    super::common::{NOBODY, Scene, Variables, wait_until},
    with, without,
};

const ALIAS: &str = "awskms:///alias/fulcio";

/// What moto names a key by, where AWS tells the whole ARN.
fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn issues_with_every_kind_of_key() {
    let Some(moto) = Moto::shared() else { return };
    let variables = moto.variables();
    for spec in [
        "ECC_NIST_P256",
        "ECC_NIST_P384",
        "ECC_NIST_P521",
        "RSA_2048",
    ] {
        let arn = moto.signing_key(spec);
        let reference = format!("awskms:///{arn}");
        let scene = Scene::new();
        scene.make_root(&reference, variables.clone()).await;
        let server = scene.start(scene.serving(&reference, &variables));
        scene.issues(&server);
        let output = server.output();
        assert!(
            output.contains(id(&arn)) && !output.contains("WARN"),
            "{output}"
        );
        assert!(!output.contains("secret"), "{output}");
        assert!(server.terminate().status.success(), "{spec}");
    }
}

#[tokio::test]
async fn an_alias_means_the_key_that_it_meant_at_the_start() {
    let Some(programs) = Moto::programs() else {
        return;
    };
    let moto = Moto::start(&programs);
    let (first, second) = (
        moto.signing_key("ECC_NIST_P384"),
        moto.signing_key("ECC_NIST_P384"),
    );
    moto.alias("CreateAlias", "alias/fulcio", &first);
    let variables = moto.variables();
    let scene = Scene::new();
    scene.make_root(ALIAS, variables.clone()).await;
    let server = scene.start(scene.serving(ALIAS, &variables));
    let output = server.output();
    assert!(output.contains(id(&first)), "{output}");
    scene.issues(&server);

    moto.alias("UpdateAlias", "alias/fulcio", &second);
    scene.refused(&server, "an alias that moved");
    let (code, said, _log) = scene.ends(scene.serving(ALIAS, &variables));
    assert_eq!(code, Some(1), "{said}");
    for part in [
        ALIAS,
        id(&second),
        "does not belong to the first certificate",
    ] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    moto.alias("UpdateAlias", "alias/fulcio", &first);
    scene.issues(&server);
}

#[tokio::test]
async fn trusts_aws_by_the_roots_of_the_system_and_anybody_only_when_told_to() {
    let Some(programs) = Moto::programs() else {
        return;
    };
    let files = TlsFiles::create();
    let moto = Moto::start_with_tls(&programs, &files);
    let arn = moto.signing_key("ECC_NIST_P384");
    let reference = format!("awskms://{}/{arn}", moto.address);
    let variables = without(&moto.variables(), &["AWS_ENDPOINT_URL"]);
    let anybody = with(&variables, &[("AWS_TLS_INSECURE_SKIP_VERIFY", "1")]);
    let scene = Scene::new();
    scene.make_root(&reference, anybody.clone()).await;

    let system = with(&variables, &[("SSL_CERT_FILE", &files.path("cert.pem"))]);
    let server = scene.start(scene.serving(&reference, &system));
    scene.issues(&server);
    assert!(!server.output().contains("WARN"), "{}", server.output());
    drop(server);

    let server = scene.start(scene.serving(&reference, &anybody));
    scene.issues(&server);
    let output = server.output();
    let warning = "whoever answers is taken for AWS KMS, because AWS_TLS_INSECURE_SKIP_VERIFY is 1";
    assert!(output.contains(warning), "{output}");
    drop(server);

    let strangers = TlsFiles::create();
    let others = with(
        &variables,
        &[("SSL_CERT_FILE", &strangers.path("cert.pem"))],
    );
    let (code, said, _log) = scene.ends(scene.serving(&reference, &others));
    assert_eq!(code, Some(1), "{said}");
    for part in [&*moto.address, "TLS certificate of AWS KMS is not accepted"] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aws_that_goes_away_is_the_operators_matter_and_used_again_when_it_is_back() {
    let Some(programs) = Moto::programs() else {
        return;
    };
    let moto = Moto::start(&programs);
    let reference = format!("awskms:///{}", moto.signing_key("ECC_NIST_P256"));
    let scene = Scene::new();
    scene.make_root(&reference, moto.variables()).await;
    let relay = Relay::start(&moto.address).await;
    let address = format!("http://{}", relay.address);
    let variables = with(&moto.variables(), &[("AWS_ENDPOINT_URL", &address)]);
    let server = scene.start(scene.serving(&reference, &variables));
    scene.issues(&server);

    relay.to(None);
    scene.refused(&server, "AWS KMS was not reached");
    relay.to(Some(&moto.address));
    wait_until("AWS KMS to be used again", || {
        (scene.request(&server).status == 200).then_some(())
    });
    scene.issues(&server);
    assert!(server.terminate().status.success());
}

#[tokio::test]
async fn says_on_one_line_why_it_does_not_start() {
    let Some(moto) = Moto::shared() else { return };
    let reference = format!("awskms:///{}", moto.signing_key("ECC_NIST_P256"));
    let symmetric = moto.key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    let mac = moto.key("RSA_2048", "ENCRYPT_DECRYPT");
    let scene = Scene::new();
    scene.make_root(&reference, moto.variables()).await;
    let variables = moto.variables();
    let refuses = |reference: &str, variables: &Variables, code, parts: &[&str]| {
        let (ended, said, log) = scene.ends(scene.serving(reference, variables));
        assert_eq!(ended, Some(code), "{said}");
        for part in parts.iter().chain(&["--kms-resource"]) {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        for secret in ["secret", "horse"] {
            assert!(
                !said.contains(secret) && !log.contains(secret),
                "{said}{log}"
            );
        }
    };
    let alone = without(&variables, &["AWS_REGION"]);
    refuses("awskms:///alias/fulcio", &alone, 2, &["set AWS_REGION"]);
    for address in [
        "http://user:horse@127.0.0.1:1",
        "127.0.0.1:1",
        "unix:///kms",
    ] {
        let variables = with(&variables, &[("AWS_ENDPOINT_URL", address)]);
        refuses(
            &reference,
            &variables,
            2,
            &["AWS_ENDPOINT_URL", "such as https://"],
        );
    }
    let nobody = with(
        &without(&variables, &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
        &[("AWS_EC2_METADATA_DISABLED", "true")],
    );
    refuses(
        &reference,
        &nobody,
        2,
        &["set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
    );

    let asked = format!("asked of {}: ", moto.address);
    refuses(
        "awskms:///alias/missing",
        &variables,
        1,
        &[&asked, "alias/missing", "us-east-2"],
    );
    refuses(&format!("awskms:///{symmetric}"), &variables, 1, &[&asked]);
    refuses(&format!("awskms:///{mac}"), &variables, 1, &["SIGN_VERIFY"]);

    let other = format!("awskms:///{}", moto.signing_key("ECC_NIST_P256"));
    let parts = [
        "--kms-cert-chain-path chain.pem and --kms-resource",
        &other,
        "does not belong",
    ];
    refuses(&other, &variables, 1, &parts);
    fs::remove_file(scene.path("chain.pem")).unwrap();
    let (code, said, _log) = scene.ends(scene.serving(&reference, &variables));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("chain.pem cannot be read"), "{said}");
}

#[test]
fn says_that_aws_is_not_there_and_warns_of_what_is_in_the_open() {
    let scene = Scene::new();
    scene.any_chain();
    for (host, warned) in [(NOBODY, false), ("kms.invalid:8200", true)] {
        let variables = Variables::from([
            ("AWS_ACCESS_KEY_ID", "id".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{host}")),
            ("AWS_REGION", "us-east-2".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("HTTP_PROXY", "http://user:horse@127.0.0.1:1".to_owned()),
        ]);
        let (code, said, log) = scene.ends(scene.serving(ALIAS, &variables));
        assert_eq!(code, Some(1), "{said}");
        for part in ["--kms-resource", host, "AWS KMS was not reached"] {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        for warning in ["tokens too; use https://", "through HTTP_PROXY"] {
            assert_eq!(log.contains(warning), warned, "{log}");
        }
        let all = said + &log;
        assert!(!all.contains("secret") && !all.contains("horse"), "{all}");
    }
}
