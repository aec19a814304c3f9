use std::{
    fs,
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fulcio_test_services::full_component;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    issuance::{Issuance, parts, tampered},
    login::{PASSWORD, PERSON, log_in},
};
use crate::common::{free_port, get, openssl};

/// Keycloak with the realms `rs256` and `es256`, which sign tokens so. Killed and waited for when it is
/// dropped.
///
/// The realm `rs256` has two RSA keys that we know too: `signing.key` for signatures, and
/// `sealing.key` for encryption.
#[derive(Debug)]
struct Keycloak {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Keycloak {
    #[track_caller]
    fn start(installed: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        // It writes beside its own files.
        let home = folder.path().join("keycloak");
        let copied = Command::new("cp")
            .arg("-r")
            .args([installed, &home])
            .status();
        assert!(copied.unwrap().success());
        let import = home.join("data/import");
        fs::create_dir_all(&import).unwrap();
        for realm in ["rs256", "es256"] {
            let realm_file = import.join(format!("{realm}.json"));
            fs::write(realm_file, self::realm(realm, folder.path()).to_string()).unwrap();
        }
        let (port, management) = (free_port(), free_port());
        let log = fs::File::create(folder.path().join("keycloak.log")).unwrap();
        let child = Command::new("bash")
            .arg(home.join("bin/kc.sh"))
            .args(["start", "--optimized", "--import-realm", "--cache=local"])
            .args(["--http-enabled=true", "--http-host=127.0.0.1"])
            .arg("--hostname-strict=false")
            .arg(format!("--http-port={port}"))
            .arg(format!("--http-management-port={management}"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            // The script has a Java process for a child.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut keycloak = Self {
            child,
            folder,
            port,
        };
        keycloak.wait();
        keycloak
    }

    /// It takes about half a minute, and much longer on a busy machine.
    #[track_caller]
    fn wait(&mut self) {
        let begun = Instant::now();
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        while !(listens(self.port) && get(&self.discovery("es256")).status == 200) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < Duration::from_secs(600),
                "{}",
                fs::read_to_string(self.folder.path().join("keycloak.log")).unwrap()
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn issuer(&self, realm: &str) -> String {
        format!("http://127.0.0.1:{}/realms/{realm}", self.port)
    }

    fn discovery(&self, realm: &str) -> String {
        self.issuer(realm) + "/.well-known/openid-configuration"
    }

    /// The published key of a realm that is for `usage`.
    #[track_caller]
    fn key_for(&self, realm: &str, usage: &str) -> Value {
        let discovered = get(&self.discovery(realm)).json();
        let keys = get(discovered["jwks_uri"].as_str().unwrap()).json()["keys"].clone();
        let keys = keys.as_array().unwrap();
        let key = keys.iter().find(|key| key["use"] == usage);
        key.unwrap_or_else(|| panic!("no key for {usage}: {keys:?}"))
            .clone()
    }

    /// A token with these claims, signed by us with RS256 and one of the realm's private keys.
    fn sign(&self, key: &str, key_id: &Value, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": key_id, "typ": "JWT"});
        let encoded = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let signed = [&header, claims].map(|part| encoded(part.to_string().as_bytes()));
        let signed = signed.join(".");
        let file = |name: &str| self.folder.path().join(name);
        fs::write(file("signed"), &signed).unwrap();
        let sign = [
            "dgst",
            "-sha256",
            "-sign",
            key,
            "-out",
            "signature",
            "signed",
        ];
        openssl(self.folder.path(), &sign);
        let signature = fs::read(file("signature")).unwrap();
        format!("{signed}.{}", encoded(&signature))
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        drop(
            Command::new("kill")
                .args(["-s", "KILL", "--", &group])
                .status(),
        );
        drop(self.child.wait());
    }
}

/// A realm to import, called after the algorithm of its tokens in lower case.
fn realm(name: &str, folder: &Path) -> Value {
    let provider = |name: &str, kind: &str, config: Value| json!({"name": name, "providerId": kind, "subComponents": {}, "config": config});
    let known = |name: &str, algorithm: &str| {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let make = [
            "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", &subject,
        ];
        let out = ["-keyout", &key, "-out", &certificate];
        openssl(folder, &[&make[..], &out].concat());
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        json!({
            "algorithm": [algorithm],
            "certificate": [read(&certificate)],
            "privateKey": [read(&key)],
        })
    };
    let keys = match name {
        "rs256" => vec![
            provider("signing", "rsa", known("signing", "RS256")),
            provider("sealing", "rsa-enc", known("sealing", "RSA-OAEP")),
        ],
        _ => {
            let curve = json!({"ecdsaEllipticCurveKey": ["P-256"]});
            vec![provider("signing", "ecdsa-generated", curve)]
        }
    };
    json!({
        "realm": name,
        "enabled": true,
        "sslRequired": "none",
        "clients": [{
            "clientId": "sigstore",
            "publicClient": true,
            "redirectUris": ["http://127.0.0.1:1/callback"],
            "attributes": {
                "id.token.signed.response.alg": name.to_uppercase(),
                "pkce.code.challenge.method": "S256",
            },
        }],
        "users": [{
            "username": PERSON,
            "email": PERSON,
            "emailVerified": true,
            "enabled": true,
            "firstName": "Ada",
            "lastName": "Example",
            "credentials": [{"type": "password", "value": PASSWORD}],
        }],
        "components": {"org.keycloak.keys.KeyProvider": keys},
    })
}

#[test]
fn keycloak_vouches_with_its_signing_keys_and_never_with_its_encryption_key() {
    let Some(installed) = full_component("FULCIO_KEYCLOAK") else {
        return;
    };
    let keycloak = Keycloak::start(&installed);
    let [rs256, es256] = ["rs256", "es256"].map(|realm| keycloak.issuer(realm));
    let issuance = Issuance::trusting(&[&rs256, &es256]);
    for (issuer, algorithm) in [(&rs256, "RS256"), (&es256, "ES256")] {
        let token = log_in(issuer);
        let [header, claims] = parts(&token);
        assert_eq!(header["alg"], algorithm);
        assert_ne!(claims["sub"], claims["email"]);
        issuance.certifies(&token, PERSON, issuer);
        issuance.refuses(&tampered(&token));
    }

    // Whoever has the private half of the encryption key can sign with it, and the key set has its
    // public half. With the signing key the very same is a good token.
    let [_header, claims] = parts(&log_in(&rs256));
    let [signing, sealing] = ["sig", "enc"].map(|usage| keycloak.key_for("rs256", usage));
    assert_eq!(
        (&signing["alg"], &sealing["alg"]),
        (&json!("RS256"), &json!("RSA-OAEP"))
    );
    assert_eq!(sealing["kty"], "RSA");
    let good = keycloak.sign("signing.key", &signing["kid"], &claims);
    issuance.certifies(&good, PERSON, &rs256);
    let sealed = keycloak.sign("sealing.key", &sealing["kid"], &claims);
    issuance.refuses(&sealed);
    // A server that has verified nothing yet.
    Issuance::trusting(&[&rs256]).refuses(&sealed);

    let port = keycloak.port;
    drop(keycloak);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it goes on");
        thread::sleep(Duration::from_millis(50));
    }
}
