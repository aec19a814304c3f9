//! The issuer configuration file: what can be read, and what is said about what cannot.

use std::{fs, path::Path};

use fulcio_identity::{
    Concern, Config, IssuerAddress, IssuerConfig, IssuerKind, IssuerPattern, Problem, UnknownKeys,
};

fn parse(text: &str) -> Config {
    Config::parse(text, "config.yaml").unwrap_or_else(|error| panic!("{error}"))
}

fn only(text: &str) -> IssuerConfig {
    let config = parse(text);
    assert_eq!(config.issuers().count(), 1);
    config.issuers().next().expect("one issuer").clone()
}

fn email_issuer(more: &str) -> String {
    format!(
        "oidc-issuers:\n  https://id.example.com:\n    issuer-url: https://id.example.com\n    \
         client-id: sigstore\n    type: email\n{more}"
    )
}

/// Each file's first line says how its error goes on after the name of the file.
#[test]
fn every_broken_file_is_refused_with_its_own_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut cases = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let error = Config::parse(&text, "FILE").map(|_| path.display().to_string());
        let error = error.unwrap_err().to_string();
        assert_eq!(error, format!("FILE{expected}"), "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 41, "{cases}");
}

#[test]
fn json_says_the_same_as_yaml() {
    let json = r#"{
      "OIDCIssuers": {
        "https://id.example.com": {
          "IssuerURL": "https://id.example.com", "ClientID": "sigstore", "Type": "email",
          "IssuerClaim": "$.a['b']", "SkipEmailVerification": true, "Description": "\ud83d\ude00"
        }
      },
      "MetaIssuers": { "https://*.example.com/x": { "ClientID": "x", "Type": "kubernetes" } },
      "CIIssuerMetadata": { "ci": {
        "DefaultTemplateValues": { "url": "https://ci.example.com" },
        "ExtensionTemplates": { "BuildSignerURI": "{{ .url }}" },
        "SubjectAlternativeNameTemplate": "{{ .url }}/x"
      } }
    }"#;
    let yaml = "
oidc-issuers:
  https://id.example.com:
    issuer-url: https://id.example.com
    client-id: sigstore
    type: email
    issuer-claim: $.a['b']
    skip-email-verification: true
    description: 😀
meta-issuers:
  https://*.example.com/x: {client-id: x, type: kubernetes}
ci-issuer-metadata:
  ci:
    default-template-values: {url: https://ci.example.com}
    extension-templates: {build-signer-uri: '{{ .url }}'}
    subject-alternative-name-template: '{{ .url }}/x'
";
    assert_eq!(parse(json), parse(yaml));
}

#[test]
fn errors_in_json_have_their_line_and_key_too() {
    let json =
        "{\n \"OIDCIssuers\": {\n  \"https://id.example.com\": {\n   \"Tipe\": \"email\" } } }";
    let error = Config::parse(json, "config.json").unwrap_err();
    assert_eq!(
        error.to_string(),
        "config.json:4: OIDCIssuers.https://id.example.com.Tipe: is not a known key; \
         did you mean `Type`?"
    );
    let error = Config::parse("{\n\"OIDCIssuers\": {\n", "config.json").unwrap_err();
    assert_eq!(error.place().line, Some(3));
    assert!(matches!(error.problem(), Problem::Syntax(_)));
}

#[test]
fn a_flow_mapping_that_is_not_json_is_yaml() {
    let text = "{oidc-issuers: {https://id.example.com: {issuer-url: https://id.example.com, \
                client-id: sigstore, type: email}}}";
    assert_eq!(only(text).client_id, "sigstore");
}

#[test]
fn anchors_and_merges_are_followed() {
    let text = "
define:
  - &base {client-id: sigstore, type: email, contact: base@example.com}
  - &more {contact: more@example.com, environment: test}
oidc-issuers:
  https://id.example.com:
    <<: [*base, *more]
    issuer-url: https://id.example.com
    client-id: own
";
    let issuer = only(text);
    assert_eq!(issuer.client_id, "own");
    assert_eq!(issuer.contact, "base@example.com");
    assert_eq!(issuer.environment, "test");
    assert_eq!(issuer.kind, IssuerKind::Email);
}

