use fulcio_oidc_verify::Algorithm;
use fulcio_testkit::idp::{FakeIdp, FakeKey};

use super::{IdpHost, Issuer, Pair, Proof, Setup, SigningKey, Stage};

/// A pair that takes e-mail addresses of one issuer, and somebody with an address and a key.
#[derive(Debug)]
pub(super) struct Scene {
    _host: IdpHost,
    pub(super) issuer: Issuer,
    pub(super) pair: Pair,
    pub(super) key: SigningKey,
}

/// Whom its tokens are for.
pub(super) const ADA: &str = "ada@example.com";

impl Scene {
    pub(super) fn set(stage: &Stage) -> Self {
        Self::set_with(stage, |setup| setup)
    }

    pub(super) fn set_with(stage: &Stage, change: impl FnOnce(Setup) -> Setup) -> Self {
        let host = IdpHost::start();
        let key = FakeKey::generate(Algorithm::Es256).named("ec1");
        let issuer = host.issuer("email", FakeIdp::new(key));
        let setup = Setup::new(&format!("oidc-issuers:\n{}", issuer.entry("email")));
        Self {
            pair: change(setup).start(stage),
            _host: host,
            issuer,
            key: SigningKey::p256(),
        }
    }

    /// A good token of [`ADA`].
    pub(super) fn token(&self) -> String {
        self.issuer.draft().mint()
    }

    /// A good proof of [`ADA`].
    pub(super) fn proof(&self) -> Proof {
        self.key.proof(ADA)
    }
}
