//! Every kind of identity provider: each of its claims, changed by each rule.

use std::thread;

use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{FakeIdp, FakeKey};
use serde_json::{Map, Value, json};

use super::{
    Case, IdpHost, Issuer, Pair, Request, Setup, SigningKey, Stage,
    identities_kinds::{KINDS, Kind, templates},
    identities_values::{CHANGES, Change},
};
use crate::common::unix_now;

pub(crate) fn compare(stage: &Stage) {
    let host = IdpHost::start();
    let key = FakeKey::generate(Algorithm::Es256).named("k");
    let issuers: Vec<_> = KINDS
        .iter()
        .map(|kind| (kind, host.issuer(kind.name, FakeIdp::new(key.clone()))))
        .collect();
    let mut config = format!("{}oidc-issuers:\n", templates());
    for (kind, issuer) in &issuers {
        let (url, settings) = (issuer.url(), kind.settings());
        config += &format!("  {url}:\n    issuer-url: {url}\n{settings}");
    }
    let pair = Setup::new(&config).start(stage);
    let key = SigningKey::p256();
    let csr = key.csr();
    two_faults(stage, &pair, &issuers, &key);
    for version in ["v1", "v2"] {
        let request = Request::get(&format!("/api/{version}/openapi.json"));
        let case = Case::new(format!("openapi/{version}"), request);
        stage.compare(&pair, case.differs("openapi"));
    }
    thread::scope(|scope| {
        scope.spawn(|| logged(stage, &config, &issuers));
        for share in issuers.chunks(issuers.len().div_ceil(4)) {
            let (pair, csr, key) = (&pair, &csr, &key);
            scope.spawn(move || {
                for (kind, issuer) in share {
                    proofs(stage, pair, kind, issuer, key);
                    for path in paths(&kind.base()) {
                        for (name, change) in CHANGES {
                            let Some(claims) = changed(kind, &path, *change) else {
                                continue;
                            };
                            let name = format!("{}/{}/{name}", kind.name, path.join("."));
                            let request = csr.v2(&token(issuer, &claims));
                            let rows = rows(kind, &path, *change);
                            stage.compare(pair, Case::new(name, request).differing(rows));
                        }
                    }
                }
            });
        }
    });
}

/// Which of the meant differences a change brings about.
fn rows(kind: &Kind, path: &[String], change: Change) -> &'static [&'static str] {
    const BEYOND_FLOATS: &str = "1e400";
    const LARGE: [&str; 3] = ["1000000", "12345678901234567890123", "1e21"];

    let name = path.join(".");
    let is_one_of = |names: &[&str]| names.contains(&&*name);
    let has_templates = kind.has_templates() && name != "sub";
    let is_unread = kind.unread.contains(&&*path[0]);
    let is_in_a_map = has_templates || path[0] == "federated_claims";
    let selects_the_issuer =
        kind.name == "email-connector" && path.len() == 2 && path[1] == "connector_id";
    match change {
        Change::InAnotherCase if kind.name == "ci-all-forms" && name == "sub" => {
            &["token-before-name"]
        }
        Change::InAnotherCase if is_in_a_map || is_unread || is_one_of(&["act.iss", "act.sub"]) => {
            &[]
        }
        Change::InAnotherCase => &["claim-case"],
        Change::Twice if is_in_a_map || is_unread || kind.value(path).is_string() => {
            &["claim-twice"]
        }
        Change::Is(BEYOND_FLOATS) if has_templates => &["numbers-beyond-floats-told"],
        Change::Is(BEYOND_FLOATS) if is_unread => &["numbers-beyond-floats"],
        Change::Is(text) if has_templates && !is_unread && LARGE.contains(&text) => {
            &["large-numbers"]
        }
        Change::Is(text) if selects_the_issuer => match text {
            "1000000" => &["large-numbers"],
            "\"\"" => &["issuer-name-empty"],
            BEYOND_FLOATS | "7" | "0" | "999999" | "true" | "false" => &[],
            text if text.starts_with('"') => &[],
            _ => &["issuer-claim-value"],
        },
        Change::Is("\"ada@b\u{fc}cher.example\"") if kind.kind == "email" && name == "email" => {
            &["name-not-ascii"]
        }
        Change::Is("\"a%zzb\"" | "\"100%\"") if is_one_of(kind.joined) => &["broken-escape"],
        Change::Is("\"\"")
            if ["ci-name-is-a-claim", "ci-name-is-a-template"].contains(&kind.name)
                && name == "claim" =>
        {
            &["name-empty"]
        }
        Change::Missing | Change::Is("null") if is_one_of(&KUBERNETES) => &["kubernetes-claims"],
        Change::Is("\"\"") if is_one_of(&[KUBERNETES[1], KUBERNETES[3]]) => &["kubernetes-claims"],
        Change::Is(text) if text.starts_with('{') && is_one_of(&[KUBERNETES[0], KUBERNETES[2]]) => {
            &["kubernetes-claims"]
        }
        _ => &[],
    }
}

