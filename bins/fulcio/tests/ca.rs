//! `fulcio ca` over key files: what it makes, as OpenSSL, pkilint and the server judge it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ca_scene;

use std::{fs, os::unix::fs::symlink, sync::Arc};

use ca_scene::{CSR, INTERMEDIATE, ROOT, Scene};
use fulcio_cert_builder::{CaChain, CertificateProfile, pem};
use fulcio_ct_log::{EmbeddedLog, Options};
use fulcio_issuance::{
    CertificateAuthority as _, Clock as _, IssuingKey, LocalAuthority, RandomSerialNumbers,
    RequestContext, SerialNumbers as _, SystemClock,
};
use fulcio_principal::{Extensions, Principal, SubjectAltName};
use fulcio_signer::Signer as _;
use fulcio_signer_file::FileSigner;

/// The server would issue with this chain and this key file.
#[track_caller]
fn serves(scene: &Scene, chain: &str, key: &str) {
    let chain = CaChain::from_pem(scene.read(chain).as_bytes(), SystemClock.now()).unwrap();
    let signer = FileSigner::open(scene.path(key), None).unwrap();
    IssuingKey::new(chain, Box::new(signer)).unwrap();
}

#[test]
fn a_root_and_an_intermediate_are_good_for_everybody() {
    let scene = Scene::with_keys(&["root", "key"]);
    let page = scene
        .ca(&format!("{ROOT} --country UK --organizational-unit PKI"))
        .good();
    assert!(
        page.contains("CN=Example root,OU=PKI,O=Example,C=UK"),
        "{page}"
    );
    assert!(
        page.contains("Root in                    root.pem"),
        "{page}"
    );
    let page = scene.ca(INTERMEDIATE).good();
    assert!(
        page.contains("Chain in                   chain.pem"),
        "{page}"
    );

    let root = scene.shown("root.pem");
    for expected in [
        "Subject: C = UK, O = Example, OU = PKI, CN = Example root",
        "Issuer: C = UK, O = Example, OU = PKI, CN = Example root",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:1\n",
        "X509v3 Subject Key Identifier",
        "Signature Algorithm: ecdsa-with-SHA384",
    ] {
        assert!(root.contains(expected), "{expected} in {root}");
    }
    assert!(!root.contains("Extended Key Usage"), "{root}");
    let intermediate = scene.shown("chain.pem");
    for expected in [
        "Subject: O = Example, CN = Example intermediate",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
        "X509v3 Extended Key Usage: \n                Code Signing\n",
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0\n",
        "X509v3 Authority Key Identifier",
    ] {
        assert!(
            intermediate.contains(expected),
            "{expected} in {intermediate}"
        );
    }

    scene.verifies("root.pem", "chain.pem");
    assert!(scene.read("chain.pem").ends_with(&scene.read("root.pem")));
    let name = "email:ada@example.com";
    scene
        .leaf("root.pem", "chain.pem", "key.key", name)
        .unwrap();
    serves(&scene, "chain.pem", "key.key");
    serves(&scene, "root.pem", "root.key");
    scene.lints("chain.pem");
}

#[test]
fn every_kind_of_key_makes_a_root_that_openssl_verifies() {
    for (key, advised) in [
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", true),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-521", false),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", true),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:4096", false),
        ("-algorithm ED25519", true),
    ] {
        let scene = Scene::new();
        scene.openssl(&format!("genpkey {key} -out root.key"));
        let warnings = scene.ca(ROOT).warned();
        assert_eq!(warnings.len(), usize::from(advised), "{key}: {warnings:?}");
        assert!(
            warnings.iter().all(|it| it.contains("RSA-4096")),
            "{warnings:?}"
        );
        scene.verifies("root.pem", "root.pem");
        serves(&scene, "root.pem", "root.key");
    }
}