#[test]
fn a_mistake_that_came_by_a_merge_is_told_where_it_came_to() {
    let text = "
define: &base {cleint-id: sigstore}
oidc-issuers:
  https://id.example.com:
    <<: *base
";
    let error = Config::parse(text, "config.yaml").unwrap_err();
    assert_eq!(error.place().line, Some(4));
    assert!(matches!(
        error.problem(),
        Problem::UnknownKey {
            nearest: Some("client-id")
        }
    ));
}

#[test]
fn booleans_are_those_of_yaml_1_1() {
    for (word, expected) in [
        ("true", true),
        ("True", true),
        ("yes", true),
        ("y", true),
        ("ON", true),
        ("false", false),
        ("no", false),
        ("n", false),
        ("Off", false),
        ("~", false),
        ("", false),
    ] {
        let issuer = only(&email_issuer(&format!(
            "    skip-email-verification: {word}\n"
        )));
        assert_eq!(issuer.skip_email_verification, expected, "{word:?}");
    }
}

#[test]
fn text_stays_as_it_is_written() {
    for (written, expected) in [
        ("1.10", "1.10"),
        ("0x10", "0x10"),
        ("007", "007"),
        ("yes", "yes"),
        ("n", "n"),
        ("2026-01-01", "2026-01-01"),
        ("'~'", "~"),
        ("\"null\"", "null"),
        ("null", ""),
        ("~", ""),
    ] {
        let issuer = only(&email_issuer(&format!("    description: {written}\n")));
        assert_eq!(issuer.description, expected, "{written}");
    }
}

#[test]
fn unknown_keys_are_tolerated_when_that_is_asked_for() {
    let text = email_issuer("    colour: red\nunknown: [1, 2]\n");
    let config = Config::parse_with(&text, "config.yaml", UnknownKeys::Tolerate).unwrap();
    let warnings: Vec<_> = config.warnings().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "line 7: unknown: is not a known key, and is ignored",
            "line 6: oidc-issuers.https://id.example.com.colour: is not a known key, and is ignored",
        ]
    );
}

#[test]
fn what_may_surprise_an_operator_is_a_warning() {
    let concerns = |text: &str| -> Vec<_> {
        let config = parse(text);
        config.warnings().map(|warning| warning.concern).collect()
    };
    assert_eq!(concerns(""), [Concern::NoIssuers]);
    assert_eq!(
        concerns(&email_issuer("    challenge-claim: sub\n")),
        [Concern::ChallengeClaim]
    );
    assert_eq!(concerns(&email_issuer("    challenge-claim: email\n")), []);
    let http = email_issuer("").replace("https://id.example.com", "http://id.example.com");
    assert_eq!(concerns(&http), [Concern::PlainHttp]);
    let loopback = email_issuer("").replace("https://id.example.com", "http://127.0.0.1:5555/x");
    assert_eq!(concerns(&loopback), []);
    let fixed = email_issuer("ci-issuer-metadata: {x: {extension-templates: {subject: sub}}}\n");
    assert_eq!(concerns(&fixed), [Concern::FixedExtension]);
}

#[test]
fn a_challenge_claim_is_only_what_clients_are_told() {
    assert_eq!(
        only(&email_issuer("    challenge-claim: sub\n")).challenge_claim,
        "sub"
    );
    assert_eq!(only(&email_issuer("")).challenge_claim, "email");
    for kind in IssuerKind::KNOWN {
        let expected = if kind == IssuerKind::Email {
            "email"
        } else {
            "sub"
        };
        assert_eq!(kind.challenge_claim(), Some(expected));
        assert_eq!(IssuerKind::from_name(kind.name()), kind);
    }
}

#[test]
fn a_type_of_ones_own_needs_a_challenge_claim() {
    let text = email_issuer("    challenge-claim: name\n").replace("type: email", "type: mine");
    let issuer = only(&text);
    assert_eq!(issuer.kind, IssuerKind::Other("mine".into()));
    assert_eq!(issuer.challenge_claim, "name");
}

