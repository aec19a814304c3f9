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
    let (mut cases, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let outcome = Config::parse(&text, "FILE").map_err(|error| error.to_string());
        if outcome != Err(format!("FILE{expected}")) {
            wrong.push(format!("{}\n  {outcome:?}", path.display()));
        }
        cases += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 60, "{cases}");
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
fn each_mistake_in_json_has_its_own_text() {
    let issuer = |more: &str| {
        format!(
            "{{\"OIDCIssuers\": {{\n\"https://id.example.com\": {{\n\"Type\": \"email\"{more}}}}}}}"
        )
    };
    for (text, expected) in [
        (
            issuer(""),
            ":2: OIDCIssuers.https://id.example.com: has no ClientID, which tells for whom tokens \
             are meant; without it none is accepted",
        ),
        (
            issuer(",\n\"client-id\": \"sigstore\""),
            ":4: OIDCIssuers.https://id.example.com.client-id: is not a known key; did you mean \
             `ClientID`?",
        ),
        (
            issuer(",\n\"ClientID\": \"a\",\n\"ClientID\": \"b\""),
            ":5: OIDCIssuers.https://id.example.com.ClientID: is written twice; take one of the \
             two away",
        ),
        (
            issuer(",\n\"ClientID\": 7"),
            ":4: OIDCIssuers.https://id.example.com.ClientID: here is integer `7`, where there must be a text",
        ),
        (
            issuer(
                ",\n\"SkipEmailVerification\": \"maybe\", \"ClientID\": \"a\", \"IssuerURL\": \"https://id.example.com\"",
            ),
            ":4: OIDCIssuers.https://id.example.com.SkipEmailVerification: the text `maybe` is \
             neither true nor false; write one of them, without quotes",
        ),
        (
            "{\"OIDCIssuers\": []}".into(),
            ":1: OIDCIssuers: here is a list, where there must be keys and values",
        ),
        (
            "{\"oidc-issuers\": {}}".into(),
            ":1: oidc-issuers: is not a known key; did you mean `OIDCIssuers`?",
        ),
        ("{\"OIDCIssuers\": {},}".into(), ":1: trailing comma"),
        (
            "{\"CIIssuerMetadata\": {\"x\": {\"ExtensionTemplates\": {\"build-trigger\": \"\"}}}}"
                .into(),
            ":1: CIIssuerMetadata.x.ExtensionTemplates.build-trigger: is not a known key; did you mean `BuildTrigger`?",
        ),
    ] {
        let error = Config::parse(&text, "FILE").unwrap_err().to_string();
        assert_eq!(error, format!("FILE{expected}"), "{text}");
    }
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

/// Fulcio's parser takes the words of YAML 1.1 even as texts, but `true` and `false` only as what
/// they are.
#[test]
fn what_fulcio_does_not_take_for_a_boolean_is_refused() {
    let read = |value: &str| {
        let text = email_issuer(&format!("    skip-email-verification: {value}\n"));
        Config::parse(&text, "FILE").map_err(|error| error.to_string())
    };
    for value in [
        "'true'",
        "\"false\"",
        "''",
        "'null'",
        "tRUE",
        "yEs",
        "oN",
        "1",
        "0",
        "1.0",
        "2026-01-01",
        "|\n      yes",
        "[]",
        "{}",
        "!!str true",
        "!!bool yes",
    ] {
        assert!(read(value).is_err(), "{value}");
    }
    for value in ["'yes'", "\"On\"", "!!str y"] {
        let config = read(value).expect(value);
        assert!(
            config
                .issuers()
                .all(|issuer| issuer.skip_email_verification)
        );
    }
    let path = "FILE:6: oidc-issuers.https://id.example.com.skip-email-verification: ";
    assert_eq!(
        read("'true'"),
        Err(format!(
            "{path}the text `true` is neither true nor false; write one of them, without quotes"
        ))
    );
    assert_eq!(
        read("1"),
        Err(format!(
            "{path}here is integer `1`, where there must be true or false"
        ))
    );
}

#[test]
fn in_json_a_boolean_is_no_text_and_a_text_is_no_boolean() {
    let read = |more: &str| {
        let text = format!(
            r#"{{"OIDCIssuers": {{"https://id.example.com": {{"IssuerURL": "https://id.example.com",
            "ClientID": "sigstore", "Type": "email", {more}}}}}}}"#
        );
        Config::parse(&text, "FILE").map(|config| {
            let issuer = config.issuers().next().expect("one issuer");
            (issuer.skip_email_verification, issuer.contact.clone())
        })
    };
    for more in [
        r#""Contact": true"#,
        r#""Contact": 7"#,
        r#""Contact": []"#,
        r#""SkipEmailVerification": "true""#,
        r#""SkipEmailVerification": "yes""#,
        r#""SkipEmailVerification": """#,
        r#""SkipEmailVerification": 1"#,
    ] {
        assert!(read(more).is_err(), "{more}");
    }
    let read = |more| read(more).unwrap();
    assert!(read(r#""SkipEmailVerification": true"#).0);
    assert!(!read(r#""SkipEmailVerification": null"#).0);
    assert_eq!(read(r#""Contact": null"#).1, "");
}

/// Fulcio reads the names of JSON in any case, so that a key that it would read is never passed over.
#[test]
fn a_known_key_of_json_in_another_case_is_not_tolerated() {
    for (more, refused) in [
        ("skipEmailVerification", true),
        ("\u{17f}kipEmailVerification", true),
        ("skip-email-verification", false),
    ] {
        let text = format!(
            r#"{{"OIDCIssuers": {{"https://id.example.com": {{"IssuerURL": "https://id.example.com",
            "ClientID": "sigstore", "Type": "email", "{more}": true}}}}}}"#
        );
        let read = Config::parse_with(&text, "FILE", UnknownKeys::Tolerate);
        assert_eq!(read.is_err(), refused, "{more}");
    }
    let templates = r#"{"CIIssuerMetadata": {"a": {"ExtensionTemplates": {"issuer": "{{"}}}}"#;
    assert!(Config::parse_with(templates, "FILE", UnknownKeys::Tolerate).is_err());
}

