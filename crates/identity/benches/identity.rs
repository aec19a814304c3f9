//! What it costs to find the issuer of a token and to read whom it speaks for.

use std::sync::Arc;

use fulcio_identity::{Config, IssuerPattern, Issuers};
use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{FakeFetch, FakeIdp, FakeKey};
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

const LARGE_FILE: &str = include_str!("../tests/vectors/fulcio.yaml");

/// A token of one of many issuers, with its keys already fetched: signature check included.
#[divan::bench(args = [Algorithm::Es256, Algorithm::Rs256])]
fn authenticate(bencher: divan::Bencher<'_, '_>, algorithm: Algorithm) {
    let idp = FakeIdp::new(FakeKey::generate(algorithm)).issued_by("https://accounts.google.com");
    let (issuers, token) = (issuers(&idp), idp.token());
    let runtime = runtime();
    bencher.bench_local(|| {
        let outcome = runtime.block_on(issuers.authenticate(&token, FakeIdp::now()));
        assert!(outcome.is_ok());
    });
}

/// A token of GitHub Actions, whose certificate twenty templates describe.
#[divan::bench]
fn authenticate_by_templates(bencher: divan::Bencher<'_, '_>) {
    let idp = FakeIdp::new(FakeKey::generate(Algorithm::Rs256))
        .issued_by("https://token.actions.githubusercontent.com");
    let claims = [
        "event_name",
        "job_workflow_ref",
        "job_workflow_sha",
        "ref",
        "repository",
        "repository_id",
        "repository_owner",
        "repository_owner_id",
        "repository_visibility",
        "run_attempt",
        "run_id",
        "runner_environment",
        "sha",
        "workflow",
        "workflow_ref",
        "workflow_sha",
    ];
    let draft = claims.into_iter().fold(idp.draft(), |draft, name| {
        draft.claim(name, "octo-org/some-value")
    });
    let (issuers, token) = (issuers(&idp), draft.mint());
    let runtime = runtime();
    bencher.bench_local(|| {
        let outcome = runtime.block_on(issuers.authenticate(&token, FakeIdp::now()));
        assert!(outcome.is_ok());
    });
}

/// A token whose issuer is nobody's: no signature is checked.
#[divan::bench]
fn refuse_an_unknown_issuer(bencher: divan::Bencher<'_, '_>) {
    let idp = FakeIdp::new(FakeKey::generate(Algorithm::Es256));
    let (issuers, token) = (issuers(&idp), idp.token());
    let runtime = runtime();
    bencher.bench_local(|| {
        let outcome = runtime.block_on(issuers.authenticate(&token, FakeIdp::now()));
        assert!(outcome.is_err());
    });
}

#[divan::bench]
fn match_a_pattern(bencher: divan::Bencher<'_, '_>) {
    let text = "https://container.googleapis.com/v1/projects/*/locations/*/clusters/*";
    let pattern = IssuerPattern::new(text);
    let url = "https://container.googleapis.com/v1/projects/some-project/locations/europe-west1-b/clusters/main";
    bencher.bench(|| assert!(pattern.matches(divan::black_box(url))));
}

#[divan::bench]
fn read_a_large_configuration() -> Config {
    Config::parse(divan::black_box(LARGE_FILE), "config.yaml").expect("the file is good")
}

fn issuers(idp: &FakeIdp) -> Issuers {
    let config = read_a_large_configuration();
    let fetch = FakeFetch::serving(idp);
    Issuers::new(&config, &|_| Ok(Arc::new(fetch.clone()))).expect("issuers")
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}
