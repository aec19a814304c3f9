//! The issuer configuration of the public Sigstore, as it comes with Fulcio v1.8.8.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test command says in the environment where the file is"
)]

mod support;

use std::{env, fs};

use fulcio_identity::{ClaimPath, Config, IssuerAddress, IssuerKind};
use fulcio_oidc_verify::Algorithm;
use fulcio_principal::Extension;
use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
use support::serving;

/// The file; nothing where the test command did not install what tests are judged by.
fn public_good() -> Option<String> {
    match env::var_os("FULCIO_PUBLIC_GOOD_CONFIG") {
        Some(path) => Some(fs::read_to_string(path).unwrap()),
        None if env::var_os("FULCIO_TEST_COMPONENTS").is_some() => {
            panic!("FULCIO_PUBLIC_GOOD_CONFIG is not set")
        }
        None => {
            eprintln!("skipped: FULCIO_TEST_COMPONENTS is not set");
            None
        }
    }
}

#[test]
fn the_public_good_file_is_read_as_it_is() {
    let Some(text) = public_good() else { return };
    let config = Config::parse(&text, "config.yaml").unwrap();
    assert_eq!(config.warnings().count(), 0);
    let count = |kind| {
        config
            .issuers()
            .filter(|issuer| issuer.kind == kind)
            .count()
    };
    assert_eq!(count(IssuerKind::Email), 6);
    assert_eq!(count(IssuerKind::ChainguardIdentity), 2);
    assert_eq!(count(IssuerKind::CiProvider), 10);
    assert_eq!(count(IssuerKind::Kubernetes), 7);
    assert_eq!(config.issuers().count(), 25);
    assert!(
        config
            .issuers()
            .all(|issuer| issuer.client_id == "sigstore")
    );

    let dex = config
        .issuers()
        .find(|i| i.to_string() == "https://oauth2.sigstore.dev/auth");
    let dex = dex.unwrap();
    assert_eq!(dex.challenge_claim, "email");
    let path = ClaimPath::parse("$.federated_claims.connector_id").unwrap();
    assert_eq!(dex.issuer_claim, Some(path));

    let patterns = config.issuers().filter_map(|issuer| match &issuer.address {
        IssuerAddress::Pattern(pattern) => Some(pattern),
        IssuerAddress::Url(_) => None,
    });
    let matching: Vec<_> = patterns
        .filter(|pattern| pattern.matches("https://oidc.eks.us-west-2.amazonaws.com/id/B02C93B6"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(matching, ["https://oidc.eks.*.amazonaws.com/id/*"]);
}

#[test]
fn templates_are_kept_as_they_are_written() {
    let Some(text) = public_good() else { return };
    let config = Config::parse(&text, "config.yaml").unwrap();
    let names: Vec<_> = config.ci_metadata().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "buildkite-job",
            "circleci-job",
            "codefresh-workflow",
            "github-workflow",
            "gitlab-pipeline"
        ]
    );
    let of = |name| {
        config
            .ci_metadata()
            .find(|(key, _)| *key == name)
            .unwrap()
            .1
    };
    let github = of("github-workflow");
    assert_eq!(github.extension_templates.len(), 20);
    assert_eq!(github.default_template_values["environment"], "");
    assert_eq!(
        github.subject_alternative_name_template.as_str(),
        "{{ .url }}/{{ .job_workflow_ref }}"
    );
    assert_eq!(
        of("circleci-job").extension_templates[&Extension::RunnerEnvironment].as_str(),
        r#"{{if eq (index . "oidc.circleci.com/ssh-rerun") "true"}}ssh-rerun{{ else }}""{{end}}"#
    );
}

#[tokio::test]
async fn every_issuer_of_the_public_good_file_is_served() {
    let Some(text) = public_good() else { return };
    let config = Config::parse(&text, "config.yaml").unwrap();
    let google =
        FakeIdp::new(FakeKey::generate(Algorithm::Rs256)).issued_by("https://accounts.google.com");
    let fetch = FakeFetch::serving(&google);
    let issuers = serving(&config, &fetch);
    assert_eq!(issuers.unserved().count(), 0);
    let outcome = issuers.authenticate(&google.token(), FakeIdp::now()).await;
    assert!(outcome.is_ok());
    assert_eq!(fetch.requests(), 2);
}
