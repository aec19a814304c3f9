use fulcio_test_services::{
    Relay, TlsFiles,
    gcp_kms::{GcpKms, Reply},
};

use super::{
    super::common::{NOBODY, Scene, Variables, wait_until},
    refuses, with,
};

const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issues_with_every_kind_of_key() {
    let google = GcpKms::start().await;
    for algorithm in [
        "EC_SIGN_P256_SHA256",
        "EC_SIGN_P384_SHA384",
        "EC_SIGN_ED25519",
        "RSA_SIGN_PKCS1_2048_SHA256",
    ] {
        let key = google.signing_key(&algorithm.to_lowercase(), algorithm);
        let reference = format!("gcpkms://{key}");
        let scene = Scene::new();
        scene.make_root(&reference, google.variables()).await;
        let server = scene.start(scene.serving(&reference, &google.variables()));
        scene.issues(&server);
        let output = server.output();
        assert!(
            output.contains(&format!("{key}/cryptoKeyVersions/1")),
            "{output}"
        );
        assert!(!output.contains("WARN"), "{output}");
        assert!(server.terminate().status.success(), "{algorithm}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takes_the_newest_enabled_version_unless_one_is_named() {
    let google = GcpKms::start().await;
    let variables = google.variables();
    let key = google.signing_key("ca", "EC_SIGN_P384_SHA384");
    let newest = format!("gcpkms://{key}");
    let scene = Scene::new();
    scene.make_root(&newest, variables.clone()).await;
    let second = google.add_version(&key, "EC_SIGN_P384_SHA384");
    let named = format!("which is gcpkms://{second}");
    let parts = [
        "--kms-cert-chain-path chain.pem and --kms-resource",
        &named,
        "does not belong",
    ];
    refuses(&scene, scene.serving(&newest, &variables), 1, &parts);
    for version in ["versions", "cryptoKeyVersions"] {
        let first = format!("{newest}/{version}/1");
        scene.issues(&scene.start(scene.serving(&first, &variables)));
    }
    google.set_state(&second, "DISABLED");
    scene.issues(&scene.start(scene.serving(&newest, &variables)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_google_that_goes_away_is_the_operators_matter_and_used_again_when_it_is_back() {
    let google = GcpKms::start().await;
    let key = google.signing_key("ca", "EC_SIGN_P256_SHA256");
    let reference = format!("gcpkms://{key}");
    let scene = Scene::new();
    scene.make_root(&reference, google.variables()).await;
    let host = google.address.strip_prefix("http://").unwrap();
    let relay = Relay::start(host).await;
    let address = format!("http://{}", relay.address);
    let variables = Variables::from([(ENDPOINT, address)]);
    let server = scene.start(scene.serving(&reference, &variables));
    scene.issues(&server);

    let version = format!("{key}/cryptoKeyVersions/1");
    google.set_state(&version, "DISABLED");
    scene.refused(&server, "enable it, or restore it");
    google.set_state(&version, "ENABLED");
    scene.issues(&server);

    relay.to(None);
    scene.refused(&server, "Google Cloud KMS was not reached");
    relay.to(Some(host));
    wait_until("Google Cloud KMS to be used again", || {
        (scene.request(&server).status == 200).then_some(())
    });
    scene.issues(&server);
    assert!(server.terminate().status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gives_google_the_time_that_the_flags_say() {
    let google = GcpKms::start().await;
    let key = google.signing_key("ca", "EC_SIGN_P256_SHA256");
    let reference = format!("gcpkms://{key}");
    let scene = Scene::new();
    scene.make_root(&reference, google.variables()).await;
    let mut command = scene.serving(&reference, &google.variables());
    command.args(["--gcp-kms-timeout=1", "--gcp-kms-retries=0"]);
    let server = scene.start(command);
    google.then([Reply::Hang]);
    scene.issues(&server);
    google.forget();
    google.then(vec![Reply::Hang; 9]);
    scene.refused(&server, "within 1000 ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_on_one_line_why_it_does_not_start() {
    let google = GcpKms::start().await;
    let variables = google.variables();
    let key = google.signing_key("ca", "EC_SIGN_P256_SHA256");
    let reference = format!("gcpkms://{key}");
    let scene = Scene::new();
    scene.make_root(&reference, variables.clone()).await;
    let asked = format!(
        "asked of {}: ",
        google.address.strip_prefix("http://").unwrap()
    );
    let missing = reference.replace("/ca", "/missing");
    for (reference, part) in [
        (missing.clone(), "Google Cloud KMS has no"),
        (format!("{reference}/versions/7"), "Google Cloud KMS has no"),
        (
            format!("gcpkms://{}", google.wrapping_key("wrap")),
            "cannot be used",
        ),
        (
            format!(
                "gcpkms://{}",
                google.signing_key("pss", "RSA_SIGN_PSS_2048_SHA256")
            ),
            "EC_SIGN_P384_SHA384",
        ),
    ] {
        let parts = ["--kms-resource", &reference, &asked, part];
        refuses(&scene, scene.serving(&reference, &variables), 1, &parts);
    }
    google.then([Reply::error(403, "PERMISSION_DENIED", "not you")]);
    let parts = ["--kms-resource", &asked, "refused it", "not you"];
    refuses(&scene, scene.serving(&reference, &variables), 1, &parts);
    google.forget();

    for address in ["http://user:horse@127.0.0.1:1", "kms:1", "unix:///kms"] {
        let variables = Variables::from([(ENDPOINT, address.to_owned())]);
        let parts = ["--kms-resource", ENDPOINT, "such as https://"];
        let all = refuses(&scene, scene.serving(&reference, &variables), 2, &parts);
        assert!(!all.contains("horse"), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wants_credentials_and_a_certificate_that_is_trusted() {
    let files = TlsFiles::create();
    let google = GcpKms::start_with_tls(&files).await;
    let key = google.signing_key("ca", "EC_SIGN_P256_SHA256");
    let reference = format!("gcpkms://{key}");
    let scene = Scene::new();
    scene.any_chain();
    let absent = with(
        &google.variables(),
        &[
            ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json"),
            ("SSL_CERT_FILE", &files.path("cert.pem")),
        ],
    );
    let parts = ["--kms-resource", "GOOGLE_APPLICATION_CREDENTIALS"];
    refuses(&scene, scene.serving(&reference, &absent), 1, &parts);
}

#[test]
fn says_that_google_is_not_there_and_warns_of_what_is_in_the_open() {
    let scene = Scene::new();
    scene.any_chain();
    let reference = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k";
    for (host, warned) in [(NOBODY, false), ("kms.invalid:8200", true)] {
        let variables = Variables::from([(ENDPOINT, format!("http://{host}"))]);
        let parts = ["--kms-resource", host, "Google Cloud KMS was not reached"];
        let all = refuses(&scene, scene.serving(reference, &variables), 1, &parts);
        assert_eq!(all.contains("use https://"), warned, "{all}");
    }
}
