use std::path::Path;

use fulcio_test_services::component;
use serde_json::{Value, json};

use super::{authority::Authority, cosign::Cosign, tool::Tool, witnesses::Witnesses};

/// The command line of sigstore-python, in the hands of a client of `authority`.
struct Sigstore<'a> {
    programs: &'a Path,
    authority: &'a Authority,
}

impl Sigstore<'_> {
    /// Puts what cosign wrote of trust and services into one file, as sigstore-python wants it.
    fn equip(&self) {
        let read =
            |name: &str| -> Value { serde_json::from_str(&self.authority.read(name)).unwrap() };
        let mut signing = read("signing.json");
        signing["oidcUrls"] = json!([]);
        for root in ["trusted.json", "misled.json", "stranger.json"] {
            let config = json!({
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": read(root),
                "signingConfig": signing,
            });
            let name = format!("python-{root}");
            self.authority.write(&name, &config.to_string());
        }
    }

    fn run(&self, trust: &str, arguments: &str) -> Tool {
        Tool::new(&self.programs.join("sigstore"), self.authority.folder())
            .args(&format!("--trust-config=python-{trust} {arguments}"))
    }

    fn sign(&self, trust: &str, token: &str) -> Tool {
        let sign = "sign --overwrite --bundle=python.json hello.txt --identity-token=";
        self.run(trust, &format!("{sign}{token}"))
    }

    fn verify(&self, trust: &str, bundle: &str, what: &str, identity: &str, issuer: &str) -> Tool {
        let verify = format!(
            "verify identity --bundle={bundle} --cert-identity={identity} \
             --cert-oidc-issuer={issuer} {what}"
        );
        self.run(trust, &verify)
    }

    /// It verifies `bundle`, and refuses it wherever something is wrong.
    fn judges(&self, bundle: &str) {
        let (me, issuer) = (Authority::IDENTITY, self.authority.idp().issuer());
        let said = self
            .verify("trusted.json", bundle, "hello.txt", me, issuer)
            .succeeds();
        assert!(said.contains("OK: hello.txt"), "{said}");
        for (trust, what, identity, issuer, reason) in [
            (
                "trusted.json",
                "hello.txt",
                "bob@example.com",
                issuer,
                "SANs do not match",
            ),
            (
                "trusted.json",
                "hello.txt",
                me,
                "http://127.0.0.1:1",
                "OIDCIssuer",
            ),
            ("misled.json", "hello.txt", me, issuer, "SCT"),
            (
                "stranger.json",
                "hello.txt",
                me,
                issuer,
                "certificate chain",
            ),
            ("trusted.json", "changed.txt", me, issuer, "digest mismatch"),
        ] {
            self.verify(trust, bundle, what, identity, issuer)
                .refuses(reason);
        }
    }
}

#[test]
fn sigstore_python_signs_and_verifies_what_cosign_verifies_too() {
    let (Some(programs), Some(cosign), Some(rekor), Some(log)) = (
        component("FULCIO_SIGSTORE_PYTHON"),
        component("FULCIO_COSIGN"),
        component("FULCIO_REKOR"),
        component("FULCIO_CTLOG"),
    ) else {
        return;
    };
    for authority in [
        Authority::with_embedded_log(),
        Authority::with_rfc6962_log(&log),
    ] {
        let witnesses = Witnesses::start(&rekor, authority.folder());
        let cosign = Cosign::equipped(&cosign, &authority, Some(&witnesses));
        let python = Sigstore {
            programs: &programs,
            authority: &authority,
        };
        python.equip();
        let token = authority.token();
        python.sign("trusted.json", &token).succeeds();
        python.judges("python.json");
        cosign.judges("python.json");
        cosign.signs("cosign.json");
        python.judges("cosign.json");

        // It signs nothing with a certificate that the log it knows has not promised to hold.
        python.sign("misled.json", &token).refuses("SCT");
        let (unsigned, _signature) = token.rsplit_once('.').unwrap();
        python
            .sign("trusted.json", &format!("{unsigned}.AAAA"))
            .refuses("400 Client Error");
    }
}
