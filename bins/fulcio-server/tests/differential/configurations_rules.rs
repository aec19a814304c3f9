//! The rules about the form of the file and about issuers.

/// A configuration that keeps or breaks one rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) file: &'static str,
    pub(super) text: String,
    /// What is meant to differ, by rows of the table.
    pub(super) rows: &'static [&'static str],
}

impl Rule {
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            file: "config.yaml",
            text: text.into(),
            rows: &[],
        }
    }

    fn json(name: &str, text: &str) -> Self {
        Self {
            file: "config.json",
            ..Self::new(name, text)
        }
    }

    pub(super) fn differs(mut self, rows: &'static [&'static str]) -> Self {
        self.rows = rows;
        self
    }
}

/// Nobody answers there, at once.
const URL: &str = "http://127.0.0.1:1/issuer";

/// Every type, with what it has to have.
const TYPES: [(&str, &[&str]); 12] = [
    ("email", &[]),
    ("spiffe", &["spiffe-trust-domain: example.com"]),
    ("uri", &["subject-domain: http://127.0.0.1"]),
    ("username", &["subject-domain: 127.0.0.1"]),
    ("kubernetes", &[]),
    ("github-workflow", &[]),
    ("gitlab-pipeline", &[]),
    ("buildkite-job", &[]),
    ("codefresh-workflow", &[]),
    ("chainguard-identity", &[]),
    ("ci-provider", &["ci-provider: mine"]),
    ("nonesuch", &["challenge-claim: sub"]),
];

const METADATA: &str =
    "ci-issuer-metadata:\n  mine:\n    subject-alternative-name-template: https://x/{{.sub}}\n";

/// A file with one issuer at `url`.
fn issuer_at(url: &str, kind: &str, lines: &[&str]) -> String {
    let head = [
        format!("issuer-url: {url}"),
        "client-id: sigstore".to_owned(),
        format!("type: {kind}"),
    ];
    entry("oidc-issuers", url, &head, lines)
}

fn issuer(kind: &str, lines: &[&str]) -> String {
    issuer_at(URL, kind, lines)
}

fn pattern(pattern: &str, kind: &str, lines: &[&str]) -> String {
    let head = ["client-id: sigstore".to_owned(), format!("type: {kind}")];
    entry("meta-issuers", pattern, &head, lines)
}

fn entry(section: &str, key: &str, head: &[String], lines: &[&str]) -> String {
    let mut text = format!("{METADATA}{section}:\n  \"{key}\":\n");
    for line in head.iter().map(String::as_str).chain(lines.iter().copied()) {
        text += &format!("    {line}\n");
    }
    text
}

