//! What one token costs, from its text to its claims.

use divan::{Bencher, black_box};
use fulcio_oidc_verify::{Algorithm, AlgorithmSet, Expectation, KeySet, UnverifiedToken};
use fulcio_testkit::idp::{FakeIdp, FakeKey};

fn main() {
    divan::main();
}

/// As many claims as a GitHub workflow's token has.
fn workflow(idp: &FakeIdp) -> String {
    (0..25)
        .fold(idp.draft(), |draft, claim| {
            draft.claim(
                &format!("workflow_claim_{claim}"),
                "octo-org/octo-repo/.github/workflows/ci.yml",
            )
        })
        .mint()
}

#[divan::bench(args = [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa])]
fn email_token(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    verify(bencher, algorithm, FakeIdp::token);
}

#[divan::bench(args = [Algorithm::Rs256])]
fn workflow_token(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    verify(bencher, algorithm, workflow);
}

fn verify(bencher: Bencher<'_, '_>, algorithm: Algorithm, mint: fn(&FakeIdp) -> String) {
    let idp = FakeIdp::new(FakeKey::generate(algorithm).named("k"));
    let keys = KeySet::parse(idp.jwks().to_string().as_bytes()).expect("a key set");
    let expected = Expectation::new(idp.issuer(), idp.audience(), AlgorithmSet::ALL);
    let raw = mint(&idp);
    bencher.bench_local(|| {
        UnverifiedToken::parse(black_box(&raw))
            .and_then(|token| token.verify(&keys, &expected, FakeIdp::now()))
            .expect("a good token")
    });
}

#[divan::bench]
fn parse_a_token(bencher: Bencher<'_, '_>) {
    let raw = workflow(&FakeIdp::new(FakeKey::generate(Algorithm::Es256)));
    bencher.bench_local(|| UnverifiedToken::parse(black_box(&raw)).is_ok());
}

#[divan::bench(args = [Algorithm::Rs256, Algorithm::Es256])]
fn parse_a_key_set(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let json = FakeIdp::new(FakeKey::generate(algorithm))
        .jwks()
        .to_string();
    bencher.bench_local(|| KeySet::parse(black_box(json.as_bytes())).expect("a key set"));
}