/// What names an account of Kubernetes.
const KUBERNETES: [&str; 4] = [
    "kubernetes.io",
    "kubernetes.io.namespace",
    "kubernetes.io.serviceaccount",
    "kubernetes.io.serviceaccount.name",
];

/// What has to be signed, and by each way to ask.
fn proofs(stage: &Stage, pair: &Pair, kind: &Kind, issuer: &Issuer, key: &SigningKey) {
    let token = token(issuer, kind.claims);
    let name = |what: &str| format!("{}/{what}", kind.name);
    let good = key.proof(kind.challenge);
    let other = key.proof("somebody else");
    for (what, request) in [
        ("proof", good.v2(&token)),
        ("proof by v1", good.v1(&token)),
        ("proof by gRPC", good.grpc(&token)),
        ("proof for another", other.v2(&token)),
        ("proof for another by gRPC", other.grpc(&token)),
    ] {
        stage.compare(pair, Case::new(name(what), request));
    }
}

/// With a log, where the timestamp is in the certificate, and a name is looked at before it.
fn logged(stage: &Stage, config: &str, issuers: &[(&Kind, Issuer)]) {
    const NOT_IA5: &str = "b\u{fc}cher.example";

    let pair = Setup::new(config).with_log().start(stage);
    let csr = SigningKey::p256().csr();
    for (kind, issuer) in issuers {
        let request = csr.v2(&token(issuer, kind.claims));
        stage.compare(&pair, Case::new(format!("{}/logged", kind.name), request));
    }
    for (kind, claim) in [
        ("ci-name-is-a-claim", "claim"),
        ("spiffe", "sub"),
        ("email", "email"),
    ] {
        let (kind, issuer) = issuers.iter().find(|(one, _)| one.name == kind).unwrap();
        let mut claims = kind.base();
        let value = match kind.name {
            "ci-name-is-a-claim" => NOT_IA5.to_owned(),
            "spiffe" => format!("spiffe://example.com/{NOT_IA5}"),
            _ => format!("ada@{NOT_IA5}"),
        };
        claims.insert(claim.to_owned(), value.into());
        let request = csr.v2(&token(issuer, &Value::from(claims).to_string()));
        let rows: &[&str] = match kind.name {
            "email" => &["name-not-ascii"],
            // What is not ASCII in a URL is escaped.
            _ => &[],
        };
        let case = Case::new(format!("{}/logged, not IA5", kind.name), request);
        stage.compare(&pair, case.differing(rows));
    }
}

/// Two faults in one request: there is no name, and the proof is bad.
fn two_faults(stage: &Stage, pair: &Pair, issuers: &[(&Kind, Issuer)], key: &SigningKey) {
    let proof = key.proof("somebody else");
    for (kind, issuer) in issuers.iter().filter(|(kind, _)| kind.has_templates()) {
        let claims = r#"{"sub": "s"}"#;
        let name = format!("{}/no name and a bad proof", kind.name);
        let case = Case::new(name, proof.v2(&token(issuer, claims)));
        stage.compare(pair, case);
    }
}

impl Kind {
    pub(super) fn base(&self) -> Map<String, Value> {
        serde_json::from_str(self.claims).unwrap()
    }

    /// The value of the claim at `path` in the good token.
    fn value(&self, path: &[String]) -> Value {
        let base = Value::from(self.base());
        path.iter().fold(&base, |value, name| &value[name]).clone()
    }
}

/// A token with these claims, the issuer's name, and the audience and the times that are wanted.
pub(super) fn token(issuer: &Issuer, claims: &str) -> String {
    let (now, url) = (unix_now(), issuer.url());
    let inside = claims.trim_end().strip_suffix('}').unwrap();
    let payload = format!(
        "{inside},\"iss\":\"{url}\",\"aud\":\"sigstore\",\"iat\":{now},\"exp\":{}}}",
        now + 600
    );
    issuer.draft().payload(payload).mint()
}

/// The claims, and the members of those that are objects.
fn paths(claims: &Map<String, Value>) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (name, value) in claims {
        all.push(vec![name.clone()]);
        if let Value::Object(members) = value {
            for mut path in paths(members) {
                path.insert(0, name.clone());
                all.push(path);
            }
        }
    }
    all
}

/// The good claims with one change; nothing where it is none.
fn changed(kind: &Kind, path: &[String], change: Change) -> Option<String> {
    const MARK: &str = "the value of the claim";

    let mut claims = kind.base();
    let (name, parents) = path.split_last()?;
    let mut members = &mut claims;
    for parent in parents {
        members = members.get_mut(parent)?.as_object_mut()?;
    }
    let value = members.remove(name)?;
    let (name, text) = match change {
        Change::Is(text) => (name.clone(), text.to_owned()),
        Change::InAnotherCase => (name.to_uppercase(), value.to_string()),
        Change::Missing => return Some(Value::from(claims).to_string()),
        Change::Twice => (name.clone(), format!("\"first\",{}:{value}", json!(name))),
    };
    members.insert(name, MARK.into());
    let claims = Value::from(claims).to_string();
    Some(claims.replacen(&json!(MARK).to_string(), &text, 1))
}
