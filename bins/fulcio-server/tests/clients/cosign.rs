use std::path::{Path, PathBuf};

use fulcio_test_services::{component, full_component};

use super::{authority::Authority, tool::Tool, witnesses::Witnesses};

/// cosign, in the hands of a client of `authority`.
#[derive(Debug)]
pub(crate) struct Cosign<'a> {
    program: PathBuf,
    authority: &'a Authority,
    witnesses: Option<&'a Witnesses>,
}

impl<'a> Cosign<'a> {
    /// Writes what Sigstore's clients read: whom they ask (`signing.json`), what they trust
    /// (`trusted.json`), and what they trust who are told another log's key (`misled.json`) or another
    /// authority (`stranger.json`).
    pub(crate) fn equipped(
        program: &Path,
        authority: &'a Authority,
        witnesses: Option<&'a Witnesses>,
    ) -> Self {
        let cosign = Self {
            program: program.to_owned(),
            authority,
            witnesses,
        };
        let (url, log) = (authority.url(""), authority.url("/ct-log"));
        let (mut trusted, mut asked) = (String::new(), String::new());
        if let Some(Witnesses { rekor, stamps }) = witnesses {
            let (rekor, stamps) = (rekor.url(), stamps.url());
            trusted = format!(
                "--rekor=url={rekor},public-key=rekor.pub,start-time={START},origin=127.0.0.1 \
                 --tsa=url={stamps},certificate-chain=stamps.pem"
            );
            asked = format!(
                "--rekor=url={rekor},api-version=2,start-time={START},operator=example \
                 --rekor-config=ANY --tsa-config=ANY \
                 --tsa=url={stamps},api-version=1,start-time={START},operator=example"
            );
        }
        for (out, chain, key) in [
            ("trusted.json", "chain.pem", "log.pub"),
            ("misled.json", "chain.pem", "another-log.pub"),
            ("stranger.json", "another-chain.pem", "log.pub"),
        ] {
            let create = format!(
                "trusted-root create --fulcio=url={url},certificate-chain={chain} \
                 --ctfe=url={log},public-key={key},start-time={START} {trusted} --out={out}"
            );
            cosign.run(&create).succeeds();
        }
        let create = format!(
            "signing-config create {asked} --out=signing.json \
             --fulcio=url={url},api-version=1,start-time={START},operator=example"
        );
        cosign.run(&create).succeeds();
        cosign
    }

    fn run(&self, arguments: &str) -> Tool {
        Tool::new(&self.program, self.authority.folder()).args(arguments)
    }

    /// It signs into `bundle`.
    pub(crate) fn signs(&self, bundle: &str) {
        self.sign("sign-blob", bundle).succeeds();
    }

    fn sign(&self, command: &str, bundle: &str) -> Tool {
        self.run(&format!(
            "{command} hello.txt --yes --identity-token=token --trusted-root=trusted.json \
             --signing-config=signing.json --bundle={bundle}"
        ))
    }

    /// Without witnesses the time of the signature is taken to be now.
    fn verify(&self, command: &str, root: &str, identity: &str, issuer: &str) -> Tool {
        let time = match self.witnesses {
            Some(_) => "--use-signed-timestamps",
            None => "--insecure-ignore-tlog",
        };
        self.run(&format!(
            "{command} {time} --trusted-root={root} --certificate-identity={identity} \
             --certificate-oidc-issuer={issuer}"
        ))
    }

    /// It verifies `bundle`, and refuses it wherever something is wrong.
    pub(crate) fn judges(&self, bundle: &str) {
        let (me, issuer) = (Authority::IDENTITY, self.authority.idp().issuer());
        let hello = format!("verify-blob hello.txt --bundle={bundle}");
        let said = self.verify(&hello, "trusted.json", me, issuer).succeeds();
        assert!(said.contains("Verified OK"), "{said}");

        let changed = format!("verify-blob changed.txt --bundle={bundle}");
        for (what, root, identity, issuer, reason) in [
            (
                &hello,
                "trusted.json",
                "bob@example.com",
                issuer,
                "expected SAN value",
            ),
            (
                &hello,
                "trusted.json",
                me,
                "http://127.0.0.1:1",
                "expected issuer value",
            ),
            (
                &hello,
                "misled.json",
                me,
                issuer,
                "signed certificate timestamp",
            ),
            (
                &hello,
                "stranger.json",
                me,
                issuer,
                "failed to verify leaf certificate",
            ),
            (
                &changed,
                "trusted.json",
                me,
                issuer,
                "failed to verify signature",
            ),
        ] {
            self.verify(what, root, identity, issuer).refuses(reason);
        }
    }
}

/// When trust begins; before all that tests make.
const START: &str = "2020-01-01T00:00:00Z";

fn signs_and_verifies(authority: &Authority, program: &Path, witnesses: Option<&Witnesses>) {
    let cosign = Cosign::equipped(program, authority, witnesses);
    cosign.signs("bundle.json");
    cosign.judges("bundle.json");
}

#[test]
fn cosign_3_signs_and_verifies_with_the_embedded_log() {
    let Some(program) = component("FULCIO_COSIGN") else {
        return;
    };
    signs_and_verifies(&Authority::with_embedded_log(), &program, None);
}