#[test]
fn passwords_come_from_files_and_from_the_environment() {
    let scene = Scene::with_keys(&["plain"]);
    scene.openssl(
        "pkcs8 -topk8 -in plain.key -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 1000 -out root.key \
         -passout pass:horse",
    );
    scene.write("password", "horse\nbattery\n");
    scene.write("wrong", "donkey\n");
    scene.write("empty", "\n");
    let overwrite = format!("{ROOT} --overwrite");
    scene
        .ca(&format!("{overwrite} --key-password-file password"))
        .good();
    let variables = [("ROOTPASSWORD", "horse")];
    let by_variable = format!("{overwrite} --key-password-env ROOTPASSWORD");
    scene.ca_with(&by_variable, &variables).good();

    for (more, why) in [
        ("", "is encrypted"),
        ("--key-password-file wrong", "password"),
        (
            "--key-password-file empty",
            "--key-password-file empty has an empty first line",
        ),
        ("--key-password-file missing", "cannot read missing"),
        (
            "--key-password-env NOTHING",
            "--key-password-env NOTHING: the environment has no such",
        ),
    ] {
        let said = scene.ca(&format!("{overwrite} {more}")).bad();
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("donkey"), "{said}");
    }
    let both = "--key-password-file password --key-password-env A";
    scene.ca(&format!("{overwrite} {both}")).usage();
}

#[test]
fn an_offline_root_signs_a_request_and_the_certificate_is_imported() {
    let scene = Scene::with_root("");
    let page = scene.ca(CSR).good();
    assert!(
        page.contains("Request in                 request.pem"),
        "{page}"
    );
    let request = scene.openssl("req -in request.pem -verify -noout -text");
    assert!(
        request.contains("Subject: O = Example, CN = Asked for"),
        "{request}"
    );
    assert!(request.contains("CA:TRUE, pathlen:0"), "{request}");

    let sign = "intermediate --csr request.pem --parent root.pem --parent-key file:root.key";
    scene.ca(&format!("{sign} --out issued.pem")).good();
    assert!(
        scene
            .shown("issued.pem")
            .contains("Subject: O = Example, CN = Asked for")
    );
    let import = "import --key file:key.key --chain issued.pem --out chain.pem";
    let page = scene.ca(import).good();
    assert!(page.contains("its chain holds"), "{page}");
    assert_eq!(scene.read("chain.pem"), scene.read("issued.pem"));
    scene.verifies("root.pem", "chain.pem");
    serves(&scene, "chain.pem", "key.key");
    scene.lints("chain.pem");
}

#[test]
fn openssl_can_be_the_offline_root() {
    let scene = Scene::with_root("--permit-email example.com");
    scene
        .ca(&format!("{CSR} --permit-email example.com"))
        .good();
    // It copies what the request asks for.
    scene.write("extra.cnf", "[e]\nauthorityKeyIdentifier = keyid\n");
    scene.openssl(
        "x509 -req -in request.pem -CA root.pem -CAkey root.key -CAcreateserial -days 1000 -sha384 \
         -copy_extensions copy -extfile extra.cnf -extensions e -out issued.pem",
    );
    let import = "import --key file:key.key --chain root.pem --chain issued.pem --out chain.pem";
    scene.ca(import).good();
    assert!(scene.shown("chain.pem").contains("email:example.com"));
    serves(&scene, "chain.pem", "key.key");
}

#[test]
fn only_key_and_name_are_taken_from_a_request() {
    let scene = Scene::with_root("");
    scene.write(
        "wide.cnf",
        "[req]\ndistinguished_name = dn\nreq_extensions = wide\n[dn]\n[wide]\n\
         basicConstraints = CA:TRUE\nkeyUsage = digitalSignature\nextendedKeyUsage = serverAuth\n\
         subjectAltName = DNS:example.com\n",
    );
    scene.openssl(
        "req -new -key key.key -subj /O=Theirs/CN=theirs -config wide.cnf -out request.pem",
    );
    let sign = "intermediate --csr request.pem --parent root.pem --parent-key file:root.key";
    scene.ca(&format!("{sign} --out one.pem")).good();
    let shown = scene.shown("one.pem");
    assert!(
        shown.contains("Subject: O = Theirs, CN = theirs"),
        "{shown}"
    );
    assert!(shown.contains("CA:TRUE, pathlen:0"), "{shown}");
    assert!(!shown.contains("Digital Signature"), "{shown}");
    assert!(!shown.contains("DNS:"), "{shown}");
    scene.lints("one.pem");

    scene
        .ca(&format!(
            "{sign} --org Ours --common-name ours --out two.pem"
        ))
        .good();
    assert!(
        scene
            .shown("two.pem")
            .contains("Subject: O = Ours, CN = ours")
    );
    // A name is taken as a whole, so that none is half of each.
    let said = scene
        .ca(&format!("{sign} --common-name ours --out three.pem"))
        .bad();
    assert!(
        said.contains("the subject must have an organization"),
        "{said}"
    );
}