#[test]
fn what_fulcio_does_not_merge_is_refused() {
    for more in [
        "    <<: [~]\n",
        "    <<: {contact: a}\n    <<: {description: a}\n",
        "    <<: {contact: a, contact: b}\n",
        "    <<: [{contact: a}, {contact: a, contact: b}]\n",
    ] {
        assert!(
            Config::parse(&email_issuer(more), "FILE").is_err(),
            "{more}"
        );
    }
}

/// Fulcio passes over what is behind a key that is nothing.
#[test]
fn a_key_that_is_null_is_refused() {
    let issuer = "{issuer-url: 'https://id.example.com', client-id: a, type: email}";
    for (key, good) in [("~", false), ("null", false), ("'~'", true), ("7", true)] {
        let read = Config::parse(&format!("oidc-issuers:\n  {key}: {issuer}\n"), "FILE");
        assert_eq!(read.is_ok(), good, "{key}");
    }
}

#[test]
fn a_scalar_of_a_type_that_it_cannot_have_is_refused() {
    for (value, good) in [
        ("!!int 12", true),
        ("!!str 12", true),
        ("!mine 12", true),
        ("!!bool True", true),
        ("!!int abc", false),
        ("!!int 1.5", false),
        ("!!float x", false),
        ("!!null x", false),
        ("!!bool maybe", false),
    ] {
        let read = Config::parse(&email_issuer(&format!("    contact: {value}\n")), "FILE");
        assert_eq!(read.is_ok(), good, "{value}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over_in_yaml() {
    let text = email_issuer("");
    for before in [
        "\u{feff}",
        "\u{feff}\n",
        "\u{feff}# a comment\n",
        "\u{feff}---\n",
    ] {
        assert_eq!(only(&format!("{before}{text}")).client_id, "sigstore");
    }
    for empty in ["\u{feff}", "\u{feff}{}"] {
        assert_eq!(parse(empty).issuers().count(), 0);
    }
    let flow = "\u{feff}{oidc-issuers: {a: {issuer-url: 'https://a', client-id: a, type: email}}}";
    assert_eq!(only(flow).client_id, "a");
    let wrong = format!("\u{feff}{text}    colour: red\n");
    let error = Config::parse(&wrong, "FILE").unwrap_err();
    assert_eq!(error.place().line, Some(6));
}

/// Fulcio reads it as YAML, in which none of its keys is known.
#[test]
fn json_behind_a_byte_order_mark_is_refused() {
    let json = "\u{feff}{\"OIDCIssuers\": {}}";
    for unknown in [UnknownKeys::Refuse, UnknownKeys::Tolerate] {
        let error = Config::parse_with(json, "FILE", unknown).unwrap_err();
        assert_eq!(
            error.to_string(),
            "FILE:1: JSON must not begin with a byte order mark; take it away"
        );
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

/// As in Fulcio, where nothing is done about letter case or a dot at the end.
#[test]
fn the_owners_domain_is_compared_byte_by_byte() {
    for (issuer, kind, domain, good) in [
        ("https://id.Example.com", "uri", "https://Example.com", true),
        ("HTTPS://id.example.com", "uri", "https://example.com", true),
        (
            "https://id.example.com.",
            "uri",
            "https://example.com.",
            true,
        ),
        ("https://[::1]", "uri", "https://[::1]:80", true),
        (
            "https://id.example.com",
            "uri",
            "https://Example.com",
            false,
        ),
        (
            "https://id.example.com",
            "uri",
            "https://example.com.",
            false,
        ),
        (
            "https://id.Example.com",
            "uri",
            "https://x.example.com",
            false,
        ),
        ("https://id.example.com.", "username", "other.com.", false),
        ("https://id.example.com", "username", "example.com.", false),
        ("https://id.example.com", "username", "Example.com", false),
        ("https://id.EXAMPLE.com", "username", "example.com", false),
        ("https://[::a]", "uri", "https://[::A]", false),
    ] {
        assert_eq!(
            speaks_for(issuer, kind, domain).is_ok(),
            good,
            "{issuer} {kind} {domain}"
        );
    }
    let error = speaks_for("https://id.example.com", "username", "Example.com").unwrap_err();
    assert!(
        matches!(error.problem(), Problem::DomainSpelling { .. }),
        "{error}"
    );
}

#[test]
fn what_go_does_not_read_as_a_url_is_no_domain() {
    for (issuer, kind, domain) in [
        ("https://id.example.com", "uri", "https://example.com/%zz"),
        ("https://id.example.com", "uri", "https://example.com:x"),
        ("https://id.example.com", "uri", "https://a b.example.com"),
        ("https://id.example.com", "uri", "https://ex%41mple.com"),
        ("https://id.example.com", "uri", "https:example.com"),
        ("https://id.example.com/%zz", "uri", "https://example.com"),
        ("https://id.example.com/%zz", "username", "example.com"),
        ("https://id.example.com:x", "username", "example.com"),
        ("https://id.example.com", "username", "a%zz.example.com"),
    ] {
        assert!(
            speaks_for(issuer, kind, domain).is_err(),
            "{issuer} {kind} {domain}"
        );
    }
}

fn speaks_for(
    issuer: &str,
    kind: &str,
    domain: &str,
) -> Result<Config, fulcio_identity::ConfigError> {
    let text = format!(
        "oidc-issuers:\n  one:\n    issuer-url: \"{issuer}\"\n    client-id: a\n    type: {kind}\n    \
         subject-domain: \"{domain}\"\n"
    );
    Config::parse(&text, "FILE")
}

#[test]
fn templates_that_are_ignored_must_be_templates_all_the_same() {
    for key in ["issuer", "subject"] {
        for template in ["{{", "{{range .a}}{{end}}", "{{nonesuch}}"] {
            let text = format!(
                "ci-issuer-metadata: {{x: {{extension-templates: {{{key}: '{template}'}}}}}}\n"
            );
            let error = Config::parse(&text, "FILE").unwrap_err();
            assert!(matches!(error.problem(), Problem::Template(_)), "{error}");
        }
    }
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
