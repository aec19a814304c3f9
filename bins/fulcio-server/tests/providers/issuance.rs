use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fulcio_client::ClientKey;
use serde_json::{Value, json};

use crate::common::{Answer, CaFiles, Server, post_json};

/// Our server, which trusts some providers for e-mail addresses.
#[derive(Debug)]
pub(crate) struct Issuance {
    ca: CaFiles,
    server: Server,
}

impl Issuance {
    pub(crate) fn trusting(issuers: &[&str]) -> Self {
        let ca = CaFiles::create();
        let mut config = "oidc-issuers:\n".to_owned();
        for issuer in issuers {
            config += &format!(
                "  {issuer}:\n    issuer-url: {issuer}\n    client-id: sigstore\n    type: email\n"
            );
        }
        let mut flags = ca.flags();
        flags.push(format!(
            "--config-path={}",
            ca.write("config.yaml", &config)
        ));
        flags.push("--ct-log-url=".to_owned());
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        Self {
            server: Server::start(&flags),
            ca,
        }
    }

    /// Asks for a certificate.
    pub(crate) fn request(&self, token: &str) -> Answer {
        let key = ClientKey::generate().unwrap();
        let csr = BASE64_STANDARD.encode(key.certificate_request().unwrap());
        let request = json!({
            "credentials": {"oidcIdentityToken": token},
            "certificateSigningRequest": csr,
        });
        post_json(&self.server.url("/api/v2/signingCert"), &request)
    }

    /// The token becomes a certificate for `email`, vouched for by `issuer`; OpenSSL says so.
    #[track_caller]
    pub(crate) fn certifies(&self, token: &str, email: &str, issuer: &str) {
        let answer = self.request(token);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let chain = &answer.json()["signedCertificateDetachedSct"]["chain"]["certificates"];
        self.ca.write("leaf.pem", chain[0].as_str().unwrap());
        self.ca
            .openssl("verify -x509_strict -CAfile root.pem -untrusted intermediate.pem leaf.pem");
        let names = self
            .ca
            .openssl("x509 -in leaf.pem -noout -ext subjectAltName");
        assert!(
            names.contains("Subject Alternative Name: critical"),
            "{names}"
        );
        let (_, name) = names.split_once('\n').unwrap();
        assert_eq!(name.trim(), format!("email:{email}"));
        // OpenSSL prints an extension that it does not know as the text that it holds.
        let text = self.ca.openssl("x509 -in leaf.pem -noout -text");
        let mut lines = text.lines().map(str::trim);
        let found = lines.any(|line| line.starts_with("1.3.6.1.4.1.57264.1.8:"));
        assert!(found, "{text}");
        let told = lines.next().unwrap();
        assert!(told.ends_with(issuer), "{told} is not {issuer}");
    }

    /// The token is refused, in the words for everything that is wrong with tokens.
    #[track_caller]
    pub(crate) fn refuses(&self, token: &str) {
        let answer = self.request(token);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let refusal = json!({
            "code": 3,
            "message": "There was an error processing the identity token",
            "details": [],
        });
        assert_eq!(answer.json(), refusal);
    }
}

/// Header and claims of a token.
pub(crate) fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| {
        let json = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&json)
    });
    [0, 1].map(|_| parts.next().unwrap().unwrap())
}

/// The token with one bit of its signature changed.
pub(crate) fn tampered(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature[5] ^= 1;
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