#[test]
fn requests_that_prove_nothing_are_refused() {
    let scene = Scene::with_root("");
    let sign = "intermediate --csr request.pem --parent root.pem --parent-key file:root.key \
                --org Example --common-name x --out chain.pem";
    scene.ca(CSR).good();
    let der = |name: &str| fs::read(scene.path(name)).unwrap();
    scene.openssl("req -in request.pem -outform DER -out request.der");
    let mut changed = der("request.der");
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(scene.path("request.der"), changed).unwrap();
    scene.openssl("req -inform DER -in request.der -out request.pem");
    let said = scene.ca(sign).bad();
    assert!(
        said.contains("--csr request.pem: the request is not signed by its own key"),
        "{said}"
    );

    for text in [
        "",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    ] {
        scene.write("request.pem", text);
        let said = scene.ca(sign).bad();
        assert!(said.contains("request.pem"), "{said}");
    }
    scene.openssl("req -new -sha1 -key key.key -subj /O=a/CN=b -out request.pem");
    let said = scene.ca(sign).bad();
    assert!(
        said.contains("signed with 1.2.840.10045.4.1, which is not accepted"),
        "{said}"
    );
    assert!(!scene.path("chain.pem").exists());
}

#[test]
fn openssl_refuses_leaves_outside_of_the_name_constraints() {
    let scene = Scene::with_root("--exclude-uri github.com");
    let permitted = "--permit-email example.com --permit-uri .example.com --permit-dns example.com";
    scene.ca(&format!("{INTERMEDIATE} {permitted}")).good();
    let leaf = |name: &str| scene.leaf("root.pem", "chain.pem", "key.key", name);
    for good in [
        "email:ada@example.com",
        "URI:https://ci.example.com/1",
        "DNS:a.example.com",
    ] {
        leaf(good).unwrap();
    }
    for bad in [
        "email:ada@example.org",
        "URI:https://example.org/1",
        "DNS:example.org",
    ] {
        let said = leaf(bad).unwrap_err();
        assert!(said.contains("permitted subtree violation"), "{said}");
    }
    scene.lints("chain.pem");

    // Without constraints of its own, it has those of the root.
    scene.ca(&format!("{INTERMEDIATE} --overwrite")).good();
    leaf("URI:https://gitlab.com/1").unwrap();
    let said = leaf("URI:https://github.com/1").unwrap_err();
    assert!(said.contains("excluded subtree violation"), "{said}");
}

/// A certificate with this name below `chain.pem`, with the promise of a log whose key is in `log.pem`.
fn logged(scene: &Scene, name: SubjectAltName) {
    let now = SystemClock.now();
    let chain = CaChain::from_pem(scene.read("chain.pem").as_bytes(), now).unwrap();
    let signer = FileSigner::open(scene.path("key.key"), None).unwrap();
    let key = IssuingKey::new(chain, Box::new(signer)).unwrap();
    let client = FileSigner::open(scene.path("client.key"), None).unwrap();
    let principal = Principal::new("1", name, Extensions::for_issuer("https://idp.example.com"));
    let serial = RandomSerialNumbers::default().next().unwrap();
    let profile = CertificateProfile::CODE_SIGNING;
    let leaf = profile
        .leaf(&principal, client.public_key(), serial, now)
        .unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let certified = runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(|| SystemClock.now()).with_origin("log.example.com/2026");
        let log = Arc::new(EmbeddedLog::open(folder.path(), options).unwrap());
        scene.write("log.pem", &log.public_key_pem());
        let authority = LocalAuthority::with_embedded_timestamps(key, log);
        let context = RequestContext::new("1");
        authority.issue(&leaf, &context).await.unwrap()
    });
    scene.write("leaf.pem", &pem(&certified.chain[0]));
}