/// Whether it is a configuration at all.
pub(super) fn forms() -> Vec<Rule> {
    let yaml = issuer("email", &[]);
    let json = format!(
        r#"{{"OIDCIssuers": {{"{URL}": {{"IssuerURL": "{URL}", "ClientID": "sigstore",
        "Type": "email", "SkipEmailVerification": true, "IssuerClaim": "$.a",
        "Description": "d", "Contact": "c", "Environment": "e", "ChallengeClaim": "sub"}}}},
        "MetaIssuers": {{"http://127.0.0.1:1/*": {{"ClientID": "x", "Type": "ci-provider",
        "CIProvider": "mine"}}}},
        "CIIssuerMetadata": {{"mine": {{"DefaultTemplateValues": {{"a": "b"}},
        "ExtensionTemplates": {{"BuildSignerURI": "a"}},
        "SubjectAlternativeNameTemplate": "https://x/{{{{.a}}}}"}}}}}}"#
    );
    vec![
        Rule::new("form/empty file", ""),
        Rule::new("form/white space", " \n\n"),
        Rule::new("form/a comment", "# nothing\n"),
        Rule::new("form/null", "null"),
        Rule::new("form/empty object", "{}"),
        Rule::new("form/list", "[]"),
        Rule::new("form/text", "text"),
        Rule::new("form/number", "7"),
        Rule::new("form/broken YAML", "oidc-issuers:\n  - a\n b: ["),
        Rule::new("form/a tab", "oidc-issuers:\n\thttp://a: {}\n"),
        Rule::new("form/broken JSON", r#"{"OIDCIssuers": {"#),
        Rule::new("form/section is null", "oidc-issuers:\n"),
        Rule::new(
            "form/section is empty",
            "oidc-issuers: {}\nmeta-issuers: {}\n",
        ),
        Rule::new("form/section is a list", "oidc-issuers: []\n"),
        Rule::new("form/section is text", "meta-issuers: text\n"),
        Rule::new("form/issuer is null", format!("oidc-issuers:\n  {URL}:\n")),
        Rule::new(
            "form/issuer is text",
            format!("oidc-issuers:\n  {URL}: text\n"),
        ),
        Rule::new("form/YAML", &*yaml),
        Rule::new("form/lines end as on Windows", yaml.replace('\n', "\r\n")),
        Rule::new("form/byte order mark", format!("\u{feff}{yaml}")),
        Rule::json("form/byte order mark of JSON", &format!("\u{feff}{json}")),
        Rule::new("form/document marks", format!("---\n{yaml}...\n")),
        Rule::new("form/two documents", format!("---\n{yaml}---\n{{}}\n")),
        Rule::new("form/JSON in a file for YAML", &*json),
        Rule::json("form/JSON", &json),
        Rule::json("form/YAML in a file for JSON", &yaml),
        Rule::json("form/JSON with something after it", &format!("{json} x")),
        Rule::json(
            "form/JSON with a wrong type",
            &json.replace("\"sigstore\"", "7"),
        ),
        Rule::json(
            "form/JSON with a field twice",
            &json.replace(r#""Type": "email","#, r#""Type": "x", "Type": "email","#),
        ),
        Rule::json(
            "form/names of YAML in JSON",
            &format!(
                r#"{{"oidc-issuers": {{"{URL}": {{"issuer-url": "{URL}", "client-id": "sigstore", "type": "email"}}}}}}"#
            ),
        ),
        Rule::new(
            "form/names of JSON in YAML",
            yaml.replace("oidc-issuers", "OIDCIssuers"),
        ),
        Rule::new(
            "form/names in another case",
            yaml.replace("client-id", "Client-ID"),
        ),
        Rule::json(
            "form/names of JSON in another case",
            &json.replace("ClientID", "clientid"),
        ),
        Rule::new(
            "form/unknown key at the top",
            format!("{yaml}define: {{}}\nversion: 2\n"),
        ),
        Rule::new(
            "form/anchors at the top",
            format!(
                "define:\n  - &kind email\noidc-issuers:\n  {URL}:\n    issuer-url: {URL}\n    client-id: &client sigstore\n    type: *kind\n    description: *client\n"
            ),
        ),
        Rule::new(
            "form/merge",
            format!(
                "define: &base {{client-id: base, type: email, contact: a}}\noidc-issuers:\n  {URL}:\n    <<: *base\n    issuer-url: {URL}\n    client-id: own\n"
            ),
        ),
        Rule::new(
            "form/merge of a list",
            format!(
                "define:\n  - &a {{client-id: a, type: email}}\n  - &b {{client-id: b, challenge-claim: sub}}\noidc-issuers:\n  {URL}:\n    <<: [*a, *b]\n    issuer-url: {URL}\n"
            ),
        ),
        Rule::new("form/merge of nothing", issuer("email", &["<<: [~]"])),
        Rule::new(
            "form/two merges",
            issuer("email", &["<<: {contact: a}", "<<: {description: a}"]),
        ),
        Rule::new(
            "form/merge of a key twice",
            issuer("email", &["<<: {contact: a, contact: b}"]),
        ),
        Rule::new(
            "form/type that does not fit",
            issuer("email", &["contact: !!int a"]),
        ),
        Rule::new("form/anchor that is not there", issuer("*nobody", &[])),
        Rule::new("form/key twice", issuer("email", &["client-id: other"])),
        Rule::new(
            "form/issuer twice",
            format!("{yaml}  {URL}:\n    issuer-url: {URL}\n    client-id: b\n    type: email\n"),
        ),
        Rule::new("form/section twice", format!("{yaml}oidc-issuers: {{}}\n")),
        Rule::new(
            "form/flow",
            format!(
                "{{oidc-issuers: {{\"{URL}\": {{issuer-url: \"{URL}\", client-id: sigstore, type: email}}}}}}"
            ),
        ),
    ]
}

/// What an issuer has to have, and may have.
pub(super) fn issuers() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (kind, needed) in TYPES {
        let with = |more: &[&'static str]| issuer(kind, &[needed, more].concat());
        let rule = |what: &str, text| Rule::new(format!("{kind}/{what}"), text);
        rules.push(rule("good", with(&[])));
        rules.push(rule("bare", issuer(kind, &[])));
        if kind != "nonesuch" {
            rules.push(rule("challenge claim", with(&["challenge-claim: other"])));
            rules.push(rule(
                "empty challenge claim",
                with(&["challenge-claim: ''"]),
            ));
        }
        rules.push(rule("issuer claim", with(&["issuer-claim: $.a.b"])));
        rules.push(rule("empty issuer claim", with(&["issuer-claim: ''"])));
        rules.push(rule(
            "skipped verification",
            with(&["skip-email-verification: true"]),
        ));
        rules.push(rule(
            "all that only informs",
            with(&["description: d", "contact: c", "environment: e"]),
        ));
        rules.push(Rule::new(
            format!("{kind}/pattern"),
            pattern("http://127.0.0.1:1/*", kind, needed),
        ));
    }
    for (what, text) in [
        (
            "no issuer-url",
            format!("oidc-issuers:\n  {URL}:\n    client-id: sigstore\n    type: email\n"),
        ),
        (
            "empty issuer-url",
            format!(
                "oidc-issuers:\n  {URL}:\n    issuer-url: ''\n    client-id: sigstore\n    type: email\n"
            ),
        ),
        (
            "no client-id",
            format!("oidc-issuers:\n  {URL}:\n    issuer-url: {URL}\n    type: email\n"),
        ),
        (
            "empty client-id",
            format!(
                "oidc-issuers:\n  {URL}:\n    issuer-url: {URL}\n    client-id: ''\n    type: email\n"
            ),
        ),
        (
            "key of another URL",
            format!(
                "oidc-issuers:\n  http://127.0.0.1:1/other:\n    issuer-url: {URL}\n    client-id: sigstore\n    type: email\n"
            ),
        ),
        (
            "key with a slash more",
            format!(
                "oidc-issuers:\n  {URL}/:\n    issuer-url: {URL}\n    client-id: sigstore\n    type: email\n"
            ),
        ),
    ] {
        rules.push(Rule::new(format!("issuer/{what}"), text));
    }
    for (what, text) in [
        (
            "no type",
            format!("oidc-issuers:\n  {URL}:\n    issuer-url: {URL}\n    client-id: sigstore\n"),
        ),
        ("unknown type", issuer("nonesuch", &[])),
        ("type in another case", issuer("Email", &[])),
        ("type with a space", issuer("'email '", &[])),
        (
            "key is no URL",
            format!(
                "oidc-issuers:\n  first:\n    issuer-url: {URL}\n    client-id: sigstore\n    type: email\n"
            ),
        ),
        (
            "two audiences of one issuer",
            format!(
                "oidc-issuers:\n  first:\n    issuer-url: {URL}\n    client-id: a\n    type: email\n  second:\n    issuer-url: {URL}\n    client-id: b\n    type: kubernetes\n"
            ),
        ),
        (
            "text that is a number",
            issuer("email", &["description: 7", "challenge-claim: 1.0"]),
        ),
        (
            "text that is true",
            issuer("email", &["challenge-claim: true"]),
        ),
        (
            "text that is null",
            issuer("email", &["challenge-claim: null"]),
        ),
        (
            "text that is a date",
            issuer("email", &["challenge-claim: 2026-11-22"]),
        ),
        (
            "text that is a list",
            issuer("email", &["challenge-claim: [a]"]),
        ),
        (
            "text that is a mapping",
            issuer("email", &["challenge-claim: {a: b}"]),
        ),
        (
            "text of several lines",
            issuer("email", &["challenge-claim: |", "  a", "  b"]),
        ),
        (
            "Unicode and HTML",
            issuer(
                "email",
                &["challenge-claim: \"Größe <a&b> \\\"q\\\" \\u2028\""],
            ),
        ),
        ("unknown key", issuer("email", &["cleint-id: x"])),
        (
            "key of another type",
            issuer(
                "email",
                &[
                    "spiffe-trust-domain: a.b",
                    "subject-domain: c.d",
                    "ci-provider: mine",
                ],
            ),
        ),
        (
            "issuer-url with a space",
            issuer_at("http://127.0.0.1:1/a b", "email", &[]),
        ),
        (
            "issuer-url that is no URL",
            issuer_at("nonsense", "email", &[]),
        ),
        (
            "issuer-url with a query",
            issuer_at("http://127.0.0.1:1/a?b=c", "email", &[]),
        ),
        (
            "issuer-url with a slash at its end",
            issuer_at("http://127.0.0.1:1/a/", "email", &[]),
        ),
        (
            "issuer-url with a broken escape",
            issuer_at("http://127.0.0.1:1/%zz", "email", &[]),
        ),
    ] {
        rules.push(Rule::new(format!("issuer/{what}"), text));
    }
    for value in [
        "true", "false", "yes", "no", "on", "off", "y", "n", "True", "'true'", "'yes'", "yEs",
        "''", "1", "null", "maybe", "[]",
    ] {
        let line = format!("skip-email-verification: {value}");
        rules.push(Rule::new(
            format!("boolean/{value}"),
            issuer("email", &[&line]),
        ));
    }
    for claim in [
        "$.a",
        "$.a.b.c",
        "a",
        "a.b",
        "$",
        "$.",
        ".a",
        "$..a",
        "$.a[0]",
        "$.a['b']",
        "$['a b']",
        "$.a[*]",
        "$.*",
        "$.a[?(@.b)]",
        "$.a[0:2]",
        "$.a[",
        "$.a-b",
        "$.a b",
        "$.é",
        "{",
        "$.a.",
    ] {
        let line = format!("issuer-claim: \"{claim}\"");
        rules.push(Rule::new(
            format!("issuer-claim/{claim}"),
            issuer("email", &[&line]),
        ));
    }
    rules
}

/// Domains that an issuer may speak for.
pub(super) fn domains() -> Vec<Rule> {
    let mut rules = Vec::new();
    for domain in [
        "example.com",
        "example",
        "a-b_c.d",
        "1.2",
        "Example.com",
        "''",
        "' '",
        "exämple.com",
        "spiffe://example.com",
        "spiffe://example.com/path",
        "https://example.com",
        "example.com/a",
        "example.com:80",
        "u@example.com",
        "a..b",
        ".",
        "a b",
        "null",
    ] {
        let line = format!("spiffe-trust-domain: {domain}");
        rules.push(Rule::new(
            format!("spiffe-trust-domain/{domain}"),
            issuer("spiffe", &[&line]),
        ));
    }
    let domain = |kind: &str, url: &str, domain: &str| {
        let line = format!("subject-domain: \"{domain}\"");
        Rule::new(
            format!("subject-domain of {kind}/{domain} at {url}"),
            issuer_at(url, kind, &[&line]),
        )
    };
    for value in [
        "http://127.0.0.1",
        "http://127.0.0.1:8080/path",
        "http://127.0.0.2",
        "https://127.0.0.1",
        "127.0.0.1",
        "http://",
        "",
        "http://a b",
        "http://127.0.0.1/%zz",
        "HTTP://127.0.0.1",
        "//127.0.0.1",
        "http://[::1]",
        "http://u:p@127.0.0.1",
        "http:127.0.0.1",
        "example.com",
        "http://127.0.0.1:x",
    ] {
        rules.push(domain("uri", URL, value));
        rules.push(domain("username", URL, value));
    }
    for (url, host) in [
        ("https://accounts.example.invalid", "example.invalid"),
        (
            "https://accounts.example.invalid",
            "accounts.example.invalid",
        ),
        ("https://accounts.example.invalid", "users.example.invalid"),
        ("https://accounts.example.invalid", "a.b.c.example.invalid"),
        ("https://accounts.example.invalid", "example.com"),
        ("https://accounts.example.invalid", "Example.invalid"),
        ("https://accounts.example.invalid", "notexample.invalid"),
        ("https://accounts.example.invalid", "example.invalid."),
        ("https://accounts.example.invalid", "invalid"),
        ("https://single:1", "single"),
        ("https://single:1", "other"),
        ("https://a.co.uk.invalid", "b.co.uk.invalid"),
        ("127.0.0.1/x", "127.0.0.1"),
    ] {
        rules.push(domain("uri", url, &format!("https://{host}")));
        rules.push(domain("username", url, host));
    }
    rules.push(domain("uri", "https://a.co.uk", "https://b.co.uk").differs(&["public-suffixes"]));
    rules.push(domain("username", "https://a.co.uk", "b.co.uk").differs(&["public-suffixes"]));
    rules
}

/// The certificates of an issuer's authority.
pub(super) fn certificates(certificate: &str) -> Vec<Rule> {
    let block = |text: &str| {
        let lines: Vec<_> = text.lines().map(|line| format!("      {line}")).collect();
        format!("ca-cert: |\n{}", lines.join("\n"))
    };
    let first = certificate
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .unwrap();
    let mut rules = Vec::new();
    for (what, value) in [
        ("one", block(first)),
        ("several", block(certificate)),
        (
            "text around it",
            block(&format!("a certificate\n{first}and more\n")),
        ),
        (
            "nonsense in the second",
            block(&format!(
                "{first}-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n"
            )),
        ),
        (
            "nonsense",
            block("-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n"),
        ),
        ("no PEM", "ca-cert: /etc/ssl/ca.pem".to_owned()),
        ("empty", "ca-cert: ''".to_owned()),
        ("a space", "ca-cert: ' '".to_owned()),
        (
            "another kind of PEM",
            block(&first.replace("CERTIFICATE", "PUBLIC KEY")),
        ),
        ("cut off", block(&first[..first.len() / 2])),
    ] {
        rules.push(Rule::new(
            format!("ca-cert/{what}"),
            issuer("email", &[&value]),
        ));
        rules.push(Rule::new(
            format!("ca-cert of a pattern/{what}"),
            pattern("http://127.0.0.1:1/*", "email", &[&value]),
        ));
    }
    rules
}

/// Patterns: what they may be.
pub(super) fn patterns() -> Vec<Rule> {
    let mut rules = Vec::new();
    for text in [
        "http://127.0.0.1:1/*",
        "https://*.example.invalid/id/*",
        "*",
        "**",
        "https://*",
        "http://127.0.0.1:1/exact",
        "http://127.0.0.1:1/[a",
        "http://127.0.0.1:1/a+b(c|d)?*",
        "",
        "no URL *",
        "http://127.0.0.1:1/*/",
        "http://127.0.0.1:1/é*",
    ] {
        rules.push(Rule::new(
            format!("pattern/{text}"),
            pattern(text, "email", &[]),
        ));
    }
    let other = "  \"http://127.0.0.1:1/*/b\":\n    client-id: x\n    type: kubernetes\n";
    rules.push(Rule::new(
        "pattern/two that overlap, one more specific",
        format!("{}{other}", pattern("http://127.0.0.1:1/*/*", "email", &[])),
    ));
    rules.push(Rule::new(
        "pattern/two that overlap alike",
        format!("{}{other}", pattern("http://127.0.0.1:1/a/*", "email", &[])),
    ));
    rules.push(Rule::new(
        "pattern/no client-id",
        "meta-issuers:\n  \"http://127.0.0.1:1/*\":\n    type: email\n",
    ));
    rules.push(Rule::new(
        "pattern/no type",
        "meta-issuers:\n  \"http://127.0.0.1:1/*\":\n    client-id: sigstore\n",
    ));
    for (what, line) in [
        ("issuer-url", "issuer-url: http://127.0.0.1:1/x"),
        (
            "issuer-url of the pattern",
            "issuer-url: http://127.0.0.1:1/*",
        ),
        ("challenge claim", "challenge-claim: other"),
        ("unknown key", "nonesuch: x"),
    ] {
        rules.push(Rule::new(
            format!("pattern with/{what}"),
            pattern("http://127.0.0.1:1/*", "email", &[line]),
        ));
    }
    for kind in ["uri", "username"] {
        for domain in [
            "http://127.0.0.1",
            "127.0.0.1",
            "example.com",
            "https://example.com",
            "",
        ] {
            let line = format!("subject-domain: \"{domain}\"");
            rules.push(Rule::new(
                format!("pattern of {kind}/{domain}"),
                pattern("http://127.0.0.1:1/*", kind, &[&line]),
            ));
        }
    }
    rules.push(Rule::new("issuer and pattern/both", format!(
        "{}meta-issuers:\n  \"http://127.0.0.1:1/*\":\n    client-id: x\n    type: kubernetes\n",
        issuer("email", &[])
    )));
    rules
}
