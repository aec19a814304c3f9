//! The rules about providers of continuous integration and their templates.

use super::configurations_rules::Rule;

const ISSUER: &str = "oidc-issuers:\n  http://127.0.0.1:1/issuer:\n    issuer-url: http://127.0.0.1:1/issuer\n    client-id: sigstore\n    type: ci-provider\n    ci-provider: mine\n";

/// The forms of Go's text/template that are evaluated here, and what is none of Go's either.
const ALIKE: &[&str] = &[
    "claim",
    "",
    "' '",
    "{{.a}}",
    "{{ .a }}x{{- .b -}} y",
    "{{ .a | printf \"%s\" }}",
    "{{index . \"a-b\"}}",
    "{{(index . \"a\")}}",
    "{{if eq .a \"b\"}}c{{else}}d{{end}}",
    "{{if .a}}b{{else if .c}}d{{end}}",
    "{{if and .a (or .b (not .c))}}d{{end}}",
    "{{if ne .a \"b\"}}c{{end}}",
    "{{printf \"%s-%s\" .a .b}}",
    "{{\"text\"}}",
    "{{`raw`}}",
    "{{",
    "{{}}",
    "{{.a",
    "{{.a}",
    "}}",
    "{{.a b}}",
    "{{nonesuch .a}}",
    "{{if .a}}b",
    "{{end}}",
    "{{else}}",
    "{{if}}a{{end}}",
    "{{(.a}}",
    "{{.a)}}",
    "{{\"a}}",
    "{{'ab'}}",
    "{{.a.}}",
    "{{..a}}",
    "{{$a}}",
    "{{/* comment */}}",
    "{{/* comment",
];

/// What Go has and we have not.
const OTHERS: &[&str] = &[
    "{{.}}",
    "{{template \"x\"}}",
    "{{.a | .b}}",
    "{{.a .b}}",
    "{{.a | }}",
    "{{index}}",
    "{{range .a}}b{{end}}",
    "{{with .a}}b{{end}}",
    "{{$x := .a}}{{$x}}",
    "{{define \"x\"}}a{{end}}",
    "{{block \"x\" .}}a{{end}}",
    "{{len .a}}",
    "{{html .a}}",
    "{{js .a}}",
    "{{urlquery .a}}",
    "{{print .a}}",
    "{{println .a}}",
    "{{slice .a 1}}",
    "{{lt .a .b}}",
    "{{call .a}}",
    "{{.a.b}}",
    "{{1}}",
    "{{nil | printf \"%v\"}}",
];

/// Each as a template for the name and as one for an extension, and the section itself.
pub(super) fn metadata() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (list, rows) in [(ALIKE, &[][..]), (OTHERS, &["templates"])] {
        for template in list {
            let quoted = template
                .trim_matches('\'')
                .replace('\\', "\\\\")
                .replace('"', "\\\"");
            rules.push(
                Rule::new(
                    format!("template of the name/{template}"),
                    provider(&[&format!("subject-alternative-name-template: \"{quoted}\"")]),
                )
                .differs(rows),
            );
            rules.push(
                Rule::new(
                    format!("template of an extension/{template}"),
                    provider(&[
                        "subject-alternative-name-template: name",
                        &format!("extension-templates: {{build-trigger: \"{quoted}\"}}"),
                    ]),
                )
                .differs(rows),
            );
        }
    }
    let name = "subject-alternative-name-template: name";
    for (what, lines) in [
        ("nothing", &[][..]),
        ("no name", &["default-template-values: {a: b}"]),
        (
            "a default that is no text",
            &[name, "default-template-values: {a: 1, b: true, c: 1.50}"],
        ),
        (
            "a default that is null",
            &[name, "default-template-values: {a: null}"],
        ),
        (
            "a default that is a list",
            &[name, "default-template-values: {a: [b]}"],
        ),
        (
            "a default that looks like a template",
            &[name, "default-template-values: {a: '{{'}"],
        ),
        ("no defaults", &[name, "default-template-values:"]),
        ("no extensions", &[name, "extension-templates:"]),
        (
            "an unknown extension",
            &[name, "extension-templates: {nonesuch: a}"],
        ),
        (
            "a template for the issuer",
            &[name, "extension-templates: {issuer: '{{.a}}', subject: b}"],
        ),
        (
            "a broken template for the issuer",
            &[name, "extension-templates: {issuer: '{{'}"],
        ),
        (
            "an extension by its name in JSON",
            &[name, "extension-templates: {BuildTrigger: a}"],
        ),
        ("an unknown key", &[name, "nonesuch: a"]),
    ] {
        rules.push(Rule::new(format!("metadata/{what}"), provider(lines)));
    }
    let all = [
        "github-workflow-trigger",
        "github-workflow-sha",
        "github-workflow-name",
        "github-workflow-repository",
        "github-workflow-ref",
        "build-signer-uri",
        "build-signer-digest",
        "runner-environment",
        "source-repository-uri",
        "source-repository-digest",
        "source-repository-ref",
        "source-repository-identifier",
        "source-repository-owner-uri",
        "source-repository-owner-identifier",
        "build-config-uri",
        "build-config-digest",
        "build-trigger",
        "run-invocation-uri",
        "source-repository-visibility-at-signing",
        "deployment-environment",
        "subject",
        "issuer",
    ];
    for key in all {
        for template in ["a", "{{"] {
            let line = format!("extension-templates: {{{key}: \"{template}\"}}");
            rules.push(Rule::new(
                format!("extension {key}/{template}"),
                provider(&[name, &line]),
            ));
        }
    }
    rules.push(Rule::new("metadata/provider that is not there", ISSUER));
    rules.push(Rule::new(
        "metadata/no provider",
        provider(&[name]).replace("    ci-provider: mine\n", ""),
    ));
    rules.push(Rule::new(
        "metadata/provider in another case",
        provider(&[name]).replace("ci-provider: mine", "ci-provider: Mine"),
    ));
    rules
}

/// A file with the provider `mine`, described by these lines.
fn provider(lines: &[&str]) -> String {
    let mut text = ISSUER.to_owned() + "ci-issuer-metadata:\n  mine:\n";
    for line in lines {
        text += &format!("    {line}\n");
    }
    text
}
