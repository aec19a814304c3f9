use std::process::Command;

use fulcio_testkit::idp::Draft;

use super::{
    super::common::{CaFiles, IdpServer, NOBODY, Server, get, unix_now, wait_until},
    signing::{Key, KeyPair, Row, SigningRequest},
};

const TOKEN: Row<'_> = row("There was an error processing the identity token");
const CSR: Row<'_> = row("The certificate signing request could not be parsed");
const KEY: Row<'_> = row("The public key supplied in the request could not be parsed");
const INSECURE: Row<'_> = row("The public key supplied in the request is insecure");
const SIGNATURE: Row<'_> = row("The signature supplied in the request could not be verified");

const fn row(message: &'static str) -> Row<'static> {
    Row {
        status: 400,
        code: 3,
        message,
        retry_after: None,
    }
}

const ALICE: &str = "alice@example.com";

/// A server without a log, on one port, and who vouches for its callers.
struct Stage {
    idp: IdpServer,
    server: Server,
}

impl Stage {
    fn set() -> Self {
        Self::set_with(&[], "")
    }

    fn set_with(flags: &[&str], more_config: &str) -> Self {
        let idp = IdpServer::start();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, idp.config() + more_config).unwrap();
        let config = format!("--config-path={}", path.display());
        let mut all = vec!["--ca=ephemeralca", "--ct-log-url=", &config];
        all.extend(flags);
        let server = Server::start_on_one_port(&all);
        Self { idp, server }
    }

    fn request(&self, key: impl Into<Option<Key>>) -> SigningRequest {
        SigningRequest {
            token: self.idp.token(ALICE),
            key: key.into(),
        }
    }

    #[track_caller]
    fn refuses(&self, what: &str, key: impl Into<Option<Key>>, row: Row<'_>) {
        self.request(key).is_refused(what, &self.server, row);
    }
}

#[test]
fn refuses_tokens_in_the_same_words_whatever_is_wrong_with_them() {
    let dead = format!("http://{NOBODY}");
    let stage = Stage::set_with(
        &[],
        &format!("  {dead}:\n    issuer-url: {dead}\n    client-id: sigstore\n    type: email\n"),
    );
    let key = KeyPair::p256().proof_over(ALICE);
    stage.request(key.clone()).is_granted(&stage.server);

    let other = IdpServer::start();
    let now = unix_now();
    let draft = || stage.idp.draft(ALICE);
    let minted = |change: fn(Draft) -> Draft| change(draft()).mint();
    let tokens = [
        ("no token", String::new()),
        ("no JWT", "nonsense".to_owned()),
        ("two parts", "e30.e30".to_owned()),
        ("four parts", format!("{}.x", stage.idp.token(ALICE))),
        ("an unknown issuer", other.token(ALICE)),
        (
            "another's signature",
            draft().signed_by(other.key("rsa1")).mint(),
        ),
        ("no signature", draft().mint_unsigned()),
        (
            "another audience",
            minted(|draft| draft.claim("aud", "elsewhere")),
        ),
        ("no audience", minted(|draft| draft.without_claim("aud"))),
        ("expired", draft().claim("exp", now - 5).mint()),
        ("no expiry", minted(|draft| draft.without_claim("exp"))),
        ("not yet valid", draft().claim("nbf", now + 600).mint()),
        ("no subject", minted(|draft| draft.without_claim("sub"))),
        ("no e-mail", minted(|draft| draft.without_claim("email"))),
        (
            "e-mail not verified",
            minted(|draft| draft.claim("email_verified", false)),
        ),
        ("an unreachable provider", draft().claim("iss", dead).mint()),
    ];
    for (what, token) in tokens {
        let request = SigningRequest {
            token,
            key: Some(key.clone()),
        };
        if what == "no subject" {
            // Recorded: a token needs none.
            request.is_granted(&stage.server);
            continue;
        }
        request.is_refused(what, &stage.server, TOKEN);
    }
}

#[test]
fn refuses_certification_requests_that_cannot_be_read() {
    let stage = Stage::set();
    let csr = KeyPair::p256().csr("");
    stage
        .request(Key::Csr(csr.clone().into()))
        .is_granted(&stage.server);

    let (first, rest) = csr.split_at(200);
    for (what, wrong) in [
        ("no PEM", "nonsense".to_owned()),
        ("another kind of PEM", csr.replace(" REQUEST", "")),
        (
            "no DER",
            "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
                .to_owned(),
        ),
        ("a part", format!("{first}{}", &rest[8..])),
    ] {
        stage.refuses(what, Key::Csr(wrong.into()), CSR);
    }
    stage.refuses("nothing", None, KEY);
}

#[test]
fn refuses_keys_that_are_none_or_are_weak() {
    let stage = Stage::set();
    let public = |pem: &str| Key::Public {
        pem: pem.to_owned(),
        proof: b"x".to_vec(),
    };
    let good = KeyPair::p256().public();
    for (what, pem) in [
        ("no key", ""),
        ("no PEM", "nonsense"),
        (
            "another kind of PEM",
            &good.replace("PUBLIC KEY", "CERTIFICATE"),
        ),
        ("a part of a key", &good.replace("MFkw", "MFkx")),
        ("Ed448", &KeyPair::generate("ED448").public()),
    ] {
        stage.refuses(what, public(pem), KEY);
    }
    for (what, arguments) in [
        ("RSA 1024", "RSA -pkeyopt rsa_keygen_bits:1024"),
        ("RSA 2056", "RSA -pkeyopt rsa_keygen_bits:2056"),
        (
            "exponent 3",
            "RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3",
        ),
        ("P-224", "EC -pkeyopt ec_paramgen_curve:P-224"),
    ] {
        let pair = KeyPair::generate(arguments);
        stage.refuses(what, pair.without_proof(), INSECURE);
        stage.refuses(what, Key::Csr(pair.csr("").into()), INSECURE);
    }
}

