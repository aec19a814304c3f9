//! What a running Fulcio v1.8.8 has answered to the tokens in `tests/vectors/fulcio.jsonl`, with
//! the configuration beside it.

mod support;

use std::{collections::BTreeMap, sync::Arc};

use fulcio_identity::{Config, Issuers};
use fulcio_oidc_verify::Algorithm;
use fulcio_principal::{AuthenticationError, Fault, Identity, SubjectAltName};
use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
use serde::Deserialize;

const ANSWERS: &str = include_str!("vectors/fulcio.jsonl");
const CONFIG: &str = include_str!("vectors/fulcio.yaml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The claims of the token but for `aud` and `exp`, as they were sent.
    claims: String,
    /// What was signed to prove possession of the key.
    challenge: String,
    /// The form of the name in the certificate, and the name.
    #[serde(rename = "name_in_certificate")]
    subject: Option<(String, String)>,
    /// By last arc.
    #[serde(default)]
    extensions: BTreeMap<u8, String>,
    /// What the caller was told instead.
    message: Option<String>,
    #[serde(rename = "status")]
    _status: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Named {
        challenge: String,
        subject: (String, String),
        extensions: BTreeMap<u8, String>,
    },
    Refused(String),
}

impl Case {
    fn answer(&self) -> Answer {
        match (&self.subject, &self.message) {
            (Some(subject), None) => Answer::Named {
                challenge: self.challenge.clone(),
                subject: subject.clone(),
                extensions: self.extensions.clone(),
            },
            (None, Some(message)) => Answer::Refused(message.clone()),
            _ => panic!("{} is answered twice or never", self.name),
        }
    }
}

/// What the wire makes of an outcome.
fn answer(outcome: Result<Identity, AuthenticationError>) -> Answer {
    match outcome {
        Ok(identity) => {
            let principal = identity.principal();
            let form = match &principal.subject {
                SubjectAltName::Email(_) => "email",
                SubjectAltName::Uri(_) => "uri",
                SubjectAltName::Username(_) => "username",
                _ => "unknown",
            };
            let extensions = principal.extensions.iter();
            Answer::Named {
                challenge: principal.challenge.clone(),
                subject: (form.into(), principal.subject.value().into()),
                extensions: extensions
                    .map(|(extension, value)| (extension.arc(), value.into()))
                    .collect(),
            }
        }
        Err(error) => Answer::Refused(match error.fault() {
            Fault::Principal => error.to_string(),
            Fault::Provider | Fault::Token => {
                "There was an error processing the identity token".into()
            }
        }),
    }
}

/// Where we differ on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// A claim that Go reads although it is written in another case refuses the token, because
    /// readers could disagree on it.
    AnotherCase,
    /// A claim that stands there twice refuses the token; Fulcio takes the last one.
    Twice,
    /// Fulcio drops the whole path where one claim has a `%` that begins no escape, and names the
    /// bare host.
    BrokenEscape,
    /// Tokens of Kubernetes without a namespace or a service account are refused.
    KubernetesClaims,
    /// v1.8.8 writes whole numbers from 10^6 on with an exponent; Fulcio no longer does.
    Exponent,
}

impl Difference {
    /// The difference that explains `ours`, if one does.
    fn between(ours: &Answer, case: &Case) -> Option<Self> {
        let refused = matches!(ours, Answer::Refused(_));
        let issued = case.subject.is_some();
        if refused && issued && case.name.ends_with("other case") {
            return Some(Self::AnotherCase);
        }
        if refused && issued && case.name.ends_with("twice") {
            return Some(Self::Twice);
        }
        if refused && issued && case.name.starts_with("kubernetes") {
            return Some(Self::KubernetesClaims);
        }
        if matches!(ours, Answer::Refused(text) if text.contains("invalid URL escape")) && issued {
            return Some(Self::BrokenEscape);
        }
        (*ours == case.without_exponents().answer()).then_some(Self::Exponent)
    }
}

/// The numbers of the vectors, as v1.8.8 and as Fulcio's own repository writes them.
const NUMBERS: [(&str, &str); 7] = [
    ("1.2345678901234568e+22", "12345678901234568000000"),
    ("1.8446744073709552e+19", "18446744073709552000"),
    ("9.007199254740992e+15", "9007199254740992"),
    ("1.234567e+06", "1234567"),
    ("1e+06", "1000000"),
    ("1e+20", "100000000000000000000"),
    ("1e+21", "1000000000000000000000"),
];

impl Case {
    fn without_exponents(&self) -> Self {
        let plain = |text: &String| {
            let huge = format!("1{}", "0".repeat(300));
            let text = text.replace("1e+300", &huge);
            NUMBERS
                .iter()
                .fold(text, |text, (from, to)| text.replace(from, to))
        };
        let extensions = self.extensions.iter();
        Self {
            subject: self
                .subject
                .clone()
                .map(|(form, name)| (form, plain(&name))),
            extensions: extensions
                .map(|(arc, value)| (*arc, plain(value)))
                .collect(),
            message: self.message.as_ref().map(plain),
            ..self.clone()
        }
    }
}

#[tokio::test]
async fn every_token_is_answered_as_fulcio_answers_it() {
    let config = Config::parse(CONFIG, "fulcio.yaml").expect("the configuration");
    let key = FakeKey::generate(Algorithm::Es256);
    let fetch = FakeFetch::default();
    let mut idps = BTreeMap::new();
    for issuer in config.issuers() {
        let idp = FakeIdp::new(key.clone()).issued_by(issuer.address.as_str());
        fetch.serve(&idp);
        idps.insert(issuer.to_string(), idp);
    }
    let issuers = Issuers::new(&config, &|_| Ok(Arc::new(fetch.clone()))).expect("issuers");
    assert_eq!(issuers.unserved().count(), 0);

    let (mut wrong, mut cases) = (Vec::new(), 0);
    let mut meant: BTreeMap<Difference, usize> = BTreeMap::new();
    for line in ANSWERS.lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        let inside = case.claims.strip_suffix('}').expect("an object");
        let payload = format!("{inside},\"aud\":\"sigstore\",\"exp\":4000000000}}");
        // The issuer comes first. Not all of these claims are JSON to everybody.
        let idp = &idps[payload.split('"').nth(3).expect("an issuer")];
        let token = idp.draft().payload(payload).mint();
        let outcome = issuers.authenticate(&token, FakeIdp::now()).await;
        let ours = answer(outcome.map_err(Into::into));
        cases += 1;
        if ours == case.answer() {
            continue;
        }
        if let Some(difference) = Difference::between(&ours, &case) {
            *meant.entry(difference).or_default() += 1;
        } else {
            wrong.push(format!("{}\n  {ours:?}\n  {:?}", case.name, case.answer()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(cases > 2500 && meant.len() == 5, "{cases} {meant:?}");
    println!("{cases} cases, of which differ on purpose: {meant:?}");
}