#[test]
fn fulcio_verify_refuses_every_name_of_a_form_that_is_constrained() {
    let scene = Scene::with_root("");
    scene.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.key");
    let verify = "verify leaf.pem --trust-bundle chain.pem --ct-log-key log.pem";
    let uri = || SubjectAltName::Uri("https://ci.example.com/1".into());
    let email = || SubjectAltName::Email("ada@example.com".into());
    for (constraint, constrained, other) in [
        ("--permit-email example.com", email(), uri()),
        ("--exclude-email example.org", email(), uri()),
        ("--permit-uri .example.com", uri(), email()),
        ("--exclude-uri example.org", uri(), email()),
    ] {
        scene
            .ca(&format!("{INTERMEDIATE} {constraint} --overwrite"))
            .good();
        logged(&scene, other);
        scene.fulcio(verify).good();
        logged(&scene, constrained);
        scene.fulcio(verify).untrusted();
        scene.openssl("verify -purpose any -CAfile root.pem -untrusted chain.pem leaf.pem");
    }
}

#[test]
fn lifetimes_end_when_they_should() {
    let ends = |scene: &Scene, name: &str| {
        let shown = scene.openssl(&format!("x509 -in {name} -noout -dates"));
        shown.lines().last().unwrap().to_owned()
    };
    let scene = Scene::with_root("--lifetime 87600h");
    let dates = scene.openssl("x509 -in root.pem -noout -startdate -enddate -dateopt iso_8601");
    assert!(
        dates.contains("notBefore=") && dates.contains("notAfter="),
        "{dates}"
    );
    scene.openssl("x509 -in root.pem -noout -checkend 315350000");
    scene.ca(&format!("{INTERMEDIATE} --lifetime 5y")).good();
    scene.openssl("x509 -in chain.pem -noout -checkend 157700000");

    // Nobody asked for three years, so less is no reason to refuse.
    let scene = Scene::with_keys(&["root", "key"]);
    let warnings = scene.ca(&format!("{ROOT} --lifetime 30d")).warned();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("10 years would not, and it is 30 days"),
        "{warnings:?}"
    );
    let warnings = scene.ca(INTERMEDIATE).warned();
    assert!(
        warnings[0].contains("the lifetime of 3 years is cut"),
        "{warnings:?}"
    );
    assert_eq!(ends(&scene, "chain.pem"), ends(&scene, "root.pem"));

    let said = scene
        .ca(&format!("{INTERMEDIATE} --lifetime 31d --overwrite"))
        .bad();
    assert!(
        said.contains("the lifetime must not exceed that of the parent"),
        "{said}"
    );
    assert!(said.contains("give a shorter --lifetime"), "{said}");
    scene
        .ca(&format!("{INTERMEDIATE} --lifetime forever"))
        .usage();
}

#[test]
fn a_template_says_what_flags_say_and_flags_win() {
    let toml = "org = \"Example\"\ncommon-name = \"From the file\"\ncountry = \"UK\"\n\
                lifetime = \"20y\"\npath-length = 2\npermit-email = [\"example.com\", \"example.org\"]\n\
                key-usage = [\"certSign\", \"crlSign\"]\nextended-key-usage = []\n";
    let json = r#" {"org": "Example", "common-name": "From the file", "country": "UK", "lifetime": "20y",
        "path-length": 2, "permit-email": ["example.com", "example.org"]}"#;
    for text in [toml, json] {
        let scene = Scene::with_keys(&["root"]);
        scene.write("template", text);
        let root = "root --key file:root.key --template template --out root.pem --overwrite";
        scene.ca(root).good();
        let shown = scene.shown("root.pem");
        for expected in [
            "Subject: C = UK, O = Example, CN = From the file",
            "pathlen:2",
            "email:example.com",
            "email:example.org",
        ] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        scene.openssl("x509 -in root.pem -noout -checkend 630000000");

        let flags = "--common-name From_the_flag --path-length none --permit-email a.example";
        scene.ca(&format!("{root} {flags}")).good();
        let shown = scene.shown("root.pem");
        assert!(
            shown.contains("C = UK, O = Example, CN = From the flag"),
            "{shown}"
        );
        assert!(shown.contains("email:a.example"), "{shown}");
        assert!(
            !shown.contains("pathlen") && !shown.contains("email:example"),
            "{shown}"
        );
    }
}