#[test]
fn refuses_proofs_that_do_not_hold() {
    let stage = Stage::set();
    let pair = KeyPair::p256();
    stage.refuses("no signature", pair.without_proof(), SIGNATURE);
    stage.refuses(
        "another's challenge",
        pair.proof_over("bob@example.com"),
        SIGNATURE,
    );
    let Key::Public { proof, .. } = pair.proof_over(ALICE) else {
        unreachable!()
    };
    let pem = KeyPair::p256().public();
    stage.refuses("another's proof", Key::Public { pem, proof }, SIGNATURE);

    let csr = pair.csr("");
    let (label, mut der) = pem_rfc7468::decode_vec(csr.as_bytes()).unwrap();
    let place = der
        .windows(7)
        .position(|bytes| bytes == b"anybody")
        .unwrap();
    der[place] = b'A';
    let changed = pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, &der).unwrap();
    stage.refuses("a changed request", Key::Csr(changed.into()), SIGNATURE);
}

#[test]
fn names_the_algorithm_that_it_does_not_take() {
    let stage = Stage::set();
    let rsa = KeyPair::generate("RSA -pkeyopt rsa_keygen_bits:2048");
    let pss = rsa.csr("-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32");
    let row = Row::invalid("unrecognized signature algorithm: SHA256-RSAPSS");
    stage.refuses("RSASSA-PSS", Key::Csr(pss.into()), row);

    let row = Row::invalid("signing algorithm not permitted: *rsa.PublicKey, SHA-512");
    stage.refuses("RSA with SHA-512", Key::Csr(rsa.csr("-sha512").into()), row);
    let p384 = KeyPair::generate("EC -pkeyopt ec_paramgen_curve:P-384");
    let row = Row::invalid("signing algorithm not permitted: *ecdsa.PublicKey, SHA-256");
    stage.refuses(
        "P-384 with SHA-256",
        Key::Csr(p384.csr("-sha256").into()),
        row,
    );

    let stage = Stage::set_with(&["--client-signing-algorithms=ed25519"], "");
    stage.refuses("P-256", KeyPair::p256().proof_over(ALICE), row);
}

#[test]
fn says_why_a_principal_cannot_be_named() {
    let stage = Stage::set();
    let email = "älice@example.com";
    let request = SigningRequest {
        token: stage.idp.token(email),
        key: Some(KeyPair::p256().proof_over(email)),
    };
    let row = Row::invalid(
        "the certificate cannot name \"älice@example.com\": \
         only ASCII characters are possible in an e-mail address",
    );
    request.is_refused("not ASCII", &stage.server, row);
}

#[test]
fn signs_nothing_once_its_own_certificate_has_expired() {
    let idp = IdpServer::start();
    let ca = CaFiles::create();
    let config = format!("--config-path={}", idp.write_config(ca.folder()));
    let expiry = unix_now() + 3;
    ca.write("short.pem", &short_lived(&ca, expiry));
    let flags = [
        "--ca=fileca",
        "--ct-log-url=",
        "--fileca-key-passwd=any",
        &config,
        &format!("--fileca-cert={}", ca.path("short.pem")),
        &format!("--fileca-key={}", ca.path("root.plain.pem")),
    ];
    let server = Server::start_on_one_port(&flags);
    let request = SigningRequest {
        token: idp.token(ALICE),
        key: Some(KeyPair::p256().proof_over(ALICE)),
    };
    assert_eq!(request.over_http(&server).status, 200);
    assert_eq!(get(&server.url("/readyz")).status, 200);

    wait_until("the CA to expire", || {
        (unix_now() > expiry + 1).then_some(())
    });
    let row = Row::internal("error communicating with CA backend");
    request.is_refused("an expired CA", &server, row);
    let readiness = get(&server.url("/readyz"));
    assert_eq!(readiness.status, 503, "{}", readiness.text());
    assert_eq!(get(&server.url("/healthz")).status, 200);
}

/// A self-signed CA certificate for the root's key that ends at `expiry`.
fn short_lived(ca: &CaFiles, expiry: u64) -> String {
    let end = Command::new("date")
        .args(["-u", "-d", &format!("@{expiry}"), "+%Y%m%d%H%M%SZ"])
        .output()
        .unwrap();
    let end = String::from_utf8(end.stdout).unwrap();
    ca.write("index.txt", "");
    ca.write(
        "ca.cnf",
        "[ca]\ndefault_ca=self\n[self]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n\
         default_md=sha384\npolicy=any\n[any]\norganizationName=optional\ncommonName=optional\n\
         [ext]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n\
         subjectKeyIdentifier=hash\n",
    );
    ca.openssl(
        "req -new -key root.plain.pem -subj /O=Example/CN=short -out short.csr -config openssl.cnf",
    );
    ca.openssl(&format!(
        "ca -batch -selfsign -notext -config ca.cnf -extensions ext -keyfile root.plain.pem \
         -in short.csr -startdate 20200101000000Z -enddate {}",
        end.trim()
    ))
}