#[test]
fn one_provider_may_stand_there_twice_with_different_audiences() {
    let text = "
oidc-issuers:
  people: {issuer-url: https://id.example.com, client-id: people, type: email}
  machines: {issuer-url: https://id.example.com, client-id: machines, type: email}
";
    assert_eq!(parse(text).issuers().count(), 2);
}

#[test]
fn subjects_may_belong_to_the_issuers_owner() {
    for (kind, domain) in [
        ("uri", "https://example.com"),
        ("uri", "https://users.example.com:8443/path"),
        ("username", "example.com"),
        ("username", "id.example.com"),
    ] {
        let text = email_issuer(&format!("    subject-domain: {domain}\n"))
            .replace("type: email", &format!("type: {kind}"));
        assert_eq!(only(&text).subject_domain, domain);
    }
    let spiffe = email_issuer("    spiffe-trust-domain: spiffe://prod.example.com\n");
    let spiffe = only(&spiffe.replace("type: email", "type: spiffe"));
    assert_eq!(spiffe.spiffe_trust_domain, "spiffe://prod.example.com");
}

#[test]
fn patterns_of_which_one_is_more_specific_may_overlap() {
    let text = "
meta-issuers:
  https://id.example.com/*: {client-id: sigstore, type: email}
  https://id.example.com/a*: {client-id: sigstore, type: kubernetes}
  https://id.example.com/b*: {client-id: sigstore, type: email}
";
    assert_eq!(parse(text).issuers().count(), 3);
}

#[test]
fn the_certificates_of_a_private_authority_are_read() {
    let pem = include_str!("data/ca.pem").replace('\n', "\n      ");
    let twice = format!("    ca-cert: |\n      {pem}\n      {pem}\n");
    assert_eq!(only(&email_issuer(&twice)).ca_certificates.len(), 2);
}

#[test]
fn the_built_in_issuers_are_fulcios() {
    let config = Config::public_good_defaults();
    let issuers: Vec<_> = config
        .issuers()
        .map(|issuer| format!("{issuer} {} {}", issuer.kind, issuer.client_id))
        .collect();
    assert_eq!(
        issuers,
        [
            "https://oauth2.sigstore.dev/auth email sigstore",
            "https://accounts.google.com email sigstore",
            "https://token.actions.githubusercontent.com github-workflow sigstore",
        ]
    );
    let dex = config.issuers().next().unwrap();
    assert!(dex.issuer_claim.is_some());
}

#[test]
fn only_kubernetes_with_a_url_is_asked_as_the_cluster_and_only_beside_the_clusters_own_issuer() {
    let issuer =
        |url: &str, kind| IssuerConfig::new(IssuerAddress::Url(url.into()), "sigstore", kind);
    let pattern = |text: &str| {
        let address = IssuerAddress::Pattern(IssuerPattern::new(text));
        IssuerConfig::new(address, "sigstore", IssuerKind::Kubernetes)
    };
    let cluster = issuer("https://kubernetes.default.svc", IssuerKind::Kubernetes);
    let other = issuer("https://eks.example.com", IssuerKind::Kubernetes);
    let email = issuer("https://id.example.com", IssuerKind::Email);
    let in_cluster = |issuers: &[&IssuerConfig], issuer| {
        Config::from_issuers(issuers.iter().copied().cloned()).is_in_cluster(issuer)
    };
    assert!(in_cluster(&[&cluster], &cluster));
    assert!(in_cluster(&[&cluster, &other], &other));
    assert!(in_cluster(
        &[&pattern("https://*.default.svc"), &other],
        &other
    ));
    assert!(!in_cluster(
        &[&pattern("https://*.other.svc"), &other],
        &other
    ));
    assert!(!in_cluster(&[&other], &other));
    assert!(!in_cluster(&[&cluster, &email], &email));
    let meta = pattern("https://*.default.svc");
    assert!(!in_cluster(&[&cluster, &meta], &meta));
}