#[test]
fn a_template_that_says_something_else_is_refused() {
    let scene = Scene::with_keys(&["root"]);
    for (text, why) in [
        (
            "comon-name = \"a\"",
            "\"comon-name\" is no key of a template; did you mean \"common-name\"?",
        ),
        (
            r#"{"organization": "a"}"#,
            "did you mean \"organizational-unit\"?",
        ),
        (
            r#"{"org": "a", "org": "b"}"#,
            "\"org\" is there more than once",
        ),
        ("org = \"a\"\norg = \"b\"", "no TOML that can be read"),
        ("org = 7", "\"org\": it must be a text"),
        (
            "permit-email = \"example.com\"",
            "\"permit-email\": it must be a list of texts",
        ),
        (
            "path-length = 256",
            "\"path-length\": a path length is a number from 0 to 255",
        ),
        ("path-length = 1.5", "\"path-length\": a path length is"),
        (
            "lifetime = \"soon\"",
            "\"lifetime\": a lifetime is a number and a unit",
        ),
        ("lifetime = 10", "\"lifetime\": a lifetime is"),
        ("{", "no JSON that can be read"),
        ("\u{0}", "no TOML that can be read"),
        (
            "permit-uri = [\"https://a.example\"]",
            "URI constraints are hosts",
        ),
    ] {
        scene.write("template", text);
        let said = scene.ca(&format!("{ROOT} --template template")).bad();
        assert!(said.contains(why), "{text}: {said}");
    }
    let said = scene.ca(&format!("{ROOT} --template missing")).bad();
    assert!(said.contains("cannot read missing"), "{said}");
    assert!(!scene.path("root.pem").exists());
}

#[test]
fn each_broken_rule_is_named_and_nothing_is_written() {
    let root = "root --key file:root.key --out new.pem";
    let intermediate = "intermediate --key file:key.key --parent-key file:root.key --parent root.pem \
                        --out new.pem";
    let name = "--org Example --common-name a";
    let scene = Scene::with_root("--permit-email example.com --exclude-dns example.com");
    scene.write(
        "signing.toml",
        "key-usage = [\"certSign\", \"crlSign\", \"digitalSignature\"]",
    );
    scene.write("usage.toml", "extended-key-usage = [\"codeSigning\"]");
    scene.write(
        "usages.json",
        r#"{"extended-key-usage": ["codeSigning", "serverAuth"]}"#,
    );
    for (command, more, rule) in [
        (
            root,
            "--org Example",
            "the subject must have a common name (give one with --common-name)",
        ),
        (
            root,
            "--common-name a",
            "the subject must have an organization (give one with --org)",
        ),
        (
            root,
            &format!("{name} --country USA"),
            "the country must be two letters",
        ),
        (
            root,
            &format!("--org Example --common-name {}", "a".repeat(65)),
            "the common name must have 64 characters at most, and it has 65",
        ),
        (
            root,
            &format!("{name} --template signing.toml"),
            "the key usages must be certificate sign and CRL sign, and no others",
        ),
        (
            root,
            &format!("{name} --template usage.toml"),
            "a root must not have extended key usages, and it has codeSigning",
        ),
        (
            root,
            &format!("{name} --permit-uri a.example --exclude-uri a.example"),
            "it permits URI a.example, which CN=a,O=Example excludes",
        ),
        (
            intermediate,
            &format!("{name} --template usages.json"),
            "an intermediate must have the extended key usage codeSigning and no other",
        ),
        (
            intermediate,
            "--org Example",
            "the subject must have a common name",
        ),
        (
            intermediate,
            &format!("{name} --path-length 1"),
            "the path length of CN=Example root,O=Example is 1 and would have to be 2",
        ),
        (
            intermediate,
            &format!("{name} --lifetime 11y"),
            "the lifetime must not exceed that of the parent",
        ),
        (
            intermediate,
            &format!("{name} --permit-email example.org"),
            "it permits e-mail example.org, which CN=Example root,O=Example does not permit",
        ),
        (
            intermediate,
            &format!("{name} --permit-dns a.example.com"),
            "it permits DNS name a.example.com, which CN=Example root,O=Example excludes",
        ),
    ] {
        let said = scene.ca(&format!("{command} {more}")).bad();
        assert!(
            said.contains("certificate specification of Sigstore"),
            "{said}"
        );
        assert!(said.contains(rule), "{said}");
        assert!(!scene.path("new.pem").exists());
    }
    let said = scene
        .ca(&format!("{root} {name} --permit-email a@b@c"))
        .bad();
    assert!(
        said.contains("\"a@b@c\": e-mail constraints are written as"),
        "{said}"
    );
}