#[test]
fn cosign_3_signs_and_verifies_with_an_rfc_6962_log() {
    let (Some(program), Some(log)) = (component("FULCIO_COSIGN"), component("FULCIO_CTLOG")) else {
        return;
    };
    signs_and_verifies(&Authority::with_rfc6962_log(&log), &program, None);
}

#[test]
fn cosign_3_signs_and_verifies_before_witnesses() {
    let (Some(program), Some(rekor)) = (component("FULCIO_COSIGN"), component("FULCIO_REKOR"))
    else {
        return;
    };
    let authority = Authority::with_embedded_log();
    let witnesses = Witnesses::start(&rekor, authority.folder());
    signs_and_verifies(&authority, &program, Some(&witnesses));
}

#[test]
fn cosign_3_signs_with_every_kind_of_key_and_attests() {
    let Some(program) = component("FULCIO_COSIGN") else {
        return;
    };
    let authority = Authority::with_embedded_log();
    let cosign = Cosign::equipped(&program, &authority, None);
    for algorithm in [
        "ecdsa-sha2-384-nistp384",
        "ecdsa-sha2-512-nistp521",
        "rsa-sign-pkcs1-2048-sha256",
        "rsa-sign-pkcs1-3072-sha256",
        "rsa-sign-pkcs1-4096-sha256",
    ] {
        let sign = format!("sign-blob --signing-algorithm={algorithm}");
        cosign.sign(&sign, "bundle.json").succeeds();
        cosign.judges("bundle.json");
    }

    authority.write("predicate.json", r#"{"reviewed": true}"#);
    let attest = "attest-blob --type=custom --predicate=predicate.json";
    cosign.sign(attest, "attestation.json").succeeds();
    let verify = "verify-blob-attestation hello.txt --type=custom --bundle=attestation.json";
    let issuer = authority.idp().issuer();
    cosign
        .verify(verify, "trusted.json", Authority::IDENTITY, issuer)
        .succeeds();
    cosign
        .verify(verify, "trusted.json", "bob@example.com", issuer)
        .refuses("expected SAN value");
}

#[test]
fn cosign_3_tells_why_the_server_refuses() {
    let Some(program) = component("FULCIO_COSIGN") else {
        return;
    };
    let authority = Authority::with_embedded_log();
    let cosign = Cosign::equipped(&program, &authority, None);
    let expired = authority.idp().draft(Authority::IDENTITY).claim("exp", 1);
    authority.write("token", &expired.mint());
    cosign
        .sign("sign-blob", "bundle.json")
        .refuses("There was an error processing the identity token");
}

// --- As cosign 2 does it: a certificate in a file, and trust by variables ---------------------

/// A client whom `log` was told to be the log's key.
fn told(tool: Tool, log: &str) -> Tool {
    tool.env("SIGSTORE_ROOT_FILE", "chain.pem")
        .env("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", log)
}

fn signs_with_a_certificate_in_a_file(cosign: &Cosign<'_>, flags: &str) {
    let (url, issuer) = (cosign.authority.url(""), cosign.authority.idp().issuer());
    let sign = format!(
        "sign-blob hello.txt --yes --fulcio-url={url} --identity-token=token --tlog-upload=false \
         --output-certificate=leaf.pem --output-signature=signature {flags}"
    );
    told(cosign.run(&sign), "log.pub").succeeds();
    let verify = |identity: &str, log: &str| {
        let verify = format!(
            "verify-blob hello.txt --insecure-ignore-tlog --certificate=leaf.pem \
             --signature=signature --certificate-chain=chain.pem \
             --certificate-identity={identity} --certificate-oidc-issuer={issuer}"
        );
        told(cosign.run(&verify), log)
    };
    verify(Authority::IDENTITY, "log.pub").succeeds();
    verify("bob@example.com", "log.pub").refuses("bob@example.com");
    verify(Authority::IDENTITY, "another-log.pub").refuses(UNKNOWN_LOG);
}

/// What cosign 2 says of a timestamp whose log it does not know.
const UNKNOWN_LOG: &str = "ctfe public key not found";

#[test]
fn cosign_3_verifies_by_a_certificate_in_a_file() {
    let Some(program) = component("FULCIO_COSIGN") else {
        return;
    };
    let authority = Authority::with_embedded_log();
    let cosign = Cosign::equipped(&program, &authority, None);
    let flags = "--use-signing-config=false --new-bundle-format=false";
    signs_with_a_certificate_in_a_file(&cosign, flags);
}

#[test]
fn cosign_2_signs_and_verifies_over_the_legacy_protocol() {
    let (Some(program), Some(log)) = (
        full_component("FULCIO_COSIGN_2"),
        full_component("FULCIO_CTLOG"),
    ) else {
        return;
    };
    for authority in [
        Authority::with_embedded_log(),
        Authority::with_rfc6962_log(&log),
    ] {
        let cosign = Cosign {
            program: program.clone(),
            authority: &authority,
            witnesses: None,
        };
        signs_with_a_certificate_in_a_file(&cosign, "");
        // It verifies the timestamp before it signs, too.
        let sign = format!(
            "sign-blob hello.txt --yes --fulcio-url={} --identity-token=token --tlog-upload=false",
            authority.url("")
        );
        told(cosign.run(&sign), "another-log.pub").refuses(UNKNOWN_LOG);
    }
}
