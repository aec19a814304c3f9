//! What the tests of this crate share: a provider whose tokens are served.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::sync::{Arc, LazyLock};

use fulcio_identity::{Config, Error, IssuerAddress, IssuerConfig, IssuerKind, Issuers};
use fulcio_oidc_verify::{Algorithm, Expectation, KeySet, UnverifiedToken, VerifiedToken};
use fulcio_principal::Identity;
use fulcio_testkit::idp::{Draft, FakeFetch, FakeIdp, FakeKey};

pub(crate) const ISSUER: &str = "https://issuer.example.com";

pub(crate) static IDP: LazyLock<FakeIdp> =
    LazyLock::new(|| FakeIdp::new(FakeKey::generate(Algorithm::Es256)));

pub(crate) fn email_issuer() -> IssuerConfig {
    let address = IssuerAddress::Url(ISSUER.into());
    IssuerConfig::new(address, "sigstore", IssuerKind::Email)
}

pub(crate) fn serving(config: &Config, fetch: &FakeFetch) -> Issuers {
    Issuers::new(config, &|_issuer| Ok(Arc::new(fetch.clone()))).expect("issuers")
}

/// Authenticates with one issuer, whose keys are those of [`IDP`].
pub(crate) async fn authenticate(issuer: IssuerConfig, draft: Draft) -> Result<Identity, Error> {
    let config = Config::from_issuers([issuer]);
    let issuers = serving(&config, &FakeFetch::serving(&IDP));
    issuers.authenticate(&draft.mint(), FakeIdp::now()).await
}

/// A verified token of [`IDP`] that has these claims besides.
pub(crate) fn verified(claims: &[(&str, serde_json::Value)]) -> VerifiedToken {
    let mut draft = IDP.draft();
    for (name, value) in claims {
        draft = draft.claim(name, value.clone());
    }
    verify(&draft)
}

pub(crate) fn verify(draft: &Draft) -> VerifiedToken {
    let keys = KeySet::parse(IDP.jwks().to_string().as_bytes()).expect("keys");
    let expect = Expectation::new(ISSUER, "sigstore", [Algorithm::Es256].into_iter().collect());
    let raw = draft.mint();
    let token = UnverifiedToken::parse(&raw).expect("a token");
    token
        .verify(&keys, &expect, FakeIdp::now())
        .expect("a good token")
}