#[test]
fn what_only_should_be_is_warned_of() {
    let scene = Scene::with_root("--path-length none");
    scene.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.key");
    let done = scene.ca(&format!("{INTERMEDIATE} --path-length 1 --lifetime 1y"));
    let warnings = done.warned();
    for (warning, expected) in warnings.iter().zip([
        "the key should be ECDSA on P-384 or stronger, or RSA-4096",
        "the lifetime should not require frequent rotation",
        "an intermediate should have the path length 0",
        "the key should be of the same kind as the parent's",
    ]) {
        assert!(warning.contains(expected), "{warnings:?}");
    }
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    scene.verifies("root.pem", "chain.pem");

    let warnings = scene.ca(&format!("{CSR} --template /dev/null")).warned();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    scene.write("lifetime.toml", "lifetime = \"3y\"");
    let warnings = scene
        .ca(&format!("{CSR} --overwrite --template lifetime.toml"))
        .warned();
    assert!(
        warnings[0].contains("a request has no lifetime"),
        "{warnings:?}"
    );
}

#[test]
fn machines_get_json_with_the_warnings_in_it() {
    let scene = Scene::with_keys(&["root", "key"]);
    let root = scene.ca(&format!("{ROOT} --json --lifetime 1y")).json();
    assert_eq!(root["certificate"], "root.pem");
    assert_eq!(root["description"]["subject"], "CN=Example root,O=Example");
    assert_eq!(root["warnings"].as_array().unwrap().len(), 1, "{root}");
    let chain = scene
        .ca(&format!("{INTERMEDIATE} --json --lifetime 300d"))
        .json();
    assert_eq!(chain["chain"], "chain.pem");
    assert_eq!(chain["description"]["issuer"], "CN=Example root,O=Example");
    let request = scene.ca(&format!("{CSR} --json")).json();
    assert_eq!(request["request"], "request.pem");
    let imported = scene.ca("import --key file:key.key --chain chain.pem --json");
    let imported = imported.json();
    assert_eq!(imported["certificates"], 2);
    assert!(
        imported["chain"].is_null() && imported["storedUnder"].is_null(),
        "{imported}"
    );
}

#[test]
fn a_file_that_is_there_stays_unless_told_otherwise() {
    let scene = Scene::with_root("");
    let before = scene.read("root.pem");
    for command in [
        ROOT,
        "intermediate --key file:key.key --parent-key file:root.key --parent root.pem --out root.pem",
        "csr --key file:key.key --out root.pem",
        "import --key file:root.key --chain root.pem --out root.pem",
    ] {
        let said = scene.ca(command).bad();
        assert!(
            said.contains("--out root.pem is there already; --overwrite"),
            "{said}"
        );
    }
    assert_eq!(scene.read("root.pem"), before);

    // Not what a link points at, and nothing of it is left.
    scene.write("other", "precious");
    fs::remove_file(scene.path("root.pem")).unwrap();
    symlink("other", scene.path("root.pem")).unwrap();
    scene.ca(ROOT).bad();
    scene.ca(&format!("{ROOT} --overwrite")).good();
    assert_eq!(scene.read("other"), "precious");
    assert_ne!(scene.read("root.pem"), before);
    assert_eq!(scene.names(), ["key.key", "other", "root.key", "root.pem"]);
    let said = scene
        .ca("root --key file:root.key --org a --common-name b --out no/where.pem")
        .bad();
    assert!(said.contains("cannot write no/where.pem"), "{said}");
}

#[test]
fn a_parent_must_be_an_authority_that_holds_now_and_the_key_its_own() {
    let scene = Scene::with_root("");
    scene.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out other.key");
    let below = |parent: &str, key: &str| {
        scene.ca(&format!(
            "intermediate --key file:key.key --parent-key file:{key} --parent {parent} --org a \
             --common-name b --out new.pem"
        ))
    };
    let said = below("root.pem", "other.key").bad();
    assert!(
        said.contains("--parent-key is not the key of the first certificate of root.pem"),
        "{said}"
    );

    scene
        .leaf("root.pem", "root.pem", "root.key", "email:ada@example.com")
        .unwrap();
    let said = below("leaf.pem", "leaf.key").bad();
    assert!(said.contains("is not a CA certificate"), "{said}");
    scene.write("empty.pem", "");
    let said = below("empty.pem", "root.key").bad();
    assert!(
        said.contains("--parent empty.pem: there is no certificate in it"),
        "{said}"
    );

    scene.ca(INTERMEDIATE).good();
    let said = scene
        .ca("intermediate --key file:other.key --parent-key file:key.key --parent chain.pem --org a \
             --common-name b --out new.pem")
        .bad();
    assert!(
        said.contains("the path length of CN=Example intermediate,O=Example is 0"),
        "{said}"
    );
    let said = scene
        .ca(
            "intermediate --key file:root.key --parent-key file:root.key --parent root.pem --org a \
             --common-name b --out new.pem",
        )
        .bad();
    assert!(
        said.contains("the new authority's key is the parent's own"),
        "{said}"
    );

    scene
        .ca(&format!("{ROOT} --overwrite --lifetime 1s"))
        .warned();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let said = below("root.pem", "root.key").bad();
    assert!(
        said.contains("(CN=Example root,O=Example) expired at"),
        "{said}"
    );
    assert!(!scene.path("new.pem").exists());
}

#[test]
fn an_intermediate_below_an_intermediate_has_the_whole_chain() {
    let scene = Scene::with_root("--path-length 2");
    scene.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out issuing.key");
    let warnings = scene
        .ca(&format!("{INTERMEDIATE} --path-length 1 --lifetime 5y"))
        .warned();
    assert!(
        warnings[0].contains("should have the path length 0"),
        "{warnings:?}"
    );
    scene
        .ca(
            "intermediate --key file:issuing.key --parent-key file:key.key --parent chain.pem \
             --org Example --common-name Issuing --out issuing.pem",
        )
        .good();
    assert_eq!(
        scene
            .read("issuing.pem")
            .matches("BEGIN CERTIFICATE")
            .count(),
        3
    );
    scene.verifies("root.pem", "issuing.pem");
    serves(&scene, "issuing.pem", "issuing.key");
}

#[test]
fn a_key_that_cannot_be_used_is_one_line() {
    let scene = Scene::with_keys(&["root"]);
    let root = |key: &str| {
        let arguments = format!("root --key {key} --org a --common-name b --out root.pem");
        scene.ca(&arguments).bad()
    };
    for (key, why) in [
        ("root.key", "--key: where the key is must be said as a URI"),
        ("file:missing.key", "--key: "),
        ("ftp:root.key", "no back end for ftp:"),
        (
            "ephemeral:p384",
            "a key that is never written down cannot be that of an authority",
        ),
        ("hashivault://fulcio", "VAULT_ADDR"),
        (
            "pkcs11:token=t;object=k?module-path=/nowhere.so&pin-value=246813",
            "/nowhere.so",
        ),
    ] {
        let said = root(key);
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("246813"), "{said}");
    }
    scene.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out root.key");
    let said = root("file:root.key");
    assert!(said.contains("1024"), "{said}");
    assert_eq!(scene.names(), ["root.key"]);
}

#[test]
fn import_puts_the_chain_in_order_and_leaves_out_strangers() {
    let scene = Scene::with_root("");
    scene.ca(INTERMEDIATE).good();
    let text = scene.read("chain.pem");
    let (intermediate, root) = text.split_at(text.len() - scene.read("root.pem").len());
    let stranger = Scene::with_root("").read("root.pem");
    scene.write(
        "mixed.pem",
        &format!("{stranger}text\n{root}{intermediate}{root}"),
    );
    let import = "import --key file:key.key --chain mixed.pem --out ordered.pem";
    let warnings = scene.ca(import).warned();
    assert_eq!(
        warnings,
        ["2 of the 4 certificates are not part of the chain, and were left out"]
    );
    assert_eq!(scene.read("ordered.pem"), text);

    // Nothing has to be written.
    scene
        .ca("import --key file:key.key --chain chain.pem")
        .good();
    scene
        .ca("import --key file:root.key --chain root.pem")
        .good();
}

#[test]
fn import_refuses_what_does_not_belong_or_hold_or_breaks_a_rule() {
    let scene = Scene::with_root("");
    scene.ca(INTERMEDIATE).good();
    scene.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out other.key");
    let import = |key: &str, chain: &str| {
        scene.ca(&format!(
            "import --key file:{key} --chain {chain} --out new.pem"
        ))
    };
    let said = import("other.key", "chain.pem").bad();
    assert!(
        said.contains("none of the certificates is for this key"),
        "{said}"
    );

    scene.openssl("x509 -in chain.pem -out alone.pem");
    let said = import("key.key", "alone.pem").bad();
    for part in [
        "the certificate of CN=Example root,O=Example, or one",
        "give it by another --chain",
    ] {
        assert!(said.contains(part), "{said}");
    }

    let namesake = Scene::with_root("").read("root.pem");
    scene.write("namesake.pem", &(scene.read("alone.pem") + &namesake));
    let said = import("key.key", "namesake.pem").bad();
    assert!(said.contains("the chain ends below its root"), "{said}");

    // What others issue may break rules that nothing here can break.
    for (extensions, rule) in [
        (
            "extendedKeyUsage = codeSigning, serverAuth",
            "codeSigning and no other",
        ),
        ("", "does not list codeSigning"),
    ] {
        scene.write(
            "foreign.cnf",
            &format!(
                "[e]\nbasicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, \
                 keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
                 {extensions}\n"
            ),
        );
        scene.openssl("req -new -key key.key -subj /O=a/CN=b -out foreign.csr");
        scene.openssl(
            "x509 -req -in foreign.csr -CA root.pem -CAkey root.key -CAcreateserial -days 100 \
             -sha384 -extfile foreign.cnf -extensions e -out foreign.pem",
        );
        scene.write(
            "both.pem",
            &(scene.read("foreign.pem") + &scene.read("root.pem")),
        );
        let said = import("key.key", "both.pem").bad();
        assert!(said.contains(rule), "{said}");
    }
    assert!(!scene.path("new.pem").exists());
}

#[test]
fn parents_that_break_rules_are_refused_unless_told_otherwise() {
    let scene = Scene::with_keys(&["root", "key"]);
    scene.write(
        "root.cnf",
        "[req]\ndistinguished_name = dn\n[dn]\n[e]\nbasicConstraints = critical, CA:TRUE\n\
         keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n",
    );
    scene.openssl(
        "req -x509 -new -key root.key -sha384 -days 3652 -subj /O=Corporation -config root.cnf \
         -extensions e -out root.pem",
    );
    let said = scene.ca(INTERMEDIATE).bad();
    assert!(
        said.contains("certificate 1 of the chain, a root, breaks the certificate specification"),
        "{said}"
    );
    assert!(
        said.contains("the subject must have a common name"),
        "{said}"
    );
    assert!(said.contains("--lenient-parents"), "{said}");
    let warnings = scene
        .ca(&format!("{INTERMEDIATE} --lenient-parents"))
        .warned();
    assert!(
        warnings[0].contains("must have a common name"),
        "{warnings:?}"
    );
    scene.verifies("root.pem", "chain.pem");

    let import = "import --key file:key.key --chain chain.pem";
    let said = scene.ca(import).bad();
    assert!(
        said.contains("certificate 2 of the chain, a root, breaks"),
        "{said}"
    );
    assert_eq!(
        scene
            .ca(&format!("{import} --lenient-parents"))
            .warned()
            .len(),
        1
    );
}

#[test]
fn the_command_line_says_what_is_missing() {
    let scene = Scene::with_keys(&["key"]);
    let said = scene.ca("root --key file:key.key").usage();
    assert!(said.contains("--out <FILE>"), "{said}");
    let said = scene
        .ca("intermediate --parent-key file:key.key --parent a --out b")
        .usage();
    assert!(said.contains("--key <URI>"), "{said}");
    let both =
        "intermediate --key file:key.key --csr a --parent-key file:key.key --parent a --out b";
    let said = scene.ca(both).usage();
    assert!(said.contains("cannot be used with"), "{said}");
    scene.ca("import --key file:key.key").usage();
    let help = scene.ca("--help").good();
    for command in ["root", "intermediate", "csr", "import"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        scene.ca(&format!("{command} --help")).good();
    }
}
